import { constants, deflateRawSync, deflateSync } from "node:zlib";
import { objectIdToBytes } from "@x/objects";
import { describe, expect, it } from "vitest";
import { DeltaBaseCache, ENTRY_OFS_DELTA, ENTRY_REF_DELTA, type PackReader } from "../src/index.ts";
import { idOf, indexSaying, packed } from "./memory-table.ts";
import { readerOf } from "./open-table.ts";
import {
  appending,
  bytesOf,
  concat,
  copy,
  delta,
  entryHead,
  insert,
  noise,
  ofsDelta,
  packOf,
  rawId,
  refDelta,
  whole,
} from "./pack-builder.ts";

const BASE = bytesOf("the base of all that follows here\n");
const base = { id: rawId(BASE), bytes: whole("blob", BASE) };

const code = (run: () => unknown): string => {
  try {
    run();
    return "fine";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

const offsetOf = (reader: PackReader, id: Uint8Array) => reader.index.offset(reader.index.find(id, 0));

describe("PackReader", () => {
  it("refuses packs that are not what their index says", () => {
    const pack = packOf([base.bytes]);
    const index = indexSaying(pack, [{ id: base.id, offset: 12 }]);
    const changed = (at: number, value: number) => {
      const copied = pack.slice();
      copied[at] = value;
      return copied;
    };
    expect(code(() => readerOf(pack, index, "sha1"))).toBe("fine");
    expect(code(() => readerOf(changed(0, 0x51), index, "sha1"))).toBe("pack/malformed");
    expect(code(() => readerOf(changed(7, 4), index, "sha1"))).toBe("pack/malformed");
    expect(code(() => readerOf(changed(11, 2), index, "sha1"))).toBe("pack/bad-index");
    expect(code(() => readerOf(changed(pack.length - 1, 0xff), index, "sha1"))).toBe("pack/bad-index");
    for (const length of [0, 8, 12, 20, 31]) {
      const short = pack.subarray(0, length);
      expect(
        code(() => readerOf(short, index, "sha1")),
        `${length}`,
      ).toBe("pack/malformed");
    }
  });

  it("does not read where an index points beyond the entries", () => {
    const cache = new DeltaBaseCache(100_000);
    const secret = bytesOf("another repository's secret\n");
    const pack = packOf([base.bytes, ofsDelta(base.bytes.length, appending(BASE.length, bytesOf("more")))]);
    for (const offset of [
      0,
      4,
      11,
      pack.length - 20,
      pack.length - 1,
      pack.length,
      pack.length + 12,
      1e9,
      2 ** 40,
    ]) {
      const places = [
        { id: base.id, offset: 12 },
        { id: rawId(secret), offset },
      ].sort((a, b) => a.offset - b.offset);
      const reader = readerOf(pack, indexSaying(pack, places), "sha1", { cache });
      // The next pack's keys begin where this one's end.
      const other = packed(
        [
          { id: rawId(secret), bytes: whole("blob", secret) },
          { id: base.id, bytes: ofsDelta(whole("blob", secret).length, delta(secret.length, 4, copy(0, 4))) },
        ],
        { cache },
      );
      for (const id of [rawId(secret), base.id]) other.read(offsetOf(other, id));
      const verdict = code(() => reader.read(offset));
      expect(verdict, `${offset}`).toBe("pack/bad-index");
      expect(
        code(() => reader.header(offset)),
        `${offset}`,
      ).toBe("pack/bad-index");
    }
  });

  it.each([
    [
      "a base that is nowhere",
      refDelta(rawId(bytesOf("nowhere")), delta(4, 4, copy(0, 4))),
      "pack/missing-base",
    ],
    ["itself as its base", refDelta(rawId(bytesOf("odd")), delta(4, 4, copy(0, 4))), "pack/malformed"],
    ["a base before the first entry", ofsDelta(1000, delta(4, 4, copy(0, 4))), "pack/malformed"],
    ["a distance of 0", ofsDelta(0, delta(4, 4, copy(0, 4))), "pack/malformed"],
    ["a base of another size", ofsDelta(base.bytes.length, delta(4, 4, copy(0, 4))), "pack/bad-delta"],
    [
      "a copy beyond its base",
      ofsDelta(base.bytes.length, delta(BASE.length, 9, copy(30, 9))),
      "pack/bad-delta",
    ],
    [
      "a result larger than allowed",
      ofsDelta(base.bytes.length, delta(BASE.length, 2 ** 40)),
      "pack/limit-exceeded",
    ],
    ["a size larger than allowed", concat(entryHead(3, 2 ** 33), deflateSync(BASE)), "pack/limit-exceeded"],
    ["a stream that is none", concat(entryHead(3, 10), bytesOf("not zlib at all")), "pack/bad-zlib"],
    ["raw deflate", concat(entryHead(3, BASE.length), deflateRawSync(BASE)), "pack/bad-zlib"],
    ["a size too small", concat(entryHead(3, BASE.length - 1), deflateSync(BASE)), "pack/bad-zlib"],
    ["a size too large", concat(entryHead(3, BASE.length + 1), deflateSync(BASE)), "pack/bad-zlib"],
    [
      "half a stream",
      concat(entryHead(3, 9000), deflateSync(noise(9000)).subarray(0, 5000)),
      "pack/truncated",
    ],
    ["type 5", concat(entryHead(5, 4), deflateSync(bytesOf("odd\n"))), "pack/malformed"],
    ["no stream", entryHead(3, 4), "pack/truncated"],
  ])("does not read an entry with %s", (_, bytes, expected) => {
    const reader = packed([base, { id: rawId(bytesOf("odd")), bytes }]);
    const offset = offsetOf(reader, rawId(bytesOf("odd")));
    expect(code(() => reader.read(offset))).toBe(expected);
    expect(reader.read(12).data).toEqual(BASE);
  });

  it("ends a cycle of deltas", () => {
    const [a, b] = [rawId(bytesOf("a")), rawId(bytesOf("b"))];
    const reader = packed([
      { id: a, bytes: refDelta(b, delta(4, 4, copy(0, 4))) },
      { id: b, bytes: refDelta(a, delta(4, 4, copy(0, 4))) },
    ]);
    expect(code(() => reader.read(12))).toBe("pack/malformed");
    expect(code(() => reader.header(12))).toBe("pack/malformed");
  });

  it("reads a chain of 9,000 deltas", () => {
    const entries = [base];
    let data = BASE;
    let before = base.bytes.length;
    for (let i = 0; i < 9000; i++) {
      const instructions = delta(
        data.length,
        BASE.length + 4,
        copy(0, BASE.length),
        insert(bytesOf(`${1000 + i}`)),
      );
      data = concat(BASE, bytesOf(`${1000 + i}`));
      const bytes = ofsDelta(before, instructions);
      before = bytes.length;
      entries.push({ id: rawId(data), bytes });
    }
    const reader = packed(entries);
    const offset = offsetOf(reader, rawId(data));
    expect(reader.read(offset).data).toEqual(data);
    expect(reader.header(offset)).toEqual({ type: "blob", size: data.length });
  });

  it("tells a delta's size when its stream opens with long tables, or with nothing", () => {
    // Dynamic Huffman codes for all byte values take hundreds of bytes before the first one comes out.
    const target = concat(...Array.from({ length: 60 }, (_, i) => noise(120, i + 1)));
    const pieces = Array.from({ length: 60 }, (_, i) => insert(target.subarray(i * 120, i * 120 + 120)));
    const instructions = delta(BASE.length, target.length, ...pieces);
    const stream = deflateSync(instructions, { level: 9, strategy: constants.Z_HUFFMAN_ONLY });
    // Empty stored blocks, as a flush makes them, are allowed anywhere.
    const empty = concat(...Array.from({ length: 50 }, () => Uint8Array.of(0, 0, 0, 0xff, 0xff)));
    const padded = concat(stream.subarray(0, 2), empty, stream.subarray(2));
    for (const [i, bytes] of [stream, padded].entries()) {
      // Near a window's end only as much is looked at as was asked for.
      const filler = { id: rawId(bytesOf("filler")), bytes: whole("blob", noise(65_536 - 140)) };
      const head = concat(entryHead(ENTRY_REF_DELTA, instructions.length), base.id);
      const reader = packed([base, filler, { id: rawId(target), bytes: concat(head, bytes) }]);
      const offset = offsetOf(reader, rawId(target));
      expect(reader.header(offset), `${i}`).toEqual({ type: "blob", size: target.length });
      expect(Buffer.compare(reader.read(offset).data, target)).toBe(0);
    }
  });

  it("reads entries whose streams are longer than what they hold", () => {
    const data = noise(1000);
    const stream = deflateSync(data, { level: 0 });
    const empty = concat(...Array.from({ length: 3000 }, () => Uint8Array.of(0, 0, 0, 0xff, 0xff)));
    const bytes = concat(entryHead(3, 1000), stream.subarray(0, 2), empty, stream.subarray(2));
    const reader = packed([{ id: rawId(data), bytes }, base]);
    expect(reader.read(12).data).toEqual(data);
  });

  it("gives the same bytes after its cache was overwritten many times", () => {
    const trees = Array.from({ length: 40 }, (_, i) => ({
      type: "tree" as const,
      data: concat(bytesOf(`100644 f${i}\0`), noise(20, i + 1)),
    }));
    const entries = trees.map((tree) => ({
      id: objectIdToBytes(idOf(tree)),
      bytes: whole("tree", tree.data),
    }));
    const reader = packed(entries, { cache: new DeltaBaseCache(700) });
    for (let round = 0; round < 300; round++) {
      const i = (round * 7) % trees.length;
      const offset = offsetOf(reader, entries[i]?.id as Uint8Array);
      expect(reader.read(offset).data).toEqual(trees[i]?.data);
    }
  });

  it("knows an entry by its header", () => {
    const bytes = ofsDelta(base.bytes.length, appending(BASE.length, bytesOf("x")));
    const reader = packed([base, { id: rawId(concat(BASE, bytesOf("x"))), bytes }]);
    expect(reader.entry(12 + base.bytes.length)).toMatchObject({
      type: ENTRY_OFS_DELTA,
      baseOffset: 12,
      baseDistance: base.bytes.length,
      offset: 12 + base.bytes.length,
    });
    expect(reader.entry(12)).toMatchObject({ type: 3, size: BASE.length, baseOffset: -1 });
  });
});
