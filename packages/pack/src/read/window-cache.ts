import type { ByteSource } from "../format/byte-source.ts";

const WINDOW_BYTES = 64 * 1024;

/**
 * A look at one stretch of a {@link ByteSource} at a time, through windows of 64 KiB that are kept while there is
 * room. Small neighbouring entries then cost one read between them.
 */
export class WindowCache {
  readonly #source: ByteSource;
  readonly #maxWindows: number;
  readonly #windows: Map<number, Uint8Array> = new Map();
  #latest: Uint8Array = new Uint8Array(0);
  #latestNumber = -1;

  /** @param maxWindows windows kept, of 64 KiB each */
  constructor(source: ByteSource, maxWindows: number) {
    this.#source = source;
    this.#maxWindows = maxWindows;
  }

  /**
   * The bytes from `offset` on: at least `size` of them where the source has as many, often more. A view that holds
   * until the next one is asked for.
   */
  view(offset: number, size: number): Uint8Array {
    const number = Math.floor(offset / WINDOW_BYTES);
    const within = offset - number * WINDOW_BYTES;
    if (within + size > WINDOW_BYTES) return this.#readApart(offset, size);
    const window = number === this.#latestNumber ? this.#latest : this.#window(number);
    return window.subarray(within);
  }

  #window(number: number): Uint8Array {
    let window = this.#windows.get(number);
    if (window === undefined) {
      window = this.#spare(number * WINDOW_BYTES);
      this.#latestNumber = -1; // its memory may be the one that is read into, and reading may fail
      const read = this.#source.read(number * WINDOW_BYTES, window);
      if (read < WINDOW_BYTES) window = window.subarray(0, read);
    } else this.#windows.delete(number);
    this.#windows.set(number, window);
    this.#latest = window;
    this.#latestNumber = number;
    return window;
  }

  /** Memory for a window: that of the oldest one when there are enough. */
  #spare(offset: number): Uint8Array {
    // There are many small packs.
    const bytes = Math.max(0, Math.min(WINDOW_BYTES, this.#source.size - offset));
    if (this.#windows.size < this.#maxWindows) return new Uint8Array(bytes);
    const [oldest, window] = this.#windows.entries().next().value as [number, Uint8Array];
    this.#windows.delete(oldest);
    return window.length === WINDOW_BYTES ? window : new Uint8Array(WINDOW_BYTES);
  }

  #readApart(offset: number, size: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(size, this.#source.size - offset)));
    return bytes.subarray(0, this.#source.read(offset, bytes));
  }
}
