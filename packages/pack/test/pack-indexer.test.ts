import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { ObjectFormat } from "@x/objects";
import { describe, expect, it } from "vitest";
import { type FindBase, PackError, PackIndexer } from "../src/index.ts";
import { createNodeZlibCodec } from "../src/node.ts";
import { BOMB_512_MIB, doubling, HOSTILE_PACKS } from "./hostile-packs.ts";
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
  trailerOf,
  whole,
} from "./pack-builder.ts";
import { MemoryPack, takeIn, verdictOn } from "./take-in.ts";

const MiB = 1024 * 1024;
const text = bytesOf("a base that others are made from\n");
const more = bytesOf("more\n");

/** A chain of `length` deltas, each appending a line that tells them apart. */
function chain(length: number, by: "offset" | "id" = "offset"): Uint8Array {
  let data = text;
  let last = whole("blob", data);
  const entries = [last];
  for (let i = 0; i < length; i++) {
    const line = bytesOf(String(i % 10));
    const change = appending(data.length, line);
    last = by === "offset" ? ofsDelta(last.length, change) : refDelta(rawId(data), change);
    entries.push(last);
    data = concat(data, line);
  }
  return packOf(entries);
}

describe("hostile packs", () => {
  for (const { name, pack, verdict, message } of HOSTILE_PACKS) {
    it(name, () => {
      for (const chunkBytes of [pack.length || 1, 1, 7]) {
        expect(verdictOn(pack, { chunkBytes })).toBe(verdict);
        expect(verdictOn(pack, { chunkBytes, neutral: true })).toBe(verdict);
      }
      if (message !== undefined) expect(() => takeIn(pack)).toThrow(message);
    });
  }

  it("tells where the bad object is", () => {
    const first = whole("blob", text);
    const pack = packOf([first, concat(entryHead(5, 1), deflateSync(more))]);
    const offset = 12 + first.length;
    expect(() => takeIn(pack, { chunkBytes: 1 })).toThrow(
      `pack has bad object at offset ${offset}: unknown object type 5`,
    );
    expect(() => takeIn(pack)).toThrow(expect.objectContaining({ offset }));
  });
});

describe("chunks", () => {
  const pack = packOf([
    whole("blob", text),
    whole("blob", noise(600)),
    ofsDelta(whole("blob", noise(600)).length + whole("blob", text).length, appending(text.length, more)),
    refDelta(rawId(text), appending(text.length, bytesOf("by id\n"))),
    whole("commit", bytesOf("not much of a commit\n")),
  ]);

  it("give the same wherever they are cut", () => {
    const expected = takeIn(pack);
    expect(same(expected.stored, pack)).toBe(true);
    for (let cut = 1; cut < pack.length; cut++) {
      const memory = new MemoryPack();
      const indexer = new PackIndexer({
        format: "sha1",
        codec: createNodeZlibCodec(),
        sink: memory,
        source: memory,
      });
      expect(indexer.feed(pack.subarray(0, cut))).toBe(false);
      expect(indexer.feed(new Uint8Array(0))).toBe(false);
      expect(memory.size).toBe(Math.min(cut, pack.length - 20));
      expect(indexer.feed(pack.subarray(cut))).toBe(true);
      expect(same(indexer.finish().indexBytes, expected.indexBytes)).toBe(true);
      expect(same(memory.bytes, pack)).toBe(true);
    }
    for (const neutral of [false, true])
      for (const chunkBytes of [1, 2, 7, 64, 4096])
        expect(same(takeIn(pack, { chunkBytes, neutral }).indexBytes, expected.indexBytes)).toBe(true);
  });

  it("may go on after the pack's end", () => {
    const memory = new MemoryPack();
    const indexer = new PackIndexer({
      format: "sha1",
      codec: createNodeZlibCodec(),
      sink: memory,
      source: memory,
    });
    expect(indexer.feed(concat(pack, bytesOf("rest")))).toBe(true);
    expect(indexer.trailingBytes).toBe(4);
    expect(indexer.feed(bytesOf("another"))).toBe(true);
    expect(indexer.trailingBytes).toBe(7);
    expect(indexer.receivedBytes).toBe(pack.length);
    indexer.finish();
    expect(memory.bytes).toEqual(pack);
  });

  it("are counted", () => {
    const memory = new MemoryPack();
    const indexer = new PackIndexer({
      format: "sha1",
      codec: createNodeZlibCodec(),
      sink: memory,
      source: memory,
    });
    expect(indexer.declaredObjects).toBe(0);
    indexer.feed(pack.subarray(0, 60));
    expect([indexer.declaredObjects, indexer.receivedObjects]).toEqual([5, 2]);
    indexer.feed(pack.subarray(60));
    expect([indexer.receivedObjects, indexer.deltas, indexer.resolvedDeltas]).toEqual([5, 2, 0]);
    indexer.finish();
    expect(indexer.resolvedDeltas).toBe(2);
  });

  it("that stop early leave nothing that looks whole", () => {
    for (let end = 0; end < pack.length; end++) {
      const memory = new MemoryPack();
      const indexer = new PackIndexer({
        format: "sha1",
        codec: createNodeZlibCodec(),
        sink: memory,
        source: memory,
      });
      expect(indexer.feed(pack.subarray(0, end))).toBe(false);
      expect(() => indexer.finish()).toThrow(expect.objectContaining({ code: "pack/truncated" }));
      expect(memory.size).toBeLessThanOrEqual(pack.length - 20);
    }
  });
});

describe.each<ObjectFormat>(["sha1", "sha256"])("objects in %s", (format) => {
  it("get their ids", () => {
    const large = noise(600_000);
    const zeros = new Uint8Array(5 * MiB);
    const middle = whole("blob", large);
    const pack = packOf(
      [
        whole("tree", new Uint8Array(0)),
        middle,
        ofsDelta(middle.length, appending(0, more)),
        whole("tag", more),
        whole("blob", zeros),
      ].filter((_, i) => i !== 2),
      { format },
    );
    const { index, objects } = takeIn(pack, { format, chunkBytes: 4096 });
    expect(objects).toBe(4);
    expect(index.find(rawId(new Uint8Array(0), "tree", format), 0)).toBeGreaterThanOrEqual(0);
    expect(index.find(rawId(large, "blob", format), 0)).toBeGreaterThanOrEqual(0);
    expect(index.find(rawId(more, "tag", format), 0)).toBeGreaterThanOrEqual(0);
    expect(index.find(rawId(zeros, "blob", format), 0)).toBeGreaterThanOrEqual(0);
    expect(index.find(rawId(more, "blob", format), 0)).toBe(-1);
  });

  it("that are deltas keep their base's type", () => {
    const commit = whole("commit", text);
    const pack = packOf(
      [
        commit,
        ofsDelta(commit.length, appending(text.length, more)),
        refDelta(rawId(concat(text, more), "commit", format), appending(text.length + 5, more)),
      ],
      { format },
    );
    const { index } = takeIn(pack, { format });
    expect(index.find(rawId(concat(text, more, more), "commit", format), 0)).toBeGreaterThanOrEqual(0);
  });
});

describe("deltas", () => {
  it("go 5,000 deep without recursion", { timeout: 60_000 }, () => {
    for (const by of ["offset", "id"] as const) {
      const pack = chain(5000, by);
      expect(takeIn(pack).objects).toBe(5001);
      expect(verdictOn(pack, { limits: { maxDeltaDepth: 4999 } })).toBe("pack/limit-exceeded");
      expect(verdictOn(pack, { limits: { maxDeltaDepth: 5000 } })).toBe("accepted");
    }
  });

  it("of a bushy tree come out the same when few bases may be held", () => {
    // Every object of three levels has four deltas; by id, in an order that has nothing to do with the tree.
    const entries = [whole("blob", text)];
    let level = [text];
    for (let depth = 0; depth < 3; depth++) {
      const next: Uint8Array[] = [];
      for (const data of level)
        for (let i = 0; i < 4; i++) {
          const line = bytesOf(`${depth}${i} of `);
          entries.push(refDelta(rawId(data), appending(data.length, line)));
          next.push(concat(data, line));
        }
      level = next;
    }
    const pack = packOf(entries.reverse());
    const expected = takeIn(pack);
    expect(expected.objects).toBe(85);
    for (const data of level) expect(expected.index.find(rawId(data), 0)).toBeGreaterThanOrEqual(0);
    for (const maxBaseBytes of [0, 1, 100, 200, 400, 1000])
      expect(takeIn(pack, { maxBaseBytes }).indexBytes).toEqual(expected.indexBytes);
    // While something is made again, whoever waits can call it off.
    const enough = new Error("enough");
    const checkpoint = () => {
      throw enough;
    };
    expect(takeIn(pack, { checkpoint }).objects).toBe(85);
    expect(() => takeIn(pack, { checkpoint, maxBaseBytes: 0 })).toThrow(enough);
    // What is made again counts as work.
    let maxInflatedBytes = 0;
    while (verdictOn(pack, { limits: { maxInflatedBytes } }) !== "accepted") maxInflatedBytes += 100;
    expect(verdictOn(pack, { limits: { maxInflatedBytes }, maxBaseBytes: 0 })).toBe("pack/limit-exceeded");
  });

  it("of several hundred KiB are taken in pieces", () => {
    const inserted = Array.from({ length: 5000 }, (_, i) => noise(120, i + 1));
    const change = delta(text.length, 600_000, ...inserted.map(insert));
    const base = whole("blob", text);
    const pack = packOf([base, ofsDelta(base.length, change)]);
    for (const chunkBytes of [pack.length, 1000]) {
      const limits = {
        maxObjectBytes: change.length,
        maxInflatedBytes: text.length + change.length + 600_000,
      };
      const { index } = takeIn(pack, { chunkBytes, limits });
      expect(index.find(rawId(concat(...inserted)), 0)).toBeGreaterThanOrEqual(0);
    }
    expect(verdictOn(pack, { limits: { maxInflatedBytes: text.length + change.length + 599_999 } })).toBe(
      "pack/limit-exceeded",
    );
  });

  it("of bases larger than what is held together", () => {
    const large = noise(5 * MiB);
    const base = whole("blob", large);
    const change = appending(0x10000, more);
    const a = ofsDelta(
      base.length,
      delta(large.length, 3 * 65536, copy(0, 65536), copy(65536, 65536), copy(MiB, 65536)),
    );
    const b = ofsDelta(base.length + a.length, delta(large.length, 0x10000, copy(7, 0x10000)));
    const pack = packOf([base, a, b, ofsDelta(b.length, change)]);
    const expected = takeIn(pack);
    const made = concat(large.subarray(0, 131072), large.subarray(MiB, MiB + 65536));
    expect(expected.index.find(rawId(made), 0)).toBeGreaterThanOrEqual(0);
    expect(expected.index.find(rawId(concat(large.subarray(7, 65543), more)), 0)).toBeGreaterThanOrEqual(0);
    expect(takeIn(pack, { maxBaseBytes: MiB, chunkBytes: 65536 }).indexBytes).toEqual(expected.indexBytes);
  });
});

describe("work that is due to few bases being held", () => {
  /** The least `maxInflatedBytes` that `pack` gets by with. */
  function workOf(pack: Uint8Array, maxBaseBytes?: number): number {
    let low = 0;
    for (let high = 1 << 20; low < high; ) {
      const maxInflatedBytes = (low + high) >>> 1;
      const limits = { maxInflatedBytes };
      if (verdictOn(pack, maxBaseBytes === undefined ? { limits } : { limits, maxBaseBytes }) === "accepted")
        high = maxInflatedBytes;
      else low = maxInflatedBytes + 1;
    }
    return low;
  }

  /** A base of `size` bytes, two deltas on it, and one on each of those. */
  function forked(size: number, seed: number): Uint8Array[] {
    const data = noise(size, seed);
    const left = concat(data, bytesOf("left"));
    const right = concat(data, bytesOf("right"));
    return [
      whole("blob", data),
      refDelta(rawId(data), appending(size, bytesOf("left"))),
      refDelta(rawId(data), appending(size, bytesOf("right"))),
      refDelta(rawId(left), appending(size + 4, bytesOf("!"))),
      refDelta(rawId(right), appending(size + 5, bytesOf("!"))),
    ];
  }

  it("is what is made again, and no more", () => {
    const pack = packOf(forked(1500, 1));
    // The base goes when the first of its deltas becomes a base, and comes back for the second.
    expect(workOf(pack, 0)).toBe(workOf(pack) + 1500);
  });

  it("is none where there is room for all at a time, one family after the other", () => {
    const pack = packOf([1, 2, 3, 4, 5].flatMap((seed) => forked(1500, seed)));
    // A quarter is for small ones; the rest holds a base and one made of it.
    expect(workOf(pack, 4100)).toBe(workOf(pack));
  });

  it("starts from the nearest base that is still there", () => {
    const small = noise(300);
    const grown = concat(small, ...Array.from({ length: 10 }, () => small));
    const copies = Array.from({ length: 11 }, () => copy(0, 300));
    const pack = packOf([
      whole("blob", small),
      refDelta(rawId(small), appending(300, bytesOf("a leaf of the root"))),
      refDelta(rawId(small), delta(300, 3300, ...copies)),
      refDelta(rawId(grown), appending(3300, bytesOf("left"))),
      refDelta(rawId(grown), appending(3300, bytesOf("right"))),
      refDelta(rawId(concat(grown, bytesOf("left"))), appending(3304, bytesOf("!"))),
      refDelta(rawId(concat(grown, bytesOf("right"))), appending(3305, bytesOf("!"))),
    ]);
    // The small root stays in its quarter; the grown one goes, and comes back without the root's being read again.
    expect(workOf(pack, 2400)).toBe(workOf(pack) + 3300);
  });
});

describe("what is read back", () => {
  const large = concat(noise(100_000), new Uint8Array(100_000));
  const base = whole("blob", large);
  const pack = packOf([base, ofsDelta(base.length, delta(large.length, 9, copy(5, 9)))]);
  const readBack = (read: (pack: MemoryPack, offset: number, into: Uint8Array) => number) => () => {
    const memory = new MemoryPack();
    const source = {
      size: pack.length,
      read: (offset: number, into: Uint8Array) => read(memory, offset, into),
    };
    const indexer = new PackIndexer({ format: "sha1", codec: createNodeZlibCodec(), sink: memory, source });
    indexer.feed(pack);
    return indexer.finish();
  };
  const failure = expect.objectContaining({ code: "pack/bad-zlib" });

  it("may come in the parts it is asked for only", () => {
    expect(readBack((memory, offset, into) => memory.read(offset, into))().objects).toBe(2);
  });

  it("has to be what was received", () => {
    expect(readBack(() => 0)).toThrow(failure);
    expect(readBack((_, __, into) => into.fill(0).length)).toThrow(failure);
    // A stream that is fine as far as the entry goes, but does not end with it.
    const longer = new MemoryPack();
    longer.append(new Uint8Array(12 + entryHead(3, large.length).length));
    longer.append(deflateSync(noise(300_000), { level: 0 }));
    // The delta is read with the window around it, which starts at a round offset.
    expect(
      readBack((memory, offset, into) => (offset % 65536 === 0 ? memory : longer).read(offset, into)),
    ).toThrow("serious inflate inconsistency");
  });
});

describe("limits", () => {
  const pack = packOf([whole("blob", text), whole("blob", new Uint8Array(100_000))]);
  const message = (limits: object) => {
    try {
      takeIn(pack, { limits, chunkBytes: 50 });
    } catch (error) {
      return error instanceof PackError && error.code === "pack/limit-exceeded" ? error.message : error;
    }
    return "accepted";
  };

  it("are named when they are reached", () => {
    expect(message({ maxPackBytes: pack.length })).toBe("accepted");
    expect(message({ maxPackBytes: pack.length - 1 })).toBe(
      `pack exceeds maximum allowed size (${pack.length - 1} bytes)`,
    );
    expect(message({ maxObjects: 2 })).toBe("accepted");
    expect(message({ maxObjects: 1 })).toBe("pack has 2 objects, more than the allowed 1");
    expect(message({ maxObjectBytes: 100_000 })).toBe("accepted");
    expect(message({ maxObjectBytes: 99_999 })).toBe("object exceeds maximum allowed size (97.66 KiB)");
    expect(message({ maxInflatedBytes: 100_033 })).toBe("accepted");
    expect(message({ maxInflatedBytes: 100_032 })).toBe(
      "pack exceeds maximum allowed inflated size (97.69 KiB)",
    );
  });

  it("on objects hold for what deltas make, before it is made", () => {
    const twoMiB = doubling(5);
    expect(verdictOn(twoMiB, { limits: { maxObjectBytes: 2 * MiB } })).toBe("accepted");
    expect(verdictOn(twoMiB, { limits: { maxObjectBytes: 2 * MiB - 1 } })).toBe("pack/limit-exceeded");
    expect(verdictOn(BOMB_512_MIB, { limits: { maxObjectBytes: 100 * MiB } })).toBe("pack/limit-exceeded");
    expect(verdictOn(doubling(14), { limits: { maxInflatedBytes: 512 * MiB } })).toBe("pack/limit-exceeded");
  });

  it("count the bases that complete a pack", () => {
    const thin = packOf([refDelta(rawId(text), appending(text.length, more))]);
    const findBase: FindBase = () => ({ type: "blob", data: text });
    expect(verdictOn(thin, { findBase, limits: { maxObjects: 2 } })).toBe("accepted");
    expect(verdictOn(thin, { findBase, limits: { maxObjects: 1 } })).toBe("pack/limit-exceeded");
  });

  it("are not needed for memory to follow the bytes received, not those declared", () => {
    const before = process.memoryUsage();
    for (const name of [
      "count 2^32 - 1",
      "declared size 2^40",
      "delta that declares 2^30",
      "delta that declares 2^40",
    ]) {
      const { pack: bad = text, verdict } = HOSTILE_PACKS.find((each) => each.name === name) ?? {};
      expect(verdictOn(bad, { maxBaseBytes: MiB })).toBe(verdict);
    }
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(32 * MiB);
  });

  it("streams zeros without holding them", () => {
    const zeros = packOf([concat(entryHead(3, 200 * MiB), deflateSync(new Uint8Array(200 * MiB)))]);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const memory = new MemoryPack();
    const indexer = new PackIndexer({
      format: "sha1",
      codec: createNodeZlibCodec(),
      sink: memory,
      source: memory,
    });
    for (let at = 0; at < zeros.length; at += 4096) {
      indexer.feed(zeros.subarray(at, at + 4096));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(indexer.finish().objects).toBe(1);
    expect(most).toBeLessThan(16 * MiB);
  });
});

describe("thin packs", () => {
  const other = bytesOf("another base that the receiver has\n");
  const store = new Map([text, other].map((data) => [hex(rawId(data)), data]));
  const findBase: FindBase = (rawBase) => {
    const data = store.get(hex(rawBase));
    return data && { type: "blob", data };
  };

  it("are completed, each base once", () => {
    const thin = packOf([
      refDelta(rawId(text), appending(text.length, more)),
      refDelta(rawId(text), appending(text.length, bytesOf("twice\n"))),
      refDelta(rawId(other), appending(other.length, more)),
      refDelta(rawId(concat(text, more)), appending(text.length + 5, more)),
    ]);
    expect(verdictOn(thin)).toBe("pack/missing-base");
    expect(() => takeIn(thin)).toThrow("pack has 4 unresolved deltas");
    const asked = new Set<string>();
    const { objects, added, stored, index, packBytes, packChecksum } = takeIn(thin, {
      findBase: (id) => {
        asked.add(hex(id));
        return findBase(id);
      },
    });
    expect([...asked]).toEqual([text, other].map((data) => hex(rawId(data))));
    expect([objects, added]).toEqual([6, 2]);
    expect(new DataView(stored.buffer).getUint32(8)).toBe(6);
    expect(stored.length).toBe(packBytes);
    expect(hex(trailerOf(stored.subarray(0, -20)))).toBe(hex(packChecksum));
    expect(hex(stored.subarray(-20))).toBe(hex(packChecksum));
    // A second reading, now without help, comes to the same.
    expect(takeIn(stored).indexBytes).toEqual(takeIn(thin, { findBase }).indexBytes);
    for (const data of [text, other, concat(text, more, more)])
      expect(index.find(rawId(data), 0)).toBeGreaterThanOrEqual(0);
  });

  it("are refused when one base is nowhere", () => {
    const thin = packOf([
      refDelta(rawId(text), appending(text.length, more)),
      refDelta(noise(20), appending(text.length, more)),
    ]);
    expect(() => takeIn(thin, { findBase })).toThrow("pack has 1 unresolved delta");
  });

  it("that bring along a base the receiver has too hold it once", () => {
    // `second` needs `text + more`, which comes only after it, as a delta on what the receiver has.
    const first = concat(text, more);
    store.set(hex(rawId(first)), first);
    const thin = packOf([
      refDelta(rawId(first), appending(first.length, bytesOf("!"))),
      refDelta(rawId(text), appending(text.length, more)),
    ]);
    const { objects, added, stored } = takeIn(thin, { findBase });
    expect([objects, added]).toEqual([3, 1]);
    expect(takeIn(stored).objects).toBe(3);
  });

  it("whose deltas are each other's bases are refused, though the receiver has the objects", () => {
    const first = concat(text, more);
    store.set(hex(rawId(first)), first);
    const back = delta(first.length, text.length, copy(0, text.length));
    const thin = packOf([refDelta(rawId(first), back), refDelta(rawId(text), appending(text.length, more))]);
    expect(verdictOn(thin, { findBase })).toBe("pack/malformed");
  });

  it("come out the same when no base may be held", () => {
    const thin = packOf([
      refDelta(rawId(other), appending(other.length, more)),
      refDelta(rawId(concat(other, more)), appending(other.length + 5, more)),
      refDelta(rawId(concat(other, more)), appending(other.length + 5, text)),
      refDelta(rawId(concat(other, more, text)), appending(other.length + 5 + text.length, text)),
      refDelta(rawId(concat(other, more, more)), appending(other.length + 10, text)),
    ]);
    expect(takeIn(thin, { findBase, maxBaseBytes: 0 }).indexBytes).toEqual(
      takeIn(thin, { findBase }).indexBytes,
    );
  });
});

describe("finishSteps", () => {
  it("comes up for air, and may be left", () => {
    const memory = new MemoryPack();
    const indexer = new PackIndexer({
      format: "sha1",
      codec: createNodeZlibCodec(),
      sink: memory,
      source: memory,
    });
    indexer.feed(chain(4500));
    const seen: number[] = [];
    const steps = indexer.finishSteps();
    for (let step = steps.next(); !step.done; step = steps.next()) seen.push(indexer.resolvedDeltas);
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen[0]).toBeLessThan(4500);
    expect(
      createHash("sha1").update(memory.bytes.subarray(0, -20)).digest().equals(memory.bytes.subarray(-20)),
    ).toBe(true);
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
