import { type ObjectFormat, objectIdToBytes } from "@x/objects";
import { describe, expect, it } from "vitest";
import {
  compareExisting,
  cpuAllowance,
  createZlibCodec,
  type ExternalBase,
  type FindBase,
  ObjectTable,
  PackIndexer,
  type PackReader,
  SpillRoom,
  spillObject,
} from "../src/index.ts";
import { MemorySpills } from "./memory-spills.ts";
import { idOf, looseObjects, packed, packedWhole } from "./memory-table.ts";
import { readerOf } from "./open-table.ts";
import {
  appending,
  bytesOf,
  concat,
  noise,
  ofsDelta,
  packOf,
  rawId,
  refDelta,
  whole,
} from "./pack-builder.ts";
import { MemoryPack, takeIn, verdictOn } from "./take-in.ts";

const more = bytesOf("more\n");

describe.each<ObjectFormat>(["sha1", "sha256"])("a %s base that is too large to be held", (format) => {
  const first = noise(50_000);
  const second = concat(first, more);
  const id = (data: Uint8Array) => rawId(data, "blob", format);
  const blob = (data: Uint8Array) => ({ type: "blob", data }) as const;

  /** The store has `first` whole, and `second` as a delta on it. */
  const stored = (): PackReader => {
    const base = whole("blob", first);
    return packed(
      [
        { id: id(first), bytes: base },
        { id: id(second), bytes: ofsDelta(base.length, appending(first.length, more)) },
      ],
      { format },
    );
  };
  const packedTable = () => new ObjectTable(format, [stored()], looseObjects([], format));
  const looseTable = () => new ObjectTable(format, [], looseObjects([blob(first), blob(second)], format));

  function open() {
    const spills = new MemorySpills();
    return { spills, room: new SpillRoom(spills, { above: 1000 }) };
  }

  function largeBases(table: ObjectTable, room: SpillRoom): FindBase {
    return (rawBase): ExternalBase | undefined => {
      const number = table.find(rawBase, 0);
      if (number < 0) return undefined;
      const { type, size } = table.header(number);
      return { type, size, spill: () => spillObject(table, number, room), place: table.placeOf(number) };
    };
  }

  it.each([
    ["whole in a pack", packedTable, first],
    ["as a delta", packedTable, second],
    ["loose", looseTable, second],
  ])("completes a thin pack from where it lies %s", (_, table, data) => {
    for (const neutral of [false, true]) {
      const { spills, room } = open();
      const made = concat(data, bytesOf("!"));
      const thin = packOf([refDelta(id(data), appending(data.length, bytesOf("!")))], { format });
      const taken = takeIn(thin, { format, room, neutral, findBase: largeBases(table(), room) });
      expect([taken.objects, taken.added, spills.live]).toEqual([2, 1, 0]);
      const pack = readerOf(taken.stored, taken.indexBytes, format);
      for (const each of [data, made]) {
        const offset = taken.index.offset(taken.index.find(id(each), 0));
        expect(Buffer.compare(pack.read(offset).data, each)).toBe(0);
      }
      // It reads alone, and its index is right.
      expect(takeIn(taken.stored, { format }).indexBytes).toEqual(taken.indexBytes);
    }
  });

  it("adds to what taking the pack in may cost, each once", () => {
    const { room } = open();
    const memory = new MemoryPack();
    const indexer = new PackIndexer({ format, codec: createZlibCodec(), sink: memory, source: memory, room });
    const limits = { maxCpuMs: 100, maxCpuMsPerBaseMib: 2 ** 20 };
    const allowance = cpuAllowance(limits, indexer) as () => number;
    const twice = ["!", "?"].map((word) => refDelta(id(second), appending(second.length, bytesOf(word))));
    indexer.feed(packOf(twice, { format }));
    expect(allowance()).toBe(100);
    indexer.finish(largeBases(packedTable(), room));
    expect(indexer.largeBaseBytes).toBe(second.length);
    expect(allowance()).toBe(100 + second.length);
    expect(cpuAllowance({}, indexer)).toBeUndefined();
  });

  it("is refused where it, or what it is made of, is damaged or gone", () => {
    const { room } = open();
    const thin = packOf([refDelta(id(second), appending(second.length, more))], { format });
    const base = whole("blob", first);
    const broken = packed(
      [
        { id: id(first), bytes: base },
        { id: id(second), bytes: ofsDelta(base.length, appending(first.length - 1, more)) },
      ],
      { format },
    );
    const findBase = largeBases(new ObjectTable(format, [broken], looseObjects([], format)), room);
    expect(verdictOn(thin, { format, room, findBase })).toBe("pack/bad-delta");
    let calls = 0;
    const once: FindBase = (rawBase) => (++calls < 3 ? largeBases(packedTable(), room)(rawBase) : undefined);
    expect(verdictOn(thin, { format, room, findBase: once })).toBe("pack/missing-base");
    const limits = { maxDeltaObjectBytes: second.length - 1 };
    const fine = largeBases(packedTable(), room);
    expect(verdictOn(thin, { format, room, findBase: fine, limits })).toBe("pack/limit-exceeded");
  });

  it.each([
    ["packed", packedTable],
    ["loose", looseTable],
  ])("is compared with what is %s already", (_, table) => {
    const { spills, room } = open();
    const compare = (reader: PackReader) => {
      const comparison = { index: reader.index, openPack: () => reader, receivedEnd: Number.MAX_VALUE, room };
      for (const _step of compareExisting({ ...comparison, stored: table() }));
    };
    compare(packedWhole([blob(first), blob(second)], { format }));
    compare(stored());
    expect(spills.created).toBeGreaterThan(0);
    // Other bytes under the same ids.
    const other = Uint8Array.from(first);
    other[40_000] = (other[40_000] as number) ^ 1;
    const base = whole("blob", other);
    const forged = [
      { id: id(first), bytes: base },
      { id: id(second), bytes: ofsDelta(base.length, appending(other.length, more)) },
    ];
    const collision = (data: Uint8Array) => `SHA1 COLLISION FOUND WITH ${idOf(blob(data), format)} !`;
    expect(() => compare(packed(forged, { format }))).toThrow(collision(first));
    const onlySecond = [
      { id: objectIdToBytes(idOf(blob(other), format)), bytes: base },
      forged[1] as (typeof forged)[0],
    ];
    expect(() => compare(packed(onlySecond, { format }))).toThrow(collision(second));
    expect(spills.live).toBe(0);
  });
});
