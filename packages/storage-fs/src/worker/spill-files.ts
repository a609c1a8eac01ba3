import { closeSync, mkdirSync, openSync, rmdirSync, unlinkSync } from "node:fs";
import type { Spill, SpillStore } from "@x/pack";
import { readFully } from "./file-source.ts";
import { writeFully } from "./pack-file-sink.ts";

/**
 * Sets bytes aside in files of one directory. A file loses its name as soon as it is open, so that it is gone with its
 * process, however that ends.
 */
export class SpillFiles implements SpillStore {
  readonly #directory: string;
  #made: string | undefined;
  #count = 0;

  /** @param directory made when it is needed */
  constructor(directory: string) {
    this.#directory = directory;
  }

  create(): Spill {
    if (this.#count === 0) this.#made = mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const path = `${this.#directory}/tmp_spill_${this.#count++}`;
    const descriptor = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    let size = 0;
    return {
      get size() {
        return size;
      },
      append(bytes) {
        writeFully(descriptor, bytes, size);
        size += bytes.length;
      },
      read: (offset, into) => readFully(descriptor, offset, into),
      discard: () => closeSync(descriptor),
    };
  }

  /** Takes the directory away, if it was made here and nothing else came into it. */
  close(): void {
    if (this.#made === undefined) return;
    this.#made = undefined;
    try {
      rmdirSync(this.#directory);
    } catch {
      // It is of use to others by now, and is taken away with them.
    }
  }
}
