/** Every way a Git service can end early. The codes are API. */
export type ServiceErrorCode =
  /** No repository that this caller may know of: absent and forbidden look alike. */
  | "server-core/repository-not-found"
  /** The caller has to say who it is, or somebody else. */
  | "server-core/unauthenticated"
  /** The caller may know of the repository, yet not do this. */
  | "server-core/forbidden"
  /** The caller has failed to say who it is too often. */
  | "server-core/throttled"
  /** Too much is being done already; nothing was looked at in vain. */
  | "server-core/busy"
  /** The service is switched off here. */
  | "server-core/service-disabled"
  /** The repository is there but cannot be served, for example for an unknown extension. */
  | "server-core/repository-unusable"
  /** The peer broke the protocol. */
  | "server-core/protocol"
  /** The peer asked for what it may not have, or what does not exist. */
  | "server-core/refused"
  /** A limit was reached; the message names it. */
  | "server-core/limit-exceeded"
  /** The peer went away, or the server is closing. */
  | "server-core/aborted"
  /** The store failed, or a fault of ours. */
  | "server-core/internal";

/**
 * How a service ended early. Thrown out of the service's iteration. While `reported` is false the peer has not been
 * told and the transport words the answer (a status, an ERR packet, a line on stderr); once it is true, the answer
 * is already among the bytes, and the transport only has to end the stream. It is true whenever anything was sent.
 */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ServiceErrorCode;
  readonly reported: boolean;
  /** When it may be worth while to try again, if that is known. Unit: milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ServiceErrorCode,
    message: string,
    options: {
      readonly reported?: boolean;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.reported = options.reported ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
