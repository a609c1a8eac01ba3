/** Every way `@x/transport-tcp` can fail. The codes are API. */
export type TransportTcpErrorCode =
  /** A request line that is not one. */
  | "transport-tcp/bad-request-line"
  /** A request line above the limit. */
  | "transport-tcp/request-line-too-long"
  /** The peer did not send, or did not read, in time; the message says which. */
  | "transport-tcp/timeout"
  /** The peer went away. */
  | "transport-tcp/gone"
  /** One connection more than the limit. */
  | "transport-tcp/too-many-connections"
  /** The access hook said no; the message is its reason. */
  | "transport-tcp/refused"
  /** The server is ending. */
  | "transport-tcp/closing";

/** A connection that ends before its service does, or a request that never became one. */
export class TransportTcpError extends Error {
  override readonly name = "TransportTcpError";
  readonly code: TransportTcpErrorCode;

  constructor(code: TransportTcpErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
