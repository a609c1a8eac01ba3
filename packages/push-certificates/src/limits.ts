/** What verifying one signature may cost. */
export interface PushVerifierLimits {
  /** A signature in its armour. Unit: bytes. */
  readonly maxSignatureBytes: number;
  /** Allowed signers, revoked keys, or a ring of OpenPGP keys. Unit: bytes. */
  readonly maxTrustBytes: number;
  /** One run of gpg, gpgsm or ssh-keygen. Unit: milliseconds. */
  readonly programTimeoutMs: number;
  /** What such a program may print, on each of its outputs. Unit: bytes. */
  readonly maxProgramOutputBytes: number;
}

/** What holds where nothing else is said. */
export const DEFAULT_PUSH_VERIFIER_LIMITS: PushVerifierLimits = Object.freeze({
  maxSignatureBytes: 64 * 1024,
  maxTrustBytes: 16 * 1024 * 1024,
  programTimeoutMs: 30_000,
  maxProgramOutputBytes: 64 * 1024,
});
