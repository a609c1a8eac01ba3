import { PackError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { type DeltaHeader, decodeDeltaHeader } from "./delta.ts";

/** No instruction is longer: an insert of 127 bytes. */
const MAX_INSTRUCTION_BYTES = 128;
/** What is made goes out in pieces of this. Unit: bytes. */
const PIECE_BYTES = 256 * 1024;
/** Shorter stretches of the base are looked for in what was read last: copies mostly go forward. Unit: bytes. */
const WINDOW_BYTES = 16 * 1024;

/**
 * Applies a delta that comes in pieces to a base that is read in pieces; neither of them is held, nor what is made. As
 * `runDelta`, for what is too large for memory. Spec: gitformat-pack, "Deltified representation".
 */
export class DeltaPieces {
  readonly #pieces: Iterator<Uint8Array>;
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #inputEnded = false;
  readonly #output = new Uint8Array(PIECE_BYTES);
  readonly #window = new Uint8Array(WINDOW_BYTES);
  #windowAt = 0;
  #windowSize = 0;

  /** @param pieces the delta, its header included; views that hold until the next is asked for */
  constructor(pieces: Iterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.iterator]();
  }

  /** The sizes that the delta declares. To be read first, once. @throws PackError `pack/bad-delta` */
  header(): DeltaHeader {
    this.#refill();
    const header = decodeDeltaHeader(this.#input.subarray(this.#at, this.#end));
    this.#at += header.opsAt;
    return header;
  }

  /**
   * Runs the instructions. Yields after each piece that was made, how many bytes it has.
   * @param take gets what is made, in order; views that hold during the call
   * @throws PackError `pack/bad-delta`
   */
  *run(base: ByteSource, resultSize: number, take: (piece: Uint8Array) => void): Generator<number, void> {
    const output = this.#output;
    let filled = 0;
    let left = resultSize;
    while (this.#refill()) {
      const input = this.#input;
      let at = this.#at;
      const op = input[at++] as number;
      let offset = 0;
      let size = 0;
      if (op & 0x80) {
        if (op & 0x01) offset = input[at++] as number;
        if (op & 0x02) offset += (input[at++] as number) * 0x100;
        if (op & 0x04) offset += (input[at++] as number) * 0x10000;
        if (op & 0x08) offset += (input[at++] as number) * 0x1000000;
        if (op & 0x10) size = input[at++] as number;
        if (op & 0x20) size += (input[at++] as number) * 0x100;
        if (op & 0x40) size += (input[at++] as number) * 0x10000;
        if (at > this.#end) throw badDelta("delta stops inside an instruction");
        if (size === 0) size = 0x10000;
        if (offset + size > base.size || size > left) throw badDelta("delta copies out of bounds");
        this.#at = at;
        left -= size;
        while (size > 0) {
          const part = Math.min(size, PIECE_BYTES - filled);
          this.#copy(base, offset, part, filled);
          offset += part;
          size -= part;
          filled += part;
          if (filled < PIECE_BYTES) continue;
          take(output);
          filled = 0;
          yield PIECE_BYTES;
        }
        continue;
      }
      if (op === 0) throw badDelta("delta has the reserved instruction 0");
      if (at + op > this.#end || op > left) throw badDelta("delta inserts out of bounds");
      if (filled + op > PIECE_BYTES) {
        take(output.subarray(0, filled));
        yield filled;
        filled = 0;
      }
      for (let i = 0; i < op; i++) output[filled + i] = input[at + i] as number;
      filled += op;
      left -= op;
      this.#at = at + op;
    }
    if (left !== 0) throw badDelta("delta yields another size than it declares");
    if (filled === 0) return;
    take(output.subarray(0, filled));
    yield filled;
  }

  /** Gets a whole instruction into the input, if there is one. @returns whether anything is left */
  #refill(): boolean {
    while (this.#end - this.#at < MAX_INSTRUCTION_BYTES && !this.#inputEnded) {
      const left = this.#end - this.#at;
      const { value: piece, done } = this.#pieces.next();
      if (done === true) {
        this.#inputEnded = true;
        break;
      }
      let input = this.#input;
      if (left + piece.length > input.length) input = new Uint8Array(MAX_INSTRUCTION_BYTES + piece.length);
      input.set(this.#input.subarray(this.#at, this.#end));
      input.set(piece, left);
      this.#input = input;
      this.#at = 0;
      this.#end = left + piece.length;
    }
    return this.#at < this.#end;
  }

  #copy(base: ByteSource, offset: number, size: number, to: number): void {
    const output = this.#output;
    if (size >= WINDOW_BYTES) {
      if (base.read(offset, output.subarray(to, to + size)) < size) throw tooShort();
      return;
    }
    const window = this.#window;
    if (offset < this.#windowAt || offset + size > this.#windowAt + this.#windowSize) {
      this.#windowAt = offset;
      this.#windowSize = base.read(offset, window);
      if (this.#windowSize < size) throw tooShort();
    }
    const from = offset - this.#windowAt;
    if (size < 24) for (let i = 0; i < size; i++) output[to + i] = window[from + i] as number;
    else output.set(window.subarray(from, from + size), to);
  }
}

function badDelta(message: string): PackError {
  return new PackError("pack/bad-delta", message);
}

function tooShort(): PackError {
  return new PackError("pack/truncated", "a delta's base that was set aside is shorter than it was");
}
