/** What one git:// server grants its clients. Times are in milliseconds. */
export interface TcpLimits {
  /** The whole request line must have come by then. */
  readonly initTimeoutMs: number;
  /** A fetching client may stay silent that long while the service waits for it. */
  readonly readIdleTimeoutMs: number;
  /** The same for a pushing client: it may count and compress for minutes before its pack starts. */
  readonly receivePackIdleTimeoutMs: number;
  /** A client may leave one chunk unread that long. */
  readonly writeIdleTimeoutMs: number;
  /** At the same time; one more is told so and closed. */
  readonly maxConnections: number;
  /** Payload of the first packet. Unit: bytes. */
  readonly maxRequestLineBytes: number;
  /** After the answer: how long to wait for the client to hang up first. */
  readonly lingerTimeoutMs: number;
  /** After the answer: how much more to read and forget. Unit: bytes. */
  readonly maxLingerBytes: number;
}

/** The limits of a server that is given none. */
export const DEFAULT_TCP_LIMITS: TcpLimits = {
  initTimeoutMs: 10_000,
  readIdleTimeoutMs: 60_000,
  receivePackIdleTimeoutMs: 600_000,
  writeIdleTimeoutMs: 120_000,
  maxConnections: 256,
  maxRequestLineBytes: 8192,
  lingerTimeoutMs: 2000,
  maxLingerBytes: 16 * 1024 * 1024,
};
