import type { Spill, SpillStore } from "../src/index.ts";
import { MemoryPack } from "./take-in.ts";

/** A {@link SpillStore} in memory that knows what there is, and can fail. */
export class MemorySpills implements SpillStore {
  created = 0;
  /** Not discarded yet. */
  live = 0;
  /** What was there at a time, at most. Unit: bytes. */
  mostBytes = 0;
  mostLive = 0;
  #bytes = 0;
  readonly #room: number;

  /** @param room for so many bytes at a time; beyond that, appending fails */
  constructor(room: number = Number.POSITIVE_INFINITY) {
    this.#room = room;
  }

  create(): Spill {
    const memory = new MemoryPack();
    let isLive = true;
    this.created++;
    this.mostLive = Math.max(this.mostLive, ++this.live);
    const check = (): void => {
      if (!isLive) throw new RangeError("a spill is used that was discarded");
    };
    return {
      get size() {
        return memory.size;
      },
      append: (bytes) => {
        check();
        this.#bytes += bytes.length;
        this.mostBytes = Math.max(this.mostBytes, this.#bytes);
        if (this.#bytes > this.#room) throw new Error("no space left");
        memory.append(bytes);
      },
      read: (offset, into) => {
        check();
        return memory.read(offset, into);
      },
      discard: () => {
        check();
        isLive = false;
        this.live--;
        this.#bytes -= memory.size;
      },
    };
  }
}
