/** Every way in which a signature can stay unverified. The codes are API. */
export type PushCertificatesErrorCode =
  /** The signature is not what its first line says. */
  | "push-certificates/malformed"
  /** Nobody has said whom to trust for signatures of its kind, or its algorithm is not known here. */
  | "push-certificates/unsupported"
  /** The signature is longer than `maxSignatureBytes`. */
  | "push-certificates/too-large"
  /** What says whom to trust cannot be read. */
  | "push-certificates/bad-trust"
  /** A program did not start, took too long, or said too much. */
  | "push-certificates/program-failed";

/** A signature could not be verified. Towards hooks its status is `E`; the message is for the operator. */
export class PushCertificatesError extends Error {
  override readonly name = "PushCertificatesError";
  readonly code: PushCertificatesErrorCode;

  constructor(code: PushCertificatesErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
