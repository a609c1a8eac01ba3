/** Bytes that are looked up at a time; no shorter stretch is found. */
const BLOCK = 16;
/** Places in the base that are tried for one block of the target: many are alike in a file of zeros. */
const MAX_TRIES = 8;
const FACTOR = 0x01000193;
const MAX_COPY = 0x10000;
const MAX_INSERT = 127;

/** FACTOR ** BLOCK, what a byte counts for when it leaves the block. */
const LEAVING: number = (() => {
  let power = 1;
  for (let i = 0; i < BLOCK; i++) power = Math.imul(power, FACTOR);
  return power;
})();

/**
 * A delta that makes `target` of `base`, or `undefined` when it would be longer than `maxBytes`.
 * Copies are found by the base's blocks of 16 bytes and drawn out as far as they go, both ways.
 * Spec: gitformat-pack, "Deltified representation".
 */
export function encodeDelta(base: Uint8Array, target: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const writer = new DeltaWriter(target, maxBytes);
  writer.size(base.length);
  writer.size(target.length);
  const blocks = indexBlocks(base);
  let literal = 0; // target bytes up to here are written
  let at = 0;
  let hash = hashBlock(target, 0);
  while (at + BLOCK <= target.length) {
    const match = longestMatch(blocks, base, target, at, hash, literal);
    if (match === undefined) {
      hash =
        (Math.imul(hash, FACTOR) + (target[at + BLOCK] ?? 0) - Math.imul(target[at] as number, LEAVING)) | 0;
      at++;
      continue;
    }
    const start = at - match.back;
    if (!writer.insert(literal, start) || !writer.copy(match.at - match.back, match.length)) return undefined;
    at = start + match.length;
    literal = at;
    hash = hashBlock(target, at);
  }
  return writer.insert(literal, target.length) ? writer.finish() : undefined;
}

interface Blocks {
  /** Hash → the last block with it, counted from 1; 0 for none. */
  readonly heads: Int32Array;
  /** Block → the one before it with the same hash. */
  readonly before: Int32Array;
  readonly mask: number;
}

interface Match {
  /** Where in the base the block starts that led to it. */
  readonly at: number;
  /** By how much it starts before that block. */
  readonly back: number;
  /** From its start. */
  readonly length: number;
}

function hashBlock(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = 0; i < BLOCK; i++) hash = (Math.imul(hash, FACTOR) + (bytes[at + i] ?? 0)) | 0;
  return hash;
}

function indexBlocks(base: Uint8Array): Blocks {
  const count = Math.floor(base.length / BLOCK);
  const size = 2 ** Math.ceil(Math.log2(count * 2 + 2));
  const heads = new Int32Array(size);
  const before = new Int32Array(count + 1);
  const mask = size - 1;
  // From the end on, so that of equal blocks the first one is tried first.
  for (let block = count; block > 0; block--) {
    const slot = spread(hashBlock(base, (block - 1) * BLOCK)) & mask;
    before[block] = heads[slot] as number;
    heads[slot] = block;
  }
  return { heads, before, mask };
}

function spread(hash: number): number {
  return (hash ^ (hash >>> 15) ^ (hash >>> 7)) >>> 0;
}

function longestMatch(
  { heads, before, mask }: Blocks,
  base: Uint8Array,
  target: Uint8Array,
  at: number,
  hash: number,
  literal: number,
): Match | undefined {
  let best: Match | undefined;
  let tries = 0;
  for (
    let block = heads[spread(hash) & mask] as number;
    block > 0 && tries < MAX_TRIES;
    block = before[block] as number
  ) {
    tries++;
    const from = (block - 1) * BLOCK;
    let length = 0;
    const most = Math.min(base.length - from, target.length - at);
    while (length < most && base[from + length] === target[at + length]) length++;
    if (length < BLOCK) continue;
    let back = 0;
    const mostBack = Math.min(from, at - literal);
    while (back < mostBack && base[from - back - 1] === target[at - back - 1]) back++;
    if (best === undefined || length + back > best.length) best = { at: from, back, length: length + back };
  }
  return best;
}

class DeltaWriter {
  readonly #target: Uint8Array;
  readonly #maxBytes: number;
  #bytes: Uint8Array;
  #length = 0;

  constructor(target: Uint8Array, maxBytes: number) {
    this.#target = target;
    this.#maxBytes = maxBytes;
    this.#bytes = new Uint8Array(256);
  }

  size(value: number): void {
    this.#room(10);
    for (; value >= 0x80; value = Math.floor(value / 0x80))
      this.#bytes[this.#length++] = (value % 0x80) | 0x80;
    this.#bytes[this.#length++] = value;
  }

  /** @returns whether the delta is still short enough */
  insert(start: number, end: number): boolean {
    for (let at = start; at < end; at += MAX_INSERT) {
      const size = Math.min(MAX_INSERT, end - at);
      if (this.#length + size + 1 > this.#maxBytes) return false;
      this.#room(size + 1);
      this.#bytes[this.#length++] = size;
      this.#bytes.set(this.#target.subarray(at, at + size), this.#length);
      this.#length += size;
    }
    return true;
  }

  /** @returns whether the delta is still short enough */
  copy(offset: number, length: number): boolean {
    for (; length > 0; length -= MAX_COPY, offset += MAX_COPY) {
      this.#room(8);
      const opAt = this.#length++;
      const size = Math.min(length, MAX_COPY);
      let op = 0x80;
      for (let bit = 0, rest = offset; rest > 0; bit++, rest = Math.floor(rest / 256)) {
        if (rest % 256 === 0) continue;
        op |= 1 << bit;
        this.#bytes[this.#length++] = rest % 256;
      }
      // 65536 is spelled by leaving the size out.
      for (let bit = 4, rest = size % MAX_COPY; rest > 0; bit++, rest = Math.floor(rest / 256)) {
        if (rest % 256 === 0) continue;
        op |= 1 << bit;
        this.#bytes[this.#length++] = rest % 256;
      }
      this.#bytes[opAt] = op;
      if (this.#length > this.#maxBytes) return false;
    }
    return true;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
