import { ServiceError } from "../errors.ts";
import type { Limits } from "../limits.ts";

/** What a {@link PackGate} goes by. */
export type PackGateLimits = Pick<
  Limits,
  "maxPacks" | "maxPacksPerRepository" | "maxQueuedPacks" | "maxPackWaitMs"
>;

/** What is told of a gate that lets nobody in. */
export interface GateWords {
  /** Who finds the line full: `too many packs are being made`. */
  readonly full: string;
  /** Who has waited too long: `no pack could be made`. */
  readonly late: string;
}

const PACK_WORDS: GateWords = { full: "too many packs are being made", late: "no pack could be made" };

/** Leave to make one pack, or the wait for it. */
export interface PackPlace {
  /** Whether leave is there. */
  readonly isIn: () => boolean;
  /**
   * Waits for leave, for at most `ms` when given. @returns whether it is there
   * @throws ServiceError `server-core/busy` when the wait was too long, or whatever the signal was aborted with
   */
  wait(ms?: number): Promise<boolean>;
  /** Gives the place to the next, whether leave came or not. Harmless a second time. */
  leave(): void;
}

interface Waiting {
  readonly repository: object;
  readonly admit: () => void;
}

/**
 * Lets so many packs be made at a time, of one repository and in all, and has the others wait in a line of bounded length.
 * Who is next is the longest-waiting whose repository is not at its own cap: one busy repository keeps nobody else waiting.
 */
export class PackGate {
  readonly #limits: PackGateLimits;
  readonly #words: GateWords;
  readonly #waiting = new Set<Waiting>();
  readonly #running = new Map<object, number>();
  #total = 0;

  constructor(limits: PackGateLimits, words: GateWords = PACK_WORDS) {
    this.#limits = limits;
    this.#words = words;
  }

  /**
   * @param repository whatever stands for it, by identity
   * @throws ServiceError `server-core/busy` when the line is full
   */
  enter(repository: object, signal: AbortSignal): PackPlace {
    if (this.#hasRoomFor(repository)) {
      const leave = this.#take(repository);
      return { isIn: () => true, wait: async () => true, leave };
    }
    const { maxQueuedPacks, maxPackWaitMs } = this.#limits;
    if (this.#waiting.size >= maxQueuedPacks)
      throw busy(`${this.#words.full}, and ${maxQueuedPacks} wait`, maxPackWaitMs);
    return this.#queue(repository, signal);
  }

  #queue(repository: object, signal: AbortSignal): PackPlace {
    const { maxPackWaitMs } = this.#limits;
    let leave: (() => void) | undefined;
    let fault: unknown;
    let wake: () => void = () => {};
    const stop = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#waiting.delete(waiting);
      wake();
    };
    const fail = (error: unknown) => {
      fault = error;
      stop();
    };
    const onAbort = () => fail(signal.reason);
    const timer = setTimeout(
      () => fail(busy(`${this.#words.late} for ${Math.ceil(maxPackWaitMs / 1000)} seconds`, maxPackWaitMs)),
      maxPackWaitMs,
    );
    const waiting: Waiting = {
      repository,
      admit: () => {
        leave = this.#take(repository);
        stop();
      },
    };
    this.#waiting.add(waiting);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    return {
      isIn: () => leave !== undefined,
      async wait(ms) {
        if (leave === undefined && fault === undefined) {
          let late: ReturnType<typeof setTimeout> | undefined;
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (ms !== undefined) late = setTimeout(resolve, ms);
          });
          clearTimeout(late);
        }
        if (fault !== undefined) throw fault;
        return leave !== undefined;
      },
      leave() {
        stop();
        leave?.();
      },
    };
  }

  #hasRoomFor(repository: object): boolean {
    const { maxPacks, maxPacksPerRepository } = this.#limits;
    return this.#total < maxPacks && (this.#running.get(repository) ?? 0) < maxPacksPerRepository;
  }

  #take(repository: object): () => void {
    this.#total++;
    this.#running.set(repository, (this.#running.get(repository) ?? 0) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#total--;
      const rest = (this.#running.get(repository) ?? 1) - 1;
      if (rest > 0) this.#running.set(repository, rest);
      else this.#running.delete(repository);
      this.#admitNext();
    };
  }

  #admitNext(): void {
    for (const waiting of this.#waiting) {
      if (this.#total >= this.#limits.maxPacks) return;
      if (this.#hasRoomFor(waiting.repository)) waiting.admit();
    }
  }
}

function busy(message: string, retryAfterMs: number): ServiceError {
  return new ServiceError("server-core/busy", `the server is busy: ${message}; try again later`, {
    retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_MS),
  });
}

/** Who is turned away comes back within that. Unit: milliseconds. */
const MAX_RETRY_MS = 30_000;
