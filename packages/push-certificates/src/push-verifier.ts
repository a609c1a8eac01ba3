import type { VerifyPush } from "@x/server-core";
import { PushCertificatesError } from "./errors.ts";
import { DEFAULT_PUSH_VERIFIER_LIMITS, type PushVerifierLimits } from "./limits.ts";
import { createOpenPgpVerifier, type OpenPgpTrust } from "./openpgp/verify-openpgp.ts";
import { createGpgVerifier, type GpgProgram } from "./program/gpg.ts";
import type { ProgramSettings } from "./program/run-program.ts";
import { createSshKeygenVerifier, type SshProgram } from "./program/ssh-keygen.ts";
import { createSshVerifier, type SshTrust, type Verifier } from "./ssh/verify-ssh.ts";

/** Whom to trust, for each kind of signature; a kind that is not given is not verified (`E`). */
export interface PushVerifierOptions {
  /** Verified here, unless there is a program. */
  readonly ssh?: SshTrust | SshProgram | undefined;
  /** Keys to verify with here, or a program. */
  readonly openpgp?: OpenPgpTrust | GpgProgram | undefined;
  readonly x509?: GpgProgram | undefined;
  /** What programs see. Default: nothing, so that they have to be named by their paths. */
  readonly environment?: ProgramSettings["environment"] | undefined;
  readonly limits?: Partial<PushVerifierLimits> | undefined;
  /** The clock that keys expire by. Default: the system's. Unit: milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** Verifies the signatures of pushes. */
export interface PushVerifier {
  /** The `verifyPush` of `createGitService`. @throws PushCertificatesError why a signature cannot be checked */
  readonly verify: VerifyPush;
  /** Reads the files that say whom to trust, to know at once if they are any good. @throws as {@link verify} */
  readonly check: () => Promise<void>;
}

/** Makes what verifies signed pushes. Files are read when they are needed, and again when they have changed. */
export function createPushVerifier(options: PushVerifierOptions): PushVerifier {
  const { ssh, openpgp, x509, environment = {}, now = Date.now } = options;
  const limits = { ...DEFAULT_PUSH_VERIFIER_LIMITS, ...options.limits };
  const settings = { environment, limits };
  const verifiers = new Map<Kind, Verifier>();
  if (ssh !== undefined)
    verifiers.set(
      "ssh",
      "program" in ssh ? createSshKeygenVerifier(ssh, settings) : createSshVerifier(ssh, { limits, now }),
    );
  if (openpgp !== undefined)
    verifiers.set(
      "openpgp",
      "program" in openpgp
        ? createGpgVerifier(openpgp, settings, ["--keyid-format=long"])
        : createOpenPgpVerifier(openpgp, { limits, now }),
    );
  if (x509 !== undefined) verifiers.set("x509", createGpgVerifier(x509, settings, []));
  return {
    async check() {
      for (const verifier of verifiers.values()) await verifier.check();
    },
    async verify(payload, signature, context) {
      if (signature.length > limits.maxSignatureBytes)
        throw new PushCertificatesError(
          "push-certificates/too-large",
          `a signature has ${signature.length} bytes, more than ${limits.maxSignatureBytes}`,
        );
      const kind = kindOf(signature);
      const verifier = kind && verifiers.get(kind);
      if (verifier === undefined)
        throw new PushCertificatesError(
          "push-certificates/unsupported",
          `nobody is trusted for signatures of the kind ${kind ?? "unknown"}`,
        );
      return verifier.verify(payload, signature, context);
    },
  };
}

type Kind = "ssh" | "openpgp" | "x509";

const ARMOURS: readonly (readonly [string, Kind])[] = [
  ["-----BEGIN SSH SIGNATURE-----", "ssh"],
  ["-----BEGIN PGP SIGNATURE-----", "openpgp"],
  ["-----BEGIN PGP MESSAGE-----", "openpgp"],
  ["-----BEGIN SIGNED MESSAGE-----", "x509"],
];

/** Spec: git-config, `gpg.format`. */
function kindOf(signature: Uint8Array): Kind | undefined {
  const start = Buffer.from(signature.subarray(0, 64)).toString("latin1");
  return ARMOURS.find(([line]) => start.startsWith(line))?.[1];
}
