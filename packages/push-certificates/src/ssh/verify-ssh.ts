import type { VerifyPush } from "@x/server-core";
import { PushCertificatesError } from "../errors.ts";
import type { PushVerifierLimits } from "../limits.ts";
import { TrustReader, type TrustSource } from "../trust-source.ts";
import { parseAllowedSigners, standingOf } from "./allowed-signers.ts";
import { fingerprint, isSignedBy } from "./public-key.ts";
import { parseRevokedKeys } from "./revoked-keys.ts";
import { parseSshSignature, signedBytes } from "./ssh-signature.ts";

/** Whose OpenSSH keys count. */
export interface SshTrust {
  /** Spec: ssh-keygen(1), "ALLOWED SIGNERS"; git-config, `gpg.ssh.allowedSignersFile`. */
  readonly allowedSigners: TrustSource;
  /** Public keys one on each line, or a binary list (KRL). Spec: git-config, `gpg.ssh.revocationFile`. */
  readonly revokedKeys?: TrustSource | undefined;
}

/** What verifies, and can say beforehand whether it could. */
export interface Verifier {
  readonly verify: VerifyPush;
  /** @throws PushCertificatesError `push-certificates/bad-trust` */
  readonly check: () => Promise<void>;
}

/** What git has signatures of OpenSSH made for, whatever they are under. */
export const NAMESPACE = "git";

/** Verifies signatures of OpenSSH without a program. */
export function createSshVerifier(
  trust: SshTrust,
  { limits, now }: { readonly limits: PushVerifierLimits; readonly now: () => number },
): Verifier {
  const options = { maxBytes: limits.maxTrustBytes };
  const allowed = new TrustReader(trust.allowedSigners, parseAllowedSigners, options);
  const { revokedKeys } = trust;
  const revoked =
    revokedKeys === undefined ? undefined : new TrustReader(revokedKeys, parseRevokedKeys, options);
  return {
    async check() {
      await allowed.check();
      await revoked?.check();
    },
    async verify(payload, armour, { repository }) {
      // First of all: where nobody can be trusted, nothing is good.
      const signers = await allowed.read(repository);
      const isRevoked = await revoked?.read(repository);
      const publicKey = keyOf(payload, armour);
      if (publicKey === undefined || isRevoked?.(publicKey)) return BAD;
      const key = fingerprint(publicKey);
      const standing = standingOf(signers, publicKey, { namespace: NAMESPACE, now: now() });
      if (standing.kind === "elsewhere") return BAD;
      if (standing.kind === "unknown") return { status: "U", signer: undefined, key };
      return { status: "G", signer: standing.principal, key };
    },
  };
}

/** Git names no key then: what a bad signature says of its maker is nothing to go by. */
const BAD = { status: "B", signer: undefined, key: undefined };

/** The key that has signed; `undefined` when none has. */
function keyOf(payload: Uint8Array, armour: Uint8Array): Uint8Array | undefined {
  try {
    const signature = parseSshSignature(armour);
    if (signature.namespace !== NAMESPACE) return undefined;
    const { publicKey } = signature;
    return isSignedBy(publicKey, signature.signature, signedBytes(signature, payload))
      ? publicKey
      : undefined;
  } catch (error) {
    if (error instanceof PushCertificatesError && error.code === "push-certificates/malformed")
      return undefined;
    throw error;
  }
}
