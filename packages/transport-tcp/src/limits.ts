/** What one git:// server grants its clients. Times are in milliseconds, at most 2^31 - 1. */
export interface TcpLimits {
  /** The whole request line must have come by then. */
  readonly initTimeoutMs: number;
  /** A fetching client may stay silent that long while the service waits for it. */
  readonly readIdleTimeoutMs: number;
  /** The same for a pushing client: it may count and compress for minutes before its pack starts. */
  readonly receivePackIdleTimeoutMs: number;
  /** A client may leave one chunk unread that long. */
  readonly writeIdleTimeoutMs: number;
  /**
   * Waiting for a client may take that long in all, and another second for each `minBytesPerSecond` that came: who
   * sends a byte now and then is not idle, but holds a connection all the same.
   */
  readonly slowGraceMs: number;
  /** The same for a pushing client. */
  readonly receivePackSlowGraceMs: number;
  readonly minBytesPerSecond: number;
  /**
   * At the same time; `Infinity` for any number. When all are taken, a connection whose request has not come yet makes
   * room, the longest-waiting first; then, for an address that has none, the newest of the address that has most; else
   * the new one is told so and closed.
   */
  readonly maxConnections: number;
  /** At the same time from one address, or from one /64 of IPv6; all but an eighth when not given. */
  readonly maxConnectionsPerAddress?: number | undefined;
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
  slowGraceMs: 300_000,
  receivePackSlowGraceMs: 1_800_000,
  minBytesPerSecond: 1000,
  maxConnections: 256,
  maxRequestLineBytes: 8192,
  lingerTimeoutMs: 2000,
  maxLingerBytes: 16 * 1024 * 1024,
};
