import type { CreateHasher } from "@x/objects";
import { PackError } from "../errors.ts";
import { BitmapIndex } from "../format/bitmap-index.ts";
import type { ByteSource } from "../format/byte-source.ts";
import type { PackIndex } from "../format/pack-index.ts";

/** The bitmap file that may lie beside a pack. */
export interface BitmapFile {
  /** Opens the file there is now; `undefined` when there is none, or it is the one named by `butNot`. */
  open(butNot: string | undefined): { readonly source: ByteSource; readonly name: string } | undefined;
  readonly createHasher: CreateHasher;
  /** Hears of what is broken but can be done without. */
  warn(message: string): void;
}

/** The bitmaps of a pack: opened when they are first asked for, and given up when they turn out broken. */
export class PackBitmaps {
  readonly #file: BitmapFile;
  readonly #index: PackIndex;
  #opened: BitmapIndex | undefined;
  #name: string | undefined;

  constructor(file: BitmapFile, index: PackIndex) {
    this.#file = file;
    this.#index = index;
  }

  /** `undefined` when there are none that can be used. Looks again each time: repacking may add them. */
  open(): BitmapIndex | undefined {
    if (this.#opened !== undefined) return this.#opened;
    const found = this.#file.open(this.#name);
    if (found === undefined) return undefined;
    this.#name = found.name;
    return this.orGiveUp(() => {
      this.#opened = new BitmapIndex(found.source, this.#index, this.#file.createHasher);
      return this.#opened;
    });
  }

  /** What `read` gives; `undefined` when the bitmaps are broken. Then they are not used any more until there are others. */
  orGiveUp<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#opened = undefined;
      const reason = error instanceof PackError ? error.message : `reading them failed: ${error}`;
      this.#file.warn(`passed over: ${reason}`);
      return undefined;
    }
  }
}
