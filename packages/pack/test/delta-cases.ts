import type { ObjectFormat } from "@x/objects";
import { basics } from "./case-objects.ts";
import { bytesOf, concat, copy, delta, insert, ofsDelta, packOf, refDelta } from "./pack-builder.ts";
import type { PackCase } from "./pack-cases.ts";

const of = (...bytes: number[]) => Uint8Array.from(bytes);

/** Deltas on a base of `size` bytes, sound and not. */
function deltas(size: number): [name: string, bytes: Uint8Array][] {
  const abcd = insert(bytesOf("abcd"));
  const list: [string, Uint8Array][] = [
    ["that copies all", delta(size, size + 4, copy(0, size), abcd)],
    ["that copies the last byte", delta(size, 5, copy(size - 1, 1), abcd)],
    ["that inserts 127 bytes", delta(size, 127, insert(new Uint8Array(127)))],
    ["that makes nothing", delta(size, 0, of())],
    ["that makes nothing, with an operation for nothing", delta(size, 0, of(0))],
    ["with operation 0", delta(size, 4, of(0), abcd)],
    ["with operation 0 last", delta(size, 4, abcd, of(0))],
    ["that copies one byte too many", delta(size, size + 1, copy(0, size + 1))],
    ["that copies from the end on", delta(size, 5, copy(size, 1), abcd)],
    ["that copies from beyond the end", delta(size, 5, copy(size + 1, 1), abcd)],
    ["that copies 64 KiB", delta(size, 65_536, copy(0, 65_536))],
    ["that copies 64 KiB, as no size", delta(size, 65_536, of(0x80))],
    ["that copies the most there is", delta(size, 0xffffff, copy(0, 0xffffff))],
    ["that copies from the farthest", delta(size, 10, copy(0xffffffff, 10))],
    ["that copies past 4 GiB", delta(size, 0xffff, copy(0xffffffff, 0xffff))],
    ["for a base that is longer", delta(size + 1, 4, abcd)],
    ["for a base that is shorter", delta(size - 1, 4, abcd)],
    ["for an empty base", delta(0, 4, abcd)],
    ["that makes too little", delta(size, 5, abcd)],
    ["that makes too much", delta(size, 3, abcd)],
    ["that makes what it says, and more", delta(size, 4, abcd, abcd)],
    ["that copies with zeros spelled out", delta(size, 8, of(0xff, 0, 0, 0, 0, 4, 0, 0), abcd)],
    ["whose sizes have zeros before them", concat(of(size | 0x80, 0x80, 0x80, 0), of(0x84, 0x80, 0), abcd)],
    ["of 0 bytes", of()],
    ["of 1 byte", of(size)],
    ["of 2 bytes", of(size, 1)],
    ["of 3 bytes", of(size, 1, 0x90)],
    ["of a size that does not end", of(size, 0x84, 0x80, 0x80, 0x80, 0x80)],
    ["of a base size that does not end", of(size | 0x80, 0x80, 0x80, 0x80, 0x80)],
  ];
  for (let kept = 1; kept < 8; kept++)
    list.push([
      `that stops in a copy, after ${kept} bytes`,
      delta(size, 10, of(0xff, 0, 0, 0, 0, 10, 0, 0).slice(0, kept)),
    ]);
  for (let kept = 1; kept < 5; kept++)
    list.push([
      `that stops in an insertion, after ${kept} bytes`,
      delta(size, 14, copy(0, 10), abcd.slice(0, kept)),
    ]);
  for (const power of [20, 28, 30, 31, 32, 40, 52])
    for (const less of [0, 1])
      list.push([`that says to make 2^${power} - ${less}`, delta(size, 2 ** power - less, copy(0, size))]);
  for (const length of [8, 9, 10, 11, 16])
    list.push([
      `of a size of ${length} digits`,
      concat(of(size), of(...new Array(length).fill(0xff), 1), copy(0, size)),
    ]);
  return list;
}

/** Each of them by offset, by id, before its base, and on what is stored already. */
export function deltaCases(format: ObjectFormat): PackCase[] {
  const { base, baseSize, baseId, storedId, storedData } = basics(format);
  const forms: [string, number, (bytes: Uint8Array) => Uint8Array[]][] = [
    ["by offset", baseSize, (bytes) => [base, ofsDelta(base.length, bytes)]],
    ["by id", baseSize, (bytes) => [base, refDelta(baseId, bytes)]],
    ["before its base", baseSize, (bytes) => [refDelta(baseId, bytes), base]],
    ["in a thin pack", storedData.length, (bytes) => [refDelta(storedId, bytes)]],
  ];
  return forms.flatMap(([form, size, entries]) =>
    deltas(size).map(([name, bytes]) => {
      const make = () => packOf(entries(bytes), { format });
      const differs = DIFFERENT.get(name);
      return { name: `a delta ${name}, ${form}`, make, ...(differs === undefined ? {} : { differs }) };
    }),
  );
}

/** What git takes and we refuse. */
const DIFFERENT: ReadonlyMap<string, string> = new Map();
