/** What a repository in memory may cost. */
export interface MemoryLimits {
  /** All objects of one repository, as they are stored, those on their way in included. Unit: bytes. */
  readonly maxRepositoryBytes: number;
  /** No larger object is put together from deltas. Unit: bytes. */
  readonly maxObjectBytes: number;
  /** What one question about history may cost. Unit: milliseconds of work. */
  readonly maxWalkMs: number;
  /** What it may cost to find out whether a push is complete. Unit: milliseconds of work. */
  readonly maxCheckMs: number;
}

export const DEFAULT_MEMORY_LIMITS: MemoryLimits = Object.freeze({
  maxRepositoryBytes: 1024 * 1024 * 1024,
  maxObjectBytes: 1024 * 1024 * 1024,
  maxWalkMs: 60_000,
  maxCheckMs: 600_000,
});
