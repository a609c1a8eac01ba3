import type { ObjectId } from "@x/objects";

/** What the answers to one store's requests may take. Unit: bytes. */
const MAX_BYTES = 8 * 1024 * 1024;

/** What an answer takes beside its numbers. Unit: bytes. */
const OVERHEAD_BYTES = 256;

/** The objects that a request was answered with. */
export interface RememberedAnswer {
  /** Those in packs: their numbers in ascending order, or a bit for each object of the packs. */
  readonly packed: Int32Array | Uint8Array;
  /** How many are in packs. */
  readonly packedCount: number;
  /** Those in no pack, which have other numbers each time. */
  readonly loose: readonly ObjectId[];
}

/**
 * Answers by what was asked for, the latest used ones. What some tips reach never changes, so they hold as long as the
 * numbers do: as long as the packs are the same.
 */
export class AnswerMemory {
  readonly #answers: Map<string, RememberedAnswer> = new Map();
  readonly #sought: Map<string, Promise<void>> = new Map();
  #bytes = 0;

  /** Settles when an answer that is looked for just now is known, or given up; `undefined` when nobody looks for it. */
  sought(key: string): Promise<void> | undefined {
    return this.#sought.get(key);
  }

  /** Begins to look for an answer. @returns ends that, to be called in any case */
  seek(key: string): () => void {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#sought.set(key, ended);
    return () => {
      if (this.#sought.get(key) === ended) this.#sought.delete(key);
      end();
    };
  }

  get(key: string): RememberedAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, answer); // the latest last
    return answer;
  }

  set(key: string, answer: RememberedAnswer): void {
    this.#drop(key);
    this.#answers.set(key, answer);
    this.#bytes += sizeOf(key, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#bytes -= sizeOf(key, answer);
  }
}

function sizeOf(key: string, { packed, loose }: RememberedAnswer): number {
  return packed.byteLength + loose.length * OVERHEAD_BYTES + key.length + OVERHEAD_BYTES;
}
