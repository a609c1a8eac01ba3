/** Every way `@x/pktline` can fail. The codes are API. */
export type PktLineErrorCode =
  /** Four bytes that are no length, or a length that no packet has. */
  | "pktline/bad-length"
  /** A packet above 65520 bytes, or a section above the caller's limit. */
  | "pktline/too-long"
  /** The input ended inside a packet. */
  | "pktline/truncated"
  /** A side-band packet without a band, or with one that does not exist. */
  | "pktline/bad-band";

/** The peer's bytes are not pkt-lines. There is no resynchronising: drop the connection. */
export class PktLineError extends Error {
  override readonly name = "PktLineError";
  readonly code: PktLineErrorCode;
  /** Where the bad packet starts, counted from the first byte fed. Unit: bytes. */
  readonly offset: number | undefined;

  constructor(
    code: PktLineErrorCode,
    message: string,
    options: { readonly offset?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.offset = options.offset;
  }
}
