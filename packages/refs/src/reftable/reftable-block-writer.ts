import { varintLength, writeVarint } from "./reftable-varint.ts";

/** As many as a block can count. */
const MAX_RESTARTS = 0xffff;

/** Puts records into one block after the other. What blocks look like is in `reftable-block.ts`. */
export class ReftableBlockWriter {
  /** The block so far; its first `headerLength` bytes are left to the caller. */
  readonly bytes: Uint8Array;
  readonly #restartInterval: number;
  #headerLength = 0;
  #length = 0;
  #restarts: number[] = [];
  #lastKey = "";
  #type = 0;
  /** Records in the block. */
  entries = 0;

  constructor(blockSize: number, restartInterval: number) {
    this.bytes = new Uint8Array(blockSize);
    this.#restartInterval = restartInterval;
  }

  get type(): number {
    return this.#type;
  }

  get lastKey(): string {
    return this.#lastKey;
  }

  /** Begins an empty block. */
  start(type: number, headerLength: number): void {
    this.#type = type;
    this.#headerLength = headerLength;
    this.#length = headerLength + 4;
    this.#restarts = [];
    this.#lastKey = "";
    this.entries = 0;
  }

  /** @returns `false`, and nothing has changed, when the block is too full for the record */
  add(key: string, valueType: number, value: Uint8Array): boolean {
    const shared = this.entries % this.#restartInterval === 0 ? 0 : sharedLength(this.#lastKey, key);
    const rest = key.length - shared;
    const restart = shared === 0 && this.#restarts.length < MAX_RESTARTS;
    const restEnd = rest * 8 + valueType;
    const length = varintLength(shared) + varintLength(restEnd) + rest + value.length;
    const tail = 3 * (this.#restarts.length + (restart ? 1 : 0)) + 2;
    if (this.#length + length + tail > this.bytes.length) return false;
    if (restart) this.#restarts.push(this.#length);
    let at = writeVarint(this.bytes, this.#length, shared);
    at = writeVarint(this.bytes, at, restEnd);
    for (let i = shared; i < key.length; i++) this.bytes[at++] = key.charCodeAt(i);
    this.bytes.set(value, at);
    this.#length = at + value.length;
    this.#lastKey = key;
    this.entries++;
    return true;
  }

  /** Writes the block's length and restarts. @returns its length, the header included */
  finish(): number {
    const { bytes } = this;
    let at = this.#length;
    for (const restart of this.#restarts) at = put(bytes, at, 3, restart);
    at = put(bytes, at, 2, this.#restarts.length);
    bytes[this.#headerLength] = this.#type;
    put(bytes, this.#headerLength + 1, 3, at);
    return at;
  }
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

function put(bytes: Uint8Array, at: number, length: number, value: number): number {
  for (let i = 0; i < length; i++) bytes[at + i] = (value >>> (8 * (length - 1 - i))) & 0xff;
  return at + length;
}
