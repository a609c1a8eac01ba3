import { resolve } from "node:path";
import {
  createPushVerifier,
  PushCertificatesError,
  type PushVerifierOptions,
  requireSignedPush,
} from "@x/push-certificates";
import type { Hooks, Logger, RepositoryResolver, VerifyPush } from "@x/server-core";
import { type FileConfig, readProtectedConfig } from "@x/storage-fs";
import { CliError } from "../errors.ts";
import { trustLevelOf, verifierOptions } from "../operator-verifier.ts";
import type { Terminal } from "../terminal.ts";

/** What the command line says of signed pushes. */
export interface CertificateFlags {
  readonly allowedSigners?: string | undefined;
  readonly revokedKeys?: string | undefined;
  readonly openpgpKeys?: string | undefined;
  readonly requireSignedPush?: boolean | undefined;
}

/** Signed pushes for a server of many repositories. */
export interface ServeCertificates {
  readonly verifyPush: VerifyPush;
  /** Refuses what is not signed, if that is asked for. */
  readonly hooks: Hooks | undefined;
  /** Repositories that say nothing of nonces themselves go by what the machine's settings say. */
  readonly withNonces: (repositories: RepositoryResolver) => RepositoryResolver;
}

/**
 * Flags come before the settings of the machine and the user; a repository's own have no say in whom to trust.
 * @throws CliError when a file that is named by a flag is no good
 */
export async function serveCertificates(
  flags: CertificateFlags,
  { env }: Pick<Terminal, "env">,
  logger: Logger,
): Promise<ServeCertificates> {
  const config = await readProtectedConfig(env);
  const set = configured(config, env);
  const { allowedSigners, revokedKeys, openpgpKeys } = flags;
  if (revokedKeys !== undefined && allowedSigners === undefined)
    throw new CliError("cli/usage", "--revoked-keys goes with --allowed-signers");
  const named: PushVerifierOptions = {
    ...(allowedSigners !== undefined && {
      ssh: {
        allowedSigners: resolve(allowedSigners),
        ...(revokedKeys !== undefined && { revokedKeys: resolve(revokedKeys) }),
      },
    }),
    ...(openpgpKeys !== undefined && { openpgp: { keys: resolve(openpgpKeys) } }),
  };
  await check(named);
  const verifier = createPushVerifier({ ...set, ...named });
  await verifier
    .check()
    .catch((error: unknown) => logger.warn({ error }, "signed pushes cannot be verified"));
  return {
    verifyPush: verifier.verify,
    hooks: flags.requireSignedPush ? requireSignedPush() : undefined,
    withNonces: (repositories) => async (call) => {
      const found = await repositories(call);
      return found && { ...found, config: withFallback(found.config, config) };
    },
  };
}

/** gpg looks into the user's own ring, which was not made for this: so its keys have to be trusted, too. */
function configured(config: FileConfig, env: Terminal["env"]): PushVerifierOptions {
  const environment = Object.fromEntries(
    Object.entries(env).filter(([name]) => KEPT.has(name) || name.startsWith("LC_")),
  );
  return verifierOptions(
    { lists: config, programs: config, directory: process.cwd(), env: environment },
    { minTrustLevel: trustLevelOf(config) ?? "marginal" },
  );
}

/** What gpg and ssh-keygen need to run. */
const KEPT: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "TZ",
  "LANG",
  "GNUPGHOME",
]);

async function check(named: PushVerifierOptions): Promise<void> {
  try {
    await createPushVerifier(named).check();
  } catch (cause) {
    if (!(cause instanceof PushCertificatesError)) throw cause;
    throw new CliError("cli/fatal", cause.message, { cause });
  }
}

const FALLBACK: ReadonlySet<string> = new Set(["receive.certnonceseed", "receive.certnonceslop"]);

function withFallback<C extends Pick<FileConfig, "get">>(own: C, machine: FileConfig): C {
  return {
    ...own,
    get: (key: string) => own.get(key) ?? (FALLBACK.has(key.toLowerCase()) ? machine.get(key) : undefined),
  };
}
