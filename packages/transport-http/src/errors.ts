/** Every way `@x/transport-http` can fail. The codes are API. */
export type TransportHttpErrorCode =
  /** The request body cannot be read as its headers say. */
  | "transport-http/bad-body"
  /** The request body exceeds a limit; the message names it. */
  | "transport-http/body-too-large"
  /** The client did not send, or did not read, in time; the message says which. */
  | "transport-http/timeout"
  /** The client went away. */
  | "transport-http/gone";

/** What is wrong with a request body, thrown to the service that reads it. */
export class TransportHttpError extends Error {
  override readonly name = "TransportHttpError";
  readonly code: TransportHttpErrorCode;

  constructor(code: TransportHttpErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
