import type { Hasher } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";

/** A pack leaves in chunks of this size, the last one shorter: what goes into one side-band-64k packet. Unit: bytes. */
export const CHUNK_BYTES: number = 65515;

/** Room in front of each chunk, for whoever frames it: a side-band packet's header goes there. Unit: bytes. */
export const CHUNK_HEADROOM_BYTES: number = 5;

/** Gathers a pack's bytes into chunks and hashes them on their way. */
export class PackOutput {
  #hasher: Hasher | undefined;
  readonly #spare: () => ArrayBuffer | undefined;
  #chunk: Uint8Array;
  #filled = 0;
  #ready: Uint8Array[] = [];
  #bytes = 0;

  /**
   * @param hasher none when the trailer is known beforehand
   * @param spare a chunk's buffer to fill again, if there is one
   */
  constructor(hasher: Hasher | undefined, spare: () => ArrayBuffer | undefined = () => undefined) {
    this.#hasher = hasher;
    this.#spare = spare;
    this.#chunk = newChunk(spare());
  }

  /** Bytes so far: where the next one goes in the pack. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The full chunks, each given out once and then the caller's own. */
  take(): Uint8Array[] {
    if (this.#ready.length === 0) return this.#ready;
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(bytes.length - at, CHUNK_BYTES - this.#filled);
      this.#chunk.set(part === bytes.length ? bytes : bytes.subarray(at, at + part), this.#filled);
      at += part;
      this.#advance(part);
    }
  }

  /**
   * Copies up to `size` bytes that lie at `offset` of `source`, as many as go into the current chunk.
   * @returns how many. @throws PackError `pack/truncated` when the source ends first
   */
  copy(source: ByteSource, offset: number, size: number): number {
    const part = Math.min(size, CHUNK_BYTES - this.#filled);
    const room = this.#chunk.subarray(this.#filled, this.#filled + part);
    if (source.read(offset, room) < part)
      throw new PackError("pack/truncated", "a pack has become shorter", { offset });
    this.#advance(part);
    return part;
  }

  #advance(size: number): void {
    this.#filled += size;
    this.#bytes += size;
    if (this.#filled === CHUNK_BYTES) this.#flush();
  }

  #flush(): void {
    const chunk = this.#filled === CHUNK_BYTES ? this.#chunk : this.#chunk.subarray(0, this.#filled);
    this.#hasher?.update(chunk);
    this.#ready.push(chunk);
    this.#chunk = newChunk(this.#spare());
    this.#filled = 0;
  }

  /** Ends the pack with its checksum: `known`, or that of what went out. */
  finish(known?: Uint8Array): void {
    if (this.#hasher !== undefined && this.#filled > 0) this.#flush();
    const trailer = known ?? this.#hasher?.digest();
    this.#hasher = undefined; // the trailer is not part of what it sums up
    if (trailer !== undefined) this.append(trailer);
    if (this.#filled > 0) this.#flush();
  }
}

function newChunk(spare: ArrayBuffer | undefined): Uint8Array {
  const size = CHUNK_HEADROOM_BYTES + CHUNK_BYTES;
  const buffer = spare?.byteLength === size ? spare : new ArrayBuffer(size);
  return new Uint8Array(buffer, CHUNK_HEADROOM_BYTES);
}
