import { rawIdLength } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import type { PackIndex } from "../src/index.ts";
import { concat } from "./pack-builder.ts";

/** A compressed bitmap of the given bits: runs where they pay, literals otherwise. */
export function ewah(bits: readonly number[]): Uint8Array {
  const words: bigint[] = [];
  for (const bit of bits) {
    const at = Math.floor(bit / 64);
    while (words.length <= at) words.push(0n);
    words[at] = (words[at] as bigint) | (1n << BigInt(bit % 64));
  }
  const out: bigint[] = [];
  let at = 0;
  let last = 0;
  while (at < words.length || out.length === 0) {
    const repeated = words[at] === ALL ? ALL : 0n;
    const runStart = at;
    while (at < words.length && words[at] === repeated) at++;
    const literalsStart = at;
    while (at < words.length && words[at] !== 0n && words[at] !== ALL) at++;
    last = out.length;
    out.push(runWord(repeated === ALL, literalsStart - runStart, at - literalsStart));
    out.push(...words.slice(literalsStart, at));
  }
  return ewahOf(out, words.length * 64, last);
}

const ALL = 2n ** 64n - 1n;

export function runWord(bit: boolean, run: number, literals: number): bigint {
  return (bit ? 1n : 0n) | (BigInt(run) << 1n) | (BigInt(literals) << 33n);
}

/** Words as they are given, right or wrong. */
export function ewahOf(words: readonly bigint[], bits: number = words.length * 64, last = 0): Uint8Array {
  const bytes = new Uint8Array(8 + words.length * 8 + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bits);
  view.setUint32(4, words.length);
  for (const [i, word] of words.entries()) view.setBigUint64(8 + i * 8, word);
  view.setUint32(8 + words.length * 8, last);
  return bytes;
}

export interface BitmapEntry {
  readonly position: number;
  readonly distance?: number;
  readonly bitmap: Uint8Array;
  /** For the lookup table. */
  readonly base?: number;
  readonly start?: number;
}

/** A bitmap file that says of a pack whatever it is told, true or not, with a checksum that fits. */
export function bitmapFile(
  index: PackIndex,
  entries: readonly BitmapEntry[],
  options: {
    readonly flags?: number;
    readonly count?: number;
    readonly version?: number;
    readonly packChecksum?: Uint8Array;
    readonly types?: readonly Uint8Array[];
    readonly tail?: Uint8Array;
    readonly table?: boolean;
  } = {},
): Uint8Array {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0x4249544d);
  view.setUint16(4, options.version ?? 1);
  view.setUint16(6, options.flags ?? (options.table ? 0x11 : 1));
  view.setUint32(8, options.count ?? entries.length);
  const everything = ewah(Array.from({ length: index.count }, (_, i) => i));
  const types = options.types ?? [everything, ewah([]), ewah([]), ewah([])];
  const parts = [head, options.packChecksum ?? index.packChecksum, ...types];
  let at = parts.reduce((sum, part) => sum + part.length, 0);
  const rows: Uint8Array[] = [];
  for (const { position, distance = 0, bitmap, base = 0xffffffff, start = at } of entries) {
    const entry = new Uint8Array(6);
    new DataView(entry.buffer).setUint32(0, position);
    entry[4] = distance;
    parts.push(entry, bitmap);
    const row = new Uint8Array(16);
    const fields = new DataView(row.buffer);
    fields.setUint32(0, position);
    fields.setBigUint64(4, BigInt(start));
    fields.setUint32(12, base);
    rows.push(row);
    at += 6 + bitmap.length;
  }
  const body = concat(...parts, ...(options.tail ? [options.tail] : []), ...(options.table ? rows : []));
  const hasher = createNodeHasher(index.format);
  hasher.update(body);
  return concat(body, hasher.digest().subarray(0, rawIdLength(index.format)));
}
