import { ObjectsError } from "@x/objects";
import type { Pace } from "@x/pack";

/** Work does not hold the thread for longer than this at a time. Unit: milliseconds. */
const SLICE_MS = 15;

interface TimeLimit {
  /** For the message. */
  readonly name: string;
  /** May grow meanwhile. */
  readonly maxMs: () => number;
}

/** Work that shares the thread with everything else: it stops now and then to let others run, or to stop for good. */
export class SharedThread implements Pace {
  readonly #signal: AbortSignal | undefined;
  #limit: TimeLimit | undefined;
  #sliceStart = performance.now();
  #usedMs = 0;

  /** @param limit time that others have does not count */
  constructor(signal?: AbortSignal, limit?: { readonly name: string; readonly maxMs: number }) {
    this.#signal = signal;
    if (limit !== undefined) this.limit(limit.name, () => limit.maxMs);
    signal?.throwIfAborted();
  }

  limit(name: string, maxMs: (() => number) | undefined): void {
    this.#limit = maxMs && { name, maxMs };
  }

  /** @throws ObjectsError `objects/limit-exceeded`; the reason of the signal */
  async breathe(): Promise<void> {
    if (performance.now() - this.#sliceStart < SLICE_MS) return;
    this.pause();
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 0);
    });
    this.#signal?.throwIfAborted();
    this.resume();
  }

  /** From here on it is somebody else's time. @throws ObjectsError `objects/limit-exceeded` */
  pause(): void {
    this.#usedMs += performance.now() - this.#sliceStart;
    this.#sliceStart = performance.now();
    const maxMs = this.#limit?.maxMs();
    if (maxMs === undefined || this.#usedMs <= maxMs) return;
    throw new ObjectsError(
      "objects/limit-exceeded",
      `the request takes more time than ${this.#limit?.name} (${Math.round(maxMs)} ms)`,
    );
  }

  resume(): void {
    this.#sliceStart = performance.now();
  }

  /** Runs a walk to its end, letting others have the thread now and then. */
  async run<T>(walk: Generator<unknown, T>): Promise<T> {
    for (;;) {
      const step = walk.next();
      if (step.done) return step.value;
      await this.breathe();
    }
  }
}
