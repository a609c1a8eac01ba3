/** @packageDocumentation Who signed a push: verifies push certificates for @x/server-core. */
export { PushCertificatesError, type PushCertificatesErrorCode } from "./errors.ts";
export { DEFAULT_PUSH_VERIFIER_LIMITS, type PushVerifierLimits } from "./limits.ts";
export type { OpenPgpTrust } from "./openpgp/verify-openpgp.ts";
export type { GpgProgram } from "./program/gpg.ts";
export { parseTrustLevel, type TrustLevel } from "./program/gpg-status.ts";
export type { ProgramSettings } from "./program/run-program.ts";
export type { SshProgram } from "./program/ssh-keygen.ts";
export { createPushVerifier, type PushVerifier, type PushVerifierOptions } from "./push-verifier.ts";
export { requireSignedPush, type SignedPushRules } from "./require-signed-push.ts";
export type { SshTrust } from "./ssh/verify-ssh.ts";
export type { TrustSource } from "./trust-source.ts";
