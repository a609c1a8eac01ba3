import type { ObjectFormat } from "@x/objects";
import { basics } from "./case-objects.ts";
import { deltaCases } from "./delta-cases.ts";
import { graphCases } from "./graph-cases.ts";
import { appending, bytesOf, concat, noise, ofsDelta, packOf, refDelta, whole } from "./pack-builder.ts";
import { streamCases } from "./stream-cases.ts";

/** A pack that might come into a repository that has what `STORED` has. */
export interface PackCase {
  readonly name: string;
  readonly make: () => Uint8Array;
  /** Git takes it and we do not, or the other way round, and why. */
  readonly differs?: string;
  /** It takes seconds. */
  readonly isLarge?: boolean;
}

const MIB = 1024 * 1024;

/** Every pack that there is a name for. */
export function packCases(format: ObjectFormat): readonly PackCase[] {
  return [
    ...containerCases(format),
    ...offsetCases(format),
    ...deltaCases(format),
    ...streamCases(format),
    ...twinCases(format),
    ...graphCases(format),
    ...bombCases(format),
  ];
}

function containerCases(format: ObjectFormat): PackCase[] {
  const { base, other, commit, tree, tag } = basics(format);
  const two = [base, other];
  const otherFormat = format === "sha1" ? "sha256" : "sha1";
  const cases: PackCase[] = [
    { name: "nothing at all", make: () => new Uint8Array(0) },
    { name: "no objects", make: () => packOf([], { format }) },
    { name: "one of each type", make: () => packOf([commit, tree, base, other, tag], { format }) },
    {
      name: "one of each type, the other way round",
      make: () => packOf([tag, other, base, tree, commit], { format }),
    },
    { name: "the trailer of the other hash", make: () => packOf(two, { format: otherFormat }) },
  ];
  for (let count = 0; count <= 4; count++)
    if (count !== 2)
      cases.push({ name: `2 objects that say to be ${count}`, make: () => packOf(two, { format, count }) });
  for (const count of [0x7fffffff, 0x80000000, 0xffffffff])
    cases.push({ name: `2 objects that say to be ${count}`, make: () => packOf(two, { format, count }) });
  for (const version of [0, 1, 2, 3, 4, 5, 0x02000000])
    cases.push({ name: `version ${version}`, make: () => packOf(two, { format, version }) });
  for (const signature of ["PACQ", "pACK", "\0\0\0\0", "KCAP"])
    cases.push({
      name: `signature ${JSON.stringify(signature)}`,
      make: () => packOf(two, { format, signature }),
    });
  return cases;
}

/** A delta on each offset there is, and on some that there are not. */
function offsetCases(format: ObjectFormat): PackCase[] {
  const { base, other, baseSize } = basics(format);
  const change = appending(baseSize, bytesOf("more\n"));
  const cases: PackCase[] = [];
  for (let distance = 0; distance <= other.length + base.length + 14; distance++)
    cases.push({
      name: `a delta on what is ${distance} bytes before it`,
      make: () => packOf([base, other, ofsDelta(distance, change)], { format }),
    });
  for (const distance of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 52])
    cases.push({
      name: `a delta on what is ${distance} bytes before it`,
      make: () => packOf([base, ofsDelta(distance, change)], { format }),
    });
  return cases;
}

function twinCases(format: ObjectFormat): PackCase[] {
  const { base, baseData, baseId, other, tree, stored, storedId, storedData } = basics(format);
  const suffix = bytesOf("and more\n");
  const grown = whole("blob", concat(baseData, suffix));
  const append = appending(baseData.length, suffix);
  const same = appending(baseData.length, new Uint8Array(0)).slice(0, -1);
  const on = appending(storedData.length, suffix);
  const packs: [string, Uint8Array[]][] = [
    ["a blob twice", [base, base]],
    ["a blob three times, others between", [base, other, base, tree, base]],
    ["a tree twice", [tree, tree]],
    ["a blob, whole and by offset", [base, ofsDelta(base.length, append), grown]],
    ["a blob, whole before and by id", [grown, base, refDelta(baseId, append)]],
    ["the same delta by offset and by id", [base, ofsDelta(base.length, append), refDelta(baseId, append)]],
    ["a delta that makes its own base, by id", [base, refDelta(baseId, same)]],
    ["a delta that makes its own base, by offset", [base, ofsDelta(base.length, same)]],
    ["what is stored already", [stored]],
    [
      "what is stored already, as a delta on itself",
      [refDelta(storedId, appending(storedData.length, new Uint8Array(0)).slice(0, -1))],
    ],
    ["a thin delta and its base", [refDelta(storedId, on), stored]],
    ["a thin delta twice", [refDelta(storedId, on), refDelta(storedId, on)]],
    [
      "thin deltas on each other's results",
      [refDelta(storedId, on), refDelta(storedId, appending(storedData.length, bytesOf("x")))],
    ],
    ["a delta on what is nowhere", [refDelta(noise(storedId.length), on)]],
    [
      "deltas on each other's places",
      [refDelta(noise(storedId.length, 3), on), refDelta(noise(storedId.length, 4), on)],
    ],
  ];
  return packs.map(([name, entries]) => ({ name, make: () => packOf(entries, { format }) }));
}

function bombCases(format: ObjectFormat): PackCase[] {
  const tooLarge = "refused: above a limit";
  return [
    { name: "a chain of 5,000 deltas", make: () => chain(format, 5000), isLarge: true },
    { name: "a chain of 10,001 deltas", make: () => chain(format, 10_001), isLarge: true, differs: tooLarge },
    { name: "a chain of 50,000 deltas", make: () => chain(format, 50_000), isLarge: true, differs: tooLarge },
    { name: "a chain of 5,000 deltas, the last first", make: () => chain(format, 5000, true), isLarge: true },
    { name: "deltas that double up to 32 MiB", make: () => doubling(format, 9), isLarge: true },
    {
      name: "deltas that double up to 512 MiB",
      make: () => doubling(format, 13),
      isLarge: true,
      differs: tooLarge,
    },
    {
      name: "200 MiB of zeros",
      make: () => packOf([whole("blob", new Uint8Array(200 * MIB))], { format }),
      isLarge: true,
    },
    {
      name: "a delta that makes 512 MiB",
      make: () => copies(format, 2 ** 29, 1),
      isLarge: true,
      differs: tooLarge,
    },
    { name: "12 deltas that make 100 MiB each", make: () => copies(format, 100 * MIB, 12), isLarge: true },
  ];
}

/** Each entry is a delta on the one before. */
function chain(format: ObjectFormat, depth: number, reversed = false): Uint8Array {
  const { base, baseSize, baseId, hash, baseData } = basics(format);
  const entries = [base];
  let data = baseData;
  let id = baseId;
  for (let i = 0; i < depth; i++) {
    const line = bytesOf(`${i}`.padStart(8));
    // The same length throughout: its beginning stays, its end changes.
    const next = concat(data.subarray(0, baseSize), line);
    const change = appending(data.length, line);
    const made = i === 0 ? change : appendingTo(data.length, baseSize, line);
    if (reversed) entries.push(refDelta(id, made));
    else entries.push(ofsDelta((entries[i] as Uint8Array).length, made));
    data = next;
    id = hash("blob", next);
  }
  return packOf(reversed ? entries.reverse() : entries, { format });
}

function appendingTo(size: number, kept: number, text: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(size, kept + text.length, 0x90, kept, text.length), text);
}

/** Each delta has its base twice. */
function doubling(format: ObjectFormat, times: number): Uint8Array {
  const zeros = new Uint8Array(65_536);
  const entries = [whole("blob", zeros)];
  for (let i = 0, size = 65_536; i < times; i++, size *= 2) {
    const last = entries[i] as Uint8Array;
    entries.push(ofsDelta(last.length, runs(size, size * 2)));
  }
  return packOf(entries, { format });
}

/** `count` deltas that differ in their last bytes only, on one base of 64 KiB. */
function copies(format: ObjectFormat, size: number, count: number): Uint8Array {
  const zeros = new Uint8Array(65_536);
  const entries = [whole("blob", zeros)];
  let before = (entries[0] as Uint8Array).length;
  for (let i = 0; i < count; i++) {
    const made = concat(runs(65_536, size + 2, size), Uint8Array.of(2, i >> 8, i & 255));
    entries.push(ofsDelta(before, made));
    before += (entries.at(-1) as Uint8Array).length;
  }
  return packOf(entries, { format });
}

/** A delta that copies the first 64 KiB of its base as often as `from` takes. */
function runs(baseSize: number, size: number, from = size): Uint8Array {
  const head = [baseSize, size].flatMap((value) => {
    const digits: number[] = [];
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 0x80);
    return [...digits, rest];
  });
  return concat(Uint8Array.from(head), new Uint8Array(from / 65_536).fill(0x80));
}
