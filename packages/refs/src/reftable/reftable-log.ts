import {
  type ObjectFormat,
  type ObjectId,
  objectIdFromBytes,
  objectIdToBytes,
  rawIdLength,
} from "@x/objects";
import { byteStringFromBytes, bytesFromByteString } from "../byte-string.ts";
import { malformedReftable } from "./reftable-frame.ts";
import { varintLength, writeVarint } from "./reftable-varint.ts";

/*
 * key    name  NUL  u64 (2^64 - 1 - update index), so that the latest comes first
 * value  old id  new id  varint length, name  varint length, mail  varint seconds  i16 zone  varint length, message
 * The zone is a decimal number that looks like +hhmm, as C git writes it, whatever the document says of minutes.
 */

/** What a log in a reftable says of one change of a ref. */
export interface ReftableLogValue {
  /** All zeros where there was none, or is none now. */
  readonly from: ObjectId;
  readonly to: ObjectId;
  /** Byte strings. */
  readonly name: string;
  readonly mail: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** `-130` stands for -01:30. */
  readonly zone: number;
  /** A byte string; C git ends it with a line feed. */
  readonly message: string;
}

/** One entry of a log in one table. */
export interface ReftableLog {
  readonly name: string;
  readonly updateIndex: bigint;
  /** As {@link encodeReftableLogValue} makes it; `undefined`: an older table's entry is gone. */
  readonly value: Uint8Array | undefined;
}

const LAST_INDEX = 0xffff_ffff_ffff_ffffn;

/** What an entry is sorted by. @internal */
export function reftableLogKey(name: string, updateIndex: bigint): string {
  const suffix = new Uint8Array(9);
  new DataView(suffix.buffer).setBigUint64(1, LAST_INDEX - updateIndex);
  // Not through a decoder: these are bytes of any value.
  return name + String.fromCharCode(...suffix);
}

/** @throws RefsError `refs/malformed` @internal */
export function parseReftableLogKey(key: string): { readonly name: string; readonly updateIndex: bigint } {
  const at = key.length - 9;
  if (at < 1 || key.charCodeAt(at) !== 0) throw malformedReftable("an entry of a log has no index");
  let index = 0n;
  for (let i = at + 1; i < key.length; i++) index = (index << 8n) | BigInt(key.charCodeAt(i));
  return { name: key.slice(0, at), updateIndex: LAST_INDEX - index };
}

/** Spec: reftable, "Log record". */
export function encodeReftableLogValue(value: ReftableLogValue): Uint8Array {
  const texts = [value.name, value.mail, value.message].map(bytesFromByteString) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const [name, mail, message] = texts;
  const ids = [objectIdToBytes(value.from), objectIdToBytes(value.to)] as const;
  const idsLength = ids[0].length + ids[1].length;
  const length = texts.reduce(
    (sum, text) => sum + varintLength(text.length) + text.length,
    idsLength + varintLength(value.time) + 2,
  );
  const bytes = new Uint8Array(length);
  bytes.set(ids[0]);
  bytes.set(ids[1], ids[0].length);
  let at = idsLength;
  const put = (text: Uint8Array) => {
    at = writeVarint(bytes, at, text.length);
    bytes.set(text, at);
    at += text.length;
  };
  put(name);
  put(mail);
  at = writeVarint(bytes, at, value.time);
  bytes[at++] = (value.zone >> 8) & 0xff;
  bytes[at++] = value.zone & 0xff;
  put(message);
  return bytes;
}

/** @throws RefsError `refs/malformed` */
export function decodeReftableLogValue(bytes: Uint8Array, format: ObjectFormat): ReftableLogValue {
  const idLength = rawIdLength(format);
  const reader = new ValueReader(bytes, 2 * idLength);
  const name = reader.text();
  const mail = reader.text();
  const time = reader.varint();
  const zone = reader.int16();
  return {
    from: objectIdFromBytes(bytes, format),
    to: objectIdFromBytes(bytes, format, idLength),
    name,
    mail,
    time,
    zone,
    message: reader.text(),
  };
}

class ValueReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    if (at > bytes.length) throw malformedReftable("an entry of a log stops short");
    this.#bytes = bytes;
    this.#at = at;
  }

  varint(): number {
    let byte = this.#byte();
    let value = byte & 0x7f;
    while (byte & 0x80) {
      byte = this.#byte();
      value = (value + 1) * 128 + (byte & 0x7f);
      if (!Number.isSafeInteger(value)) throw malformedReftable("a number is too large");
    }
    return value;
  }

  int16(): number {
    return (((this.#byte() << 8) | this.#byte()) << 16) >> 16;
  }

  text(): string {
    const length = this.varint();
    const start = this.#at;
    if (length > this.#bytes.length - start) throw malformedReftable("an entry of a log stops short");
    this.#at += length;
    return byteStringFromBytes(this.#bytes.subarray(start, this.#at));
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw malformedReftable("an entry of a log stops short");
    return this.#bytes[this.#at++] as number;
  }
}
