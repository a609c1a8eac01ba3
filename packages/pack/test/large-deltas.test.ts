import type { ObjectFormat, ReceiveLimits } from "@x/objects";
import { describe, expect, it } from "vitest";
import { ENTRY_TREE, SpillRoom } from "../src/index.ts";
import { doubling, HOSTILE_PACKS } from "./hostile-packs.ts";
import { MemorySpills } from "./memory-spills.ts";
import {
  appending,
  bytesOf,
  concat,
  copy,
  delta,
  insert,
  noise,
  ofsDelta,
  packOf,
  rawId,
  refDelta,
  whole,
} from "./pack-builder.ts";
import { Random } from "./random.ts";
import { type TakeInOptions, takeIn, verdictOn } from "./take-in.ts";

const MIB = 1024 * 1024;
const text = bytesOf("a base that others are made from\n");

/** A room for what is larger than `above`, and what becomes of it. */
function roomAbove(above: number, maxBytes?: number, spills: MemorySpills = new MemorySpills()) {
  return { spills, room: new SpillRoom(spills, { above, maxBytes }) };
}

/** A tree of `count` blobs, each a delta on an earlier one, by offset or by id, in an order of its own. */
function bushy(seed: number, count: number, format: ObjectFormat): Uint8Array {
  const random = new Random(seed);
  const blobs = [noise(1000 + random.below(2000), seed)];
  const entries = [whole("blob", blobs[0] as Uint8Array)];
  const places = [0];
  let end = (entries[0] as Uint8Array).length;
  for (let i = 1; i < count; i++) {
    const from = random.below(blobs.length);
    const base = blobs[from] as Uint8Array;
    const at = random.below(400);
    const size = base.length - at;
    const added = noise(1 + random.below(127), i);
    const made = concat(base.subarray(0, 100), added, base.subarray(at, at + size), added);
    const change = delta(
      base.length,
      made.length,
      copy(0, 100),
      insert(added),
      copy(at, size),
      insert(added),
    );
    const entry = random.once(2)
      ? ofsDelta(end - (places[from] as number), change)
      : refDelta(rawId(base, "blob", format), change);
    places.push(end);
    end += entry.length;
    entries.push(entry);
    blobs.push(made);
  }
  return packOf(entries, { format });
}

describe("a hostile pack, where all is too large to be held", () => {
  it.each(HOSTILE_PACKS.map((each) => [each.name, each] as const))("%s", (_, { pack, verdict, message }) => {
    for (const above of [0, 20, 60_000]) {
      const { spills, room } = roomAbove(above);
      // With no limit on objects, what is declared is of no account where nothing is reserved for it.
      expect(verdictOn(pack, { room })).toBe(verdict === "pack/limit-exceeded" ? "pack/bad-delta" : verdict);
      if (verdict === "accepted") expect(spills.live).toBe(0);
      room.close();
      expect([spills.live, room.bytes]).toEqual([0, 0]);
    }
    if (message !== undefined && !message.includes("yields another size"))
      expect(() => takeIn(pack, { room: roomAbove(0).room })).toThrow(message);
  });
});

describe.each<ObjectFormat>(["sha1", "sha256"])("large objects of %s", (format) => {
  it.each([1, 2, 3, 4])("come out as when they are held (tree %i)", (seed) => {
    const pack = bushy(seed, 60, format);
    const expected = takeIn(pack, { format });
    expect(expected.objects).toBe(60);
    for (const above of [0, 1500, 2500, 1 << 20])
      for (const maxBaseBytes of [0, 5000, 1 << 20])
        for (const maxBytes of [undefined, 12_000]) {
          const { spills, room } = roomAbove(above, maxBytes);
          const options: TakeInOptions = { format, room, maxBaseBytes };
          expect(takeIn(pack, options).indexBytes).toEqual(expected.indexBytes);
          expect(spills.live).toBe(0);
          expect(spills.mostBytes).toBeLessThanOrEqual(maxBytes ?? Number.POSITIVE_INFINITY);
          if (above === 0 || above === 1 << 20) expect(spills.created > 0).toBe(above === 0);
        }
    expect(takeIn(pack, { format, neutral: true, room: roomAbove(0).room }).indexBytes).toEqual(
      expected.indexBytes,
    );
  });
});

describe("what is set aside", () => {
  const chained = (length: number, by: "offset" | "id") => {
    let data = text;
    let last = whole("blob", data);
    const entries = [last];
    for (let i = 0; i < length; i++) {
      const change = appending(data.length, bytesOf("more"));
      last = by === "offset" ? ofsDelta(last.length, change) : refDelta(rawId(data), change);
      entries.push(last);
      data = concat(data, bytesOf("more"));
    }
    return packOf(entries);
  };

  it("begins right above the threshold", () => {
    const pack = packOf([
      whole("blob", text),
      refDelta(rawId(text), appending(text.length, bytesOf("!"))),
      refDelta(rawId(concat(text, bytesOf("!"))), appending(text.length + 1, bytesOf("?"))),
    ]);
    const createdAbove = (above: number) => {
      const { spills, room } = roomAbove(above);
      takeIn(pack, { room });
      return spills.created;
    };
    expect([2, 1, 0, -1].map((more) => createdAbove(text.length + more))).toEqual([0, 0, 1, 2]);
  });

  it("is a base and what is made of it, however long the chain; the last is not written", () => {
    for (const by of ["offset", "id"] as const) {
      const { spills, room } = roomAbove(0);
      expect(takeIn(chained(200, by), { room }).objects).toBe(201);
      expect([spills.created, spills.mostLive, spills.live]).toEqual([200, 2, 0]);
    }
  });

  it("is held whole for a look at a tree, a commit or a tag", () => {
    const trees: Uint8Array[] = [];
    const tree = concat(bytesOf("100644 a\0"), rawId(text));
    const more = concat(bytesOf("100644 b\0"), rawId(text));
    const long = delta(
      tree.length,
      tree.length + more.length,
      copy(0, tree.length),
      ...[...more].map((byte) => Uint8Array.of(1, byte)),
    );
    const pack = packOf([whole("tree", tree), ofsDelta(whole("tree", tree).length, long)]);
    const { spills, room } = roomAbove(10);
    takeIn(pack, {
      room,
      inspect: ({ kind, data, delta: made }) => {
        expect([kind, made]).toEqual([ENTRY_TREE, undefined]);
        trees.push(data.slice());
      },
    });
    expect(trees).toEqual([tree, concat(tree, more)]);
    expect([spills.created, spills.live]).toEqual([1, 0]);
    const limits = { maxParsedBytes: tree.length + more.length - 1 };
    expect(verdictOn(pack, { room, limits })).toBe("pack/limit-exceeded");
  });

  it("makes way for what is needed, and is made again", () => {
    const pack = bushy(3, 60, "sha1");
    const roomy = roomAbove(0);
    takeIn(pack, { room: roomy.room });
    const maxBytes = roomy.spills.mostBytes - 1;
    const { spills, room } = roomAbove(0, maxBytes);
    expect(takeIn(pack, { room }).objects).toBe(60);
    // What is made again counts as work.
    const accepted = (each: SpillRoom, maxInflatedBytes: number) => {
      const verdict = verdictOn(pack, { room: each, limits: { maxInflatedBytes } });
      each.close();
      return verdict === "accepted";
    };
    let needed = 0;
    while (needed < MIB && !accepted(roomy.room, needed)) needed += 1000;
    expect([accepted(roomy.room, needed), accepted(room, needed), accepted(room, MIB)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(spills.mostBytes).toBeLessThanOrEqual(maxBytes);
  });

  it("is refused when there is no room for it", () => {
    const sizes = text.length + text.length + 4;
    expect(verdictOn(chained(2, "offset"), { room: roomAbove(0, sizes).room })).toBe("accepted");
    const { spills, room } = roomAbove(0, sizes - 1);
    expect(() => takeIn(chained(2, "offset"), { room })).toThrow(
      `large delta bases take up more room than receive.maxSpillBytes (${sizes - 1} bytes)`,
    );
    room.close();
    expect(spills.live).toBe(0);
  });

  it("is given back when there is trouble with it", () => {
    const { spills, room } = roomAbove(0, undefined, new MemorySpills(100));
    expect(() => takeIn(chained(20, "offset"), { room })).toThrow("no space left");
    room.close();
    expect(spills.live).toBe(0);
  });

  it("counts against the limits on objects", () => {
    const limits = (max: number): ReceiveLimits => ({ maxDeltaObjectBytes: max });
    const verdict = (max: number) =>
      verdictOn(doubling(3), { room: roomAbove(1000).room, limits: limits(max) });
    expect([verdict(65_536 * 8), verdict(65_536 * 8 - 1)]).toEqual(["accepted", "pack/limit-exceeded"]);
    expect(verdict(65_535)).toBe("pack/limit-exceeded");
    expect(() => takeIn(doubling(3), { room: roomAbove(1000).room, limits: limits(65_536) })).toThrow(
      "delta base or result exceeds maximum allowed size (64.00 KiB)",
    );
  });

  it("can be called off in the midst of one object", () => {
    let calls = 0;
    const checkpoint = () => {
      if (++calls > 20) throw new RangeError("enough");
    };
    const zeros = whole("blob", new Uint8Array(65_536));
    const bomb = packOf([
      zeros,
      ofsDelta(zeros.length, delta(65_536, 64 * MIB, new Uint8Array(1024).fill(0x80))),
    ]);
    const { spills, room } = roomAbove(MIB);
    expect(() => takeIn(bomb, { room, checkpoint })).toThrow("enough");
    expect(spills.mostBytes).toBe(0); // nobody builds on it
  });
});
