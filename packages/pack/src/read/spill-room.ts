import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";

/** Bytes set aside where they take no memory: appended first, then read. */
export interface Spill extends ByteSource {
  /** `bytes` is a view that holds during the call. */
  append(bytes: Uint8Array): void;
  /** Gives its room back; harmless a second time. */
  discard(): void;
}

/** Where bytes are set aside. A storage has one on files; synchronous: packs are taken in in worker threads. */
export interface SpillStore {
  create(): Spill;
}

/** Objects up to this are held in memory while deltas are applied to them. Unit: bytes. */
const DEFAULT_ABOVE = 8 * 1024 * 1024;

/** What bounds a {@link SpillRoom}. */
export interface SpillRoomOptions {
  /** All that is set aside at a time; no bound when not given. Unit: bytes. */
  readonly maxBytes?: number | undefined;
  /** Objects above this are set aside, others are held in memory; 8 MiB when not given. Unit: bytes. */
  readonly above?: number | undefined;
}

/** Sets aside what is too large to be held in memory while one pack is taken in, and counts it. */
export class SpillRoom implements SpillStore {
  /** Unit: bytes. */
  readonly above: number;
  readonly #store: SpillStore;
  readonly #maxBytes: number;
  readonly #live: Set<Spill> = new Set();
  #bytes = 0;
  /** Gives something back that can be made again, if there is anything. */
  reclaim: (() => boolean) | undefined;

  constructor(store: SpillStore, options: SpillRoomOptions = {}) {
    this.#store = store;
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    this.above = options.above ?? DEFAULT_ABOVE;
  }

  /** What is set aside now. Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws PackError `pack/limit-exceeded`, when appending; what the store says */
  create(): Spill {
    const spill = this.#store.create();
    const metered: Spill = {
      get size() {
        return spill.size;
      },
      append: (bytes) => {
        this.#take(bytes.length);
        spill.append(bytes);
      },
      read: (offset, into) => spill.read(offset, into),
      discard: () => {
        if (!this.#live.delete(metered)) return;
        this.#bytes -= spill.size;
        spill.discard();
      },
    };
    this.#live.add(metered);
    return metered;
  }

  #take(bytes: number): void {
    while (this.#bytes + bytes > this.#maxBytes)
      if (this.reclaim?.() !== true)
        throw new PackError(
          "pack/limit-exceeded",
          `large delta bases take up more room than receive.maxSpillBytes (${this.#maxBytes} bytes)`,
        );
    this.#bytes += bytes;
  }

  /** Discards all that is still there. */
  close(): void {
    for (const spill of [...this.#live]) spill.discard();
  }
}
