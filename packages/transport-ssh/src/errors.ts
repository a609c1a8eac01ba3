/** Every way `@x/transport-ssh` can fail. The codes are API. */
export type TransportSshErrorCode =
  /** Not one of Git's three commands, or not as git writes them. */
  | "transport-ssh/bad-command"
  /** A host key that cannot be used; the message says why. */
  | "transport-ssh/bad-host-key"
  /** A list of keys that cannot be read. */
  | "transport-ssh/bad-authorized-keys"
  /** The client did not log in, send or read in time; the message says which. */
  | "transport-ssh/timeout"
  /** The client went away. */
  | "transport-ssh/gone"
  /** The client broke the protocol of SSH, or a rule of ours. */
  | "transport-ssh/protocol"
  /** Nobody we know. */
  | "transport-ssh/unauthenticated"
  /** One connection more than the limit. */
  | "transport-ssh/too-many-connections"
  /** The server is ending. */
  | "transport-ssh/closing";

/** A connection that ends before its service does, a request that never became one, or a key that is no good. */
export class TransportSshError extends Error {
  override readonly name = "TransportSshError";
  readonly code: TransportSshErrorCode;

  constructor(code: TransportSshErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
