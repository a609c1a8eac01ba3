/** What trying to get in may cost. Times are in milliseconds. */
export interface AccessLimits {
  /** Failures of one address (of IPv6, of one /64) within `failureWindowMs`; then it is not listened to. */
  readonly maxFailuresPerAddress: number;
  /** Failures to be one user, from all addresses together. */
  readonly maxFailuresPerUser: number;
  /** How long a failure counts, and how long nobody listens after too many. */
  readonly failureWindowMs: number;
  /** How long the answer to a failure takes at least. */
  readonly failureDelayMs: number;
  /** Addresses and users whose failures are counted; of more, those who have failed the longest ago are forgotten. */
  readonly maxTrackedFailures: number;
  /** Passwords that wait to be checked; one more is told to come back. */
  readonly maxPendingChecks: number;
  /** A password is longer than that: it is none. Unit: bytes. */
  readonly maxPasswordBytes: number;
  /** How long a checked password is believed without a check, from the same address. */
  readonly verifiedMs: number;
  /** How many of them are. */
  readonly maxVerified: number;
  /** How often the files are looked at, for changes. */
  readonly reloadMs: number;
  /** A users file, an access file. Unit: bytes. */
  readonly maxFileBytes: number;
}

/** The limits where no others are given. */
export const DEFAULT_ACCESS_LIMITS: AccessLimits = {
  maxFailuresPerAddress: 20,
  maxFailuresPerUser: 60,
  failureWindowMs: 5 * 60 * 1000,
  failureDelayMs: 500,
  maxTrackedFailures: 10_000,
  maxPendingChecks: 64,
  maxPasswordBytes: 1024,
  verifiedMs: 5 * 60 * 1000,
  maxVerified: 4096,
  reloadMs: 1000,
  maxFileBytes: 16 * 1024 * 1024,
};
