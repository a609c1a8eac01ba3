import { ObjectsError } from "@x/objects";
import type { ByteSource, PackSink } from "@x/pack";

const FIRST_BYTES = 4096;
const MOST_BYTES = 1024 * 1024;

interface Segment {
  readonly start: number;
  bytes: Uint8Array;
}

/** A pack as it comes in: what is allocated is at most twice what came. */
export class GrowingBytes implements PackSink, ByteSource {
  readonly #segments: Segment[] = [];
  readonly #maxBytes: number;
  #size = 0;

  /** Unit: bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** @throws ObjectsError `objects/limit-exceeded` */
  append(bytes: Uint8Array): void {
    if (this.#size + bytes.length > this.#maxBytes)
      throw new ObjectsError(
        "objects/limit-exceeded",
        "the repository has no room for more than maxRepositoryBytes",
      );
    for (let at = 0; at < bytes.length; ) {
      const { start, bytes: room } = this.#room();
      const part = Math.min(bytes.length - at, start + room.length - this.#size);
      room.set(bytes.subarray(at, at + part), this.#size - start);
      at += part;
      this.#size += part;
    }
  }

  #room(): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.start + last.bytes.length > this.#size) return last;
    const length = Math.min(MOST_BYTES, Math.max(FIRST_BYTES, this.#size));
    const segment = { start: this.#size, bytes: new Uint8Array(length) };
    this.#segments.push(segment);
    return segment;
  }

  patch(offset: number, bytes: Uint8Array): void {
    this.#visit(offset, bytes.length, (room, done) => room.set(bytes.subarray(done, done + room.length)));
  }

  read(offset: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.length, this.#size - offset));
    this.#visit(offset, length, (room, done) => into.set(room, done));
    return length;
  }

  #visit(offset: number, length: number, visit: (room: Uint8Array, done: number) => void): void {
    for (let done = 0; done < length; ) {
      const { start, bytes } = this.#segmentOf(offset + done);
      const from = offset + done - start;
      const part = Math.min(length - done, bytes.length - from);
      visit(bytes.subarray(from, from + part), done);
      done += part;
    }
  }

  #segmentOf(offset: number): Segment {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#segments[middle] as Segment).start <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#segments[low] as Segment;
  }

  /** Nothing more will come: gives back what is not used. */
  trim(): void {
    const last = this.#segments.at(-1);
    if (last !== undefined) last.bytes = last.bytes.slice(0, this.#size - last.start);
  }
}
