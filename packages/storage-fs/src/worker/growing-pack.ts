import type { ByteSource, PackSink } from "@x/pack";
import type { PackFileSink } from "./pack-file-sink.ts";

/** A longer pack is written to disk while it comes in. Unit: bytes. */
export const MAX_HELD_PACK_BYTES: number = 256 * 1024;

const FIRST_BYTES = 16 * 1024;

/**
 * A pack as it grows, written and read back: in memory as long as it is small. Most pushes are, and what a push is refused
 * for is mostly known before it need be on any disk.
 */
export class GrowingPack implements PackSink, ByteSource {
  readonly #makeFile: () => PackFileSink;
  #held: Buffer | undefined = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #heldBytes = 0;
  #file: PackFileSink | undefined;

  /** @param makeFile called when it grows too large to be held */
  constructor(makeFile: () => PackFileSink) {
    this.#makeFile = makeFile;
  }

  get size(): number {
    return this.#file?.size ?? this.#heldBytes;
  }

  /** All of it; `undefined` when it lies on disk. */
  get held(): Uint8Array | undefined {
    return this.#held?.subarray(0, this.#heldBytes);
  }

  /** Where it lies when it is not held. */
  get file(): PackFileSink | undefined {
    return this.#file;
  }

  append(bytes: Uint8Array): void {
    const held = this.#held;
    if (held === undefined) {
      this.#file?.append(bytes);
      return;
    }
    const end = this.#heldBytes + bytes.length;
    if (end > MAX_HELD_PACK_BYTES) {
      this.#file = this.#makeFile();
      this.#file.append(held.subarray(0, this.#heldBytes));
      this.#file.append(bytes);
      this.#held = undefined;
      return;
    }
    if (end > held.length) {
      this.#held = Buffer.allocUnsafeSlow(Math.min(Math.max(end, 4 * held.length), MAX_HELD_PACK_BYTES));
      held.copy(this.#held, 0, 0, this.#heldBytes);
    }
    this.#held?.set(bytes, this.#heldBytes);
    this.#heldBytes = end;
  }

  patch(offset: number, bytes: Uint8Array): void {
    if (this.#held === undefined) this.#file?.patch(offset, bytes);
    else this.#held.set(bytes, offset);
  }

  read(offset: number, into: Uint8Array): number {
    if (this.#held === undefined) return this.#file?.read(offset, into) ?? 0;
    return heldSource(this.#held.subarray(0, this.#heldBytes)).read(offset, into);
  }

  close(): void {
    this.#file?.close();
  }
}

/** Bytes in memory as a {@link ByteSource}. */
export function heldSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, into) {
      const piece = bytes.subarray(offset, offset + into.length);
      into.set(piece);
      return piece.length;
    },
  };
}
