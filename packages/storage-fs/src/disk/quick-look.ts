import { type BigIntStats, statSync } from "node:fs";

/** So long after a look the system still has what was looked at in its memory. Unit: milliseconds. */
const FRESH_MS = 10_000;
/** A look that takes longer was at a slow disk, or at a network. Unit: milliseconds. */
const SLOW_MS = 10;
/**
 * For so many times as long as a slow one took, looks are left to other threads: a hundredth of the time is lost at most. On
 * a busy machine one in a while is slow that waited for nothing but its turn.
 */
const PAUSE_TIMES = 100;

/**
 * Where a disk is asked about the few small files of one repository. What another thread has to do costs many times
 * what the system takes for a file that it has in memory; what it has not may hold up everybody. So the first look,
 * and those at a disk that was slow, are left to another thread, and those that follow soon are done at once.
 */
export class QuickLook {
  readonly #now: () => number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #slowUntil = Number.NEGATIVE_INFINITY;

  /** @param now gives milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the next look may be done in this thread. */
  get isFresh(): boolean {
    const now = this.#now();
    return now >= this.#slowUntil && now - this.#lookedAt < FRESH_MS;
  }

  /** Looks by one way or the other. Both have to come to the same. */
  look<T>(here: () => T | Promise<T>, elsewhere: () => Promise<T>): T | Promise<T> {
    if (!this.isFresh)
      return elsewhere().finally(() => {
        this.#lookedAt = this.#now();
      });
    const started = this.#now();
    try {
      return here();
    } finally {
      this.#lookedAt = this.#now();
      const took = this.#lookedAt - started;
      if (took > SLOW_MS) this.#slowUntil = this.#lookedAt + took * PAUSE_TIMES;
    }
  }
}

/** What the system says of a path at once; `undefined` when it says nothing good. */
export function statHere(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
