/** What one SSH server grants its clients. Times are in milliseconds. */
export interface SshLimits {
  /** Versions and keys must have been exchanged by then. */
  readonly handshakeTimeoutMs: number;
  /** The client must have logged in by then; somebody may have to type a passphrase first. */
  readonly authTimeoutMs: number;
  /** Keys that one connection may try, those included that it only asks about. */
  readonly maxAuthAttempts: number;
  /** At the same time; one more is told so and closed. */
  readonly maxConnections: number;
  /** The same from one address (of IPv6, from one /64). */
  readonly maxConnectionsPerAddress: number;
  /** The same that have not logged in. */
  readonly maxUnauthenticated: number;
  /** The same of one address: nobody alone can keep the others from logging in. */
  readonly maxUnauthenticatedPerAddress: number;
  /** Commands that run at the same time over one connection. */
  readonly maxSessions: number;
  /** A connection without a command stays open that long. */
  readonly idleTimeoutMs: number;
  /** A fetching client may stay silent that long while the service waits for it. */
  readonly readIdleTimeoutMs: number;
  /** The same for a pushing client: it may count and compress for minutes before its pack starts. */
  readonly receivePackIdleTimeoutMs: number;
  /**
   * Waiting for a client may take that long in all, and another second for each `minBytesPerSecond` that came: who
   * sends a byte now and then is not idle, but holds a channel all the same.
   */
  readonly slowGraceMs: number;
  /** The same for a pushing client. */
  readonly receivePackSlowGraceMs: number;
  readonly minBytesPerSecond: number;
  /** A client may leave what it was sent unread that long. */
  readonly writeIdleTimeoutMs: number;
  /** What is queued for one client that does not read. Unit: bytes. */
  readonly maxQueuedBytes: number;
  /** A client that is silent for this long is asked whether it lives; after three silent answers it is dropped. */
  readonly keepaliveMs: number;
}

/** The limits of a server that is given none. */
export const DEFAULT_SSH_LIMITS: SshLimits = {
  handshakeTimeoutMs: 10_000,
  authTimeoutMs: 120_000,
  maxAuthAttempts: 10,
  maxConnections: 256,
  maxConnectionsPerAddress: 128,
  maxUnauthenticated: 64,
  maxUnauthenticatedPerAddress: 16,
  maxSessions: 10,
  idleTimeoutMs: 120_000,
  readIdleTimeoutMs: 60_000,
  receivePackIdleTimeoutMs: 600_000,
  slowGraceMs: 300_000,
  receivePackSlowGraceMs: 1_800_000,
  minBytesPerSecond: 1000,
  writeIdleTimeoutMs: 120_000,
  maxQueuedBytes: 1024 * 1024,
  keepaliveMs: 30_000,
};
