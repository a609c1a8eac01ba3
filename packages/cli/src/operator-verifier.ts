import { resolve } from "node:path";
import {
  createPushVerifier,
  type GpgProgram,
  type PushVerifier,
  type PushVerifierOptions,
  parseTrustLevel,
  type TrustLevel,
} from "@x/push-certificates";
import type { RepositoryConfig } from "@x/server-core";
import type { FileConfig } from "@x/storage-fs";

/** Where git's own settings for signatures come from. */
export interface SignatureSettings {
  /** They name lists of keys. */
  readonly lists: Pick<RepositoryConfig, "get">;
  /** They name programs: no repository can make them. */
  readonly programs: FileConfig;
  /** What paths are relative to. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Verifies what is pushed into one repository as git does: with gpg and gpgsm, wherever they are. */
export function operatorVerifier(settings: SignatureSettings): PushVerifier {
  const { openpgp, x509, ...rest } = verifierOptions(settings);
  return createPushVerifier({
    ...rest,
    openpgp: openpgp ?? { program: "gpg" },
    x509: x509 ?? { program: "gpgsm" },
  });
}

/**
 * What git's settings say of signatures, programs only when they are named.
 * Spec: git-config, `gpg.program`, `gpg.<format>.program`, `gpg.ssh.allowedSignersFile`, `gpg.ssh.revocationFile`
 */
export function verifierOptions(
  { lists, programs, directory, env }: SignatureSettings,
  { minTrustLevel }: { readonly minTrustLevel?: TrustLevel | undefined } = {},
): PushVerifierOptions {
  const pathOf = (value: string | undefined) =>
    value && resolve(directory, expandHome(utf8(value), env.HOME));
  const allowedSigners = pathOf(lists.get("gpg.ssh.allowedSignersFile"));
  const revokedKeys = pathOf(lists.get("gpg.ssh.revocationFile"));
  const sshProgram = programOf(programs, ["gpg.ssh.program"], env.HOME);
  const trust = { allowedSigners, revokedKeys };
  const gpg = programOf(programs, ["gpg.program", "gpg.openpgp.program"], env.HOME);
  const gpgsm = programOf(programs, ["gpg.x509.program"], env.HOME);
  const asked = (program: string | undefined): GpgProgram | undefined =>
    program === undefined ? undefined : { program, minTrustLevel };
  return {
    ssh: allowedSigners
      ? { ...trust, allowedSigners, ...(sshProgram !== undefined && { program: sshProgram }) }
      : undefined,
    openpgp: asked(gpg),
    x509: asked(gpgsm),
    environment: env,
  };
}

/** `gpg.minTrustLevel`; `undefined` when there is none, or it makes no sense. */
export function trustLevelOf(config: FileConfig): TrustLevel | undefined {
  return parseTrustLevel(config.get("gpg.minTrustLevel") ?? "");
}

/** The last of the settings counts, whichever of the keys it has. */
function programOf(
  config: FileConfig,
  keys: readonly string[],
  home: string | undefined,
): string | undefined {
  const last = [...config.entries("gpg.")].findLast(({ key }) => keys.includes(key));
  return last?.value ? expandHome(utf8(last.value), home) : undefined;
}

function expandHome(path: string, home: string | undefined): string {
  return home === undefined ? path : path.replace(/^~(?=\/|$)/, home);
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
