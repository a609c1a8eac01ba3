import { type ObjectFormat, type ObjectId, rawIdLength } from "@x/objects";
import { byteStringFromBytes } from "../byte-string.ts";
import type { Ref } from "../ref-store.ts";
import { malformedReftable } from "./reftable-frame.ts";

/*
 * u8 type  u24 length (of all this)  record+  u24 restart+  u16 count of restarts  [zeros up to the next block]
 * record       varint shared  varint (rest << 3 | type)  rest of the name  …
 * … of a ref   varint update index, then by type: 0 (deleted) nothing; 1 id; 2 id, peeled id; 3 varint length, name
 * … of an index  varint position of the block that ends with the name
 * `shared` bytes are those of the name before. A restart is where a record stands that shares none; offsets count from
 * the start of the block, in the first one from the start of the file.
 */

/** What the format can say of a block's length. Unit: bytes. */
export const MAX_REFTABLE_BLOCK_BYTES = 0xffffff;
/** Longest ref name, and longest target of a symbolic ref, that are taken from a reftable. Unit: bytes. */
export const MAX_REFTABLE_NAME_BYTES: number = 16 * 1024;

/** Types of blocks. */
export const REF_BLOCK = 0x72;
export const INDEX_BLOCK = 0x69;
export const LOG_BLOCK = 0x67;
/** Written only: nobody asks here which refs hold an object. */
export const OBJECT_BLOCK = 0x6f;

/** One ref in one table: what it holds, or that it is gone. */
export interface ReftableRecord {
  readonly name: string;
  readonly ref: Ref | undefined;
  /** How far its update index is above the least of its table. */
  readonly delta: number;
}

/** One entry of a log in one block. @internal */
export interface RawReftableLog {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** Bytes of a block that are turned into text at a time. */
const WINDOW_BYTES = 64 * 1024;

/** Goes through the records of one block of refs or of an index. */
export class ReftableBlock {
  readonly type: number;
  readonly #bytes: Uint8Array;
  readonly #format: ObjectFormat;
  readonly #recordsAt: number;
  readonly #recordsEnd: number;
  readonly #restarts: number;
  #at: number;
  #name = "";
  #first = true;
  #window: HexWindow | undefined;

  /** `bytes` is the whole block less its padding; its own bytes start at `headerLength`. @throws RefsError `refs/malformed` */
  constructor(bytes: Uint8Array, headerLength: number, format: ObjectFormat) {
    this.#bytes = bytes;
    this.#format = format;
    this.type = bytes[headerLength] as number;
    this.#recordsAt = headerLength + 4;
    this.#restarts = (at(bytes, bytes.length - 2) << 8) | at(bytes, bytes.length - 1);
    this.#recordsEnd = bytes.length - 2 - 3 * this.#restarts;
    if (this.#restarts === 0 || this.#recordsEnd < this.#recordsAt)
      throw malformedReftable("a block's restarts do not fit");
    this.#at = this.#recordsAt;
  }

  /** The name before which nothing of this block stands. */
  firstName(): string {
    return this.#nameAt(this.#recordsAt);
  }

  /** Goes to the last restart before `name`: what follows may still stand before it. */
  seek(name: string): void {
    let low = 0;
    let high = this.#restarts;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#nameAt(this.#restart(middle)) < name) low = middle + 1;
      else high = middle;
    }
    this.#at = low === 0 ? this.#recordsAt : this.#restart(low - 1);
    this.#name = "";
    this.#first = true;
  }

  /** The next ref; `undefined` at the end. @throws RefsError `refs/malformed` */
  nextRef(): ReftableRecord | undefined {
    if (this.#at >= this.#recordsEnd) return undefined;
    const type = this.#readName();
    const delta = this.#readVarint();
    const name = this.#name;
    if (type === 0) return { name, delta, ref: undefined };
    if (type === 1)
      return { name, delta, ref: { name, target: { kind: "id", id: this.#readId() }, peeled: null } };
    if (type === 2) {
      const target = { kind: "id", id: this.#readId() } as const;
      return { name, delta, ref: { name, target, peeled: this.#readId() } };
    }
    if (type !== 3) throw malformedReftable(`values of type ${type} are not known`);
    const target = { kind: "symbolic", name: this.#readText(this.#readVarint()) } as const;
    return { name, delta, ref: { name, target } };
  }

  /** The next entry of a log; `undefined` at the end. @throws RefsError `refs/malformed` */
  nextLog(): RawReftableLog | undefined {
    if (this.#at >= this.#recordsEnd) return undefined;
    const type = this.#readName();
    const key = this.#name;
    if (type === 0) return { key, value: undefined };
    if (type !== 1) throw malformedReftable(`logs of type ${type} are not known`);
    const start = this.#at;
    this.#take(2 * rawIdLength(this.#format));
    this.#take(this.#readVarint());
    this.#take(this.#readVarint());
    this.#readVarint();
    this.#take(2);
    this.#take(this.#readVarint());
    return { key, value: this.#bytes.slice(start, this.#at) };
  }

  /** The next block of an index and the name it ends with; `undefined` at the end. @throws RefsError `refs/malformed` */
  nextIndexed(): { readonly name: string; readonly position: number } | undefined {
    if (this.#at >= this.#recordsEnd) return undefined;
    if (this.#readName() !== 0) throw malformedReftable("an index holds something else");
    return { name: this.#name, position: this.#readVarint() };
  }

  #readName(): number {
    const shared = this.#readVarint();
    const lengthAndType = this.#readVarint();
    const length = Math.floor(lengthAndType / 8);
    if (shared > this.#name.length || shared + length > MAX_REFTABLE_NAME_BYTES)
      throw malformedReftable("a name is too long");
    const name = this.#name.slice(0, shared) + this.#readText(length);
    if (!(this.#first || name > this.#name)) throw malformedReftable("its names are not in order");
    this.#first = false;
    this.#name = name;
    return lengthAndType % 8;
  }

  #readVarint(): number {
    let byte = this.#byte();
    let value = byte & 0x7f;
    while (byte & 0x80) {
      byte = this.#byte();
      value = (value + 1) * 128 + (byte & 0x7f);
      if (!Number.isSafeInteger(value)) throw malformedReftable("a number is too large");
    }
    return value;
  }

  #byte(): number {
    if (this.#at >= this.#recordsEnd) throw malformedReftable("a record stops short");
    return this.#bytes[this.#at++] as number;
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#recordsEnd - start) throw malformedReftable("a record stops short");
    this.#at = start + length;
    return start;
  }

  #readText(length: number): string {
    if (length > MAX_REFTABLE_NAME_BYTES) throw malformedReftable("a name is too long");
    const start = this.#take(length);
    return String.fromCharCode.apply(null, this.#bytes.subarray(start, this.#at) as unknown as number[]);
  }

  #readId(): ObjectId {
    const start = this.#take(rawIdLength(this.#format));
    if (this.#window === undefined || this.#at > this.#window.end)
      this.#window = new HexWindow(this.#bytes, start, Math.min(start + WINDOW_BYTES, this.#recordsEnd));
    return this.#window.slice(start, this.#at) as ObjectId;
  }

  #restart(index: number): number {
    const entry = this.#recordsEnd + 3 * index;
    const offset =
      (at(this.#bytes, entry) << 16) | (at(this.#bytes, entry + 1) << 8) | at(this.#bytes, entry + 2);
    if (offset < this.#recordsAt || offset >= this.#recordsEnd)
      throw malformedReftable("a restart lies outside its block");
    return offset;
  }

  #nameAt(start: number): string {
    const kept = { at: this.#at, name: this.#name, first: this.#first };
    this.#at = start;
    this.#name = "";
    this.#first = true;
    this.#readName();
    const name = this.#name;
    this.#at = kept.at;
    this.#name = kept.name;
    this.#first = kept.first;
    return name;
  }
}

/** Hex digits of many bytes made at once: per id, that is several times slower. */
class HexWindow {
  readonly end: number;
  readonly #start: number;
  readonly #digits: string;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#start = start;
    this.end = end;
    const digits = new Uint8Array(2 * (end - start));
    for (let i = start, to = 0; i < end; i++) {
      const byte = bytes[i] as number;
      digits[to++] = DIGITS[byte >> 4] as number;
      digits[to++] = DIGITS[byte & 15] as number;
    }
    this.#digits = byteStringFromBytes(digits);
  }

  slice(start: number, end: number): string {
    return this.#digits.slice(2 * (start - this.#start), 2 * (end - this.#start));
  }
}

const DIGITS: Uint8Array = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

/** Bytes that are not there read as none: the caller's checks find that they do not fit. */
function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
