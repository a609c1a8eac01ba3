/** Every way `@x/transport-http` can fail. The codes are API. */
export type TransportHttpErrorCode =
  /** The request body cannot be read as its headers say. */
  | "transport-http/bad-body"
  /** The request body exceeds a limit; the message names it. */
  | "transport-http/body-too-large"
  /** The client did not send, or did not read, in time; the message says which. */
  | "transport-http/timeout"
  /** The client went away. */
  | "transport-http/gone"
  /** Something in front of the handler has read the request's body and left nothing of it. */
  | "transport-http/body-taken"
  /** An option that makes no sense; the message says which and why. */
  | "transport-http/bad-option";

/** What is wrong with a request's body, thrown to the service that reads it, or with how a handler is set up. */
export class TransportHttpError extends Error {
  override readonly name = "TransportHttpError";
  readonly code: TransportHttpErrorCode;

  constructor(code: TransportHttpErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
