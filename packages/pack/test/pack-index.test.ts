import { type ObjectFormat, rawIdLength } from "@x/objects";
import { describe, expect, it } from "vitest";
import { sortIds } from "../src/format/sort-ids.ts";
import { encodePackIndex, encodeReverseIndex, PackIndex } from "../src/index.ts";
import { concat, noise, trailerOf } from "./pack-builder.ts";

const code = (run: () => unknown): unknown => {
  try {
    run();
    return "fine";
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

/** Columns for `count` objects with ids that are not in the order of their offsets. */
function columns(format: ObjectFormat, count: number, offsetOf: (row: number) => number) {
  const idLength = rawIdLength(format);
  const ids = noise(count * idLength, 42);
  return {
    format,
    count,
    ids,
    crcs: Uint32Array.from({ length: count }, (_, row) => 0xffffff00 + row),
    offsets: Float64Array.from({ length: count }, (_, row) => offsetOf(row)),
    sorted: sortIds(ids, count, idLength),
    packChecksum: noise(idLength, 7),
  };
}

describe.each<ObjectFormat>(["sha1", "sha256"])("index files in %s", (format) => {
  const idLength = rawIdLength(format);

  it.each([
    ["none", 0, (row: number) => row],
    ["few", 5, (row: number) => 12 + row * 100],
    ["many", 3000, (row: number) => 12 + row * 70],
    ["some beyond 2 GiB", 900, (row: number) => 12 + row * 5_000_000],
    ["some beyond 2^40", 50, (row: number) => 12 + row * 2 ** 40],
  ])("of %s objects tell what they were told", (_, count, offsetOf) => {
    const objects = columns(format, count, offsetOf);
    const index = new PackIndex(encodePackIndex(objects), format);
    expect([index.count, index.version]).toEqual([count, 2]);
    expect(Buffer.compare(index.packChecksum, objects.packChecksum)).toBe(0);
    for (let row = 0; row < count; row++) {
      const position = index.find(objects.ids, row * idLength);
      expect(objects.sorted[position]).toBe(row);
      expect(index.offset(position)).toBe(offsetOf(row));
      expect(index.crc32(position)).toBe(objects.crcs[row]);
      expect(index.order[row]).toBe(position);
      expect(index.rankOfOffset(offsetOf(row))).toBe(row);
    }
    expect(index.find(noise(idLength, 99), 0)).toBe(-1);
    expect(index.rankOfOffset(offsetOf(count) + 1)).toBe(-1);
  });

  it("end in their own checksum", () => {
    const objects = columns(format, 10, (row) => 12 + row);
    for (const file of [encodePackIndex(objects), encodeReverseIndex(objects)])
      expect(Buffer.compare(file.subarray(-idLength), trailerOf(file.subarray(0, -idLength), format))).toBe(
        0,
      );
  });

  it("of version 1 are read too", () => {
    const objects = columns(format, 300, (row) => 12 + row * 14_000_000);
    const fanout = new DataView(new ArrayBuffer(1024));
    const rows = [...objects.sorted].map((row, position) => {
      const first = objects.ids[row * idLength] as number;
      for (let i = first; i < 256; i++) fanout.setUint32(i * 4, position + 1);
      const head = new DataView(new ArrayBuffer(4));
      head.setUint32(0, objects.offsets[row] as number);
      return concat(new Uint8Array(head.buffer), objects.ids.subarray(row * idLength, (row + 1) * idLength));
    });
    const body = concat(new Uint8Array(fanout.buffer), ...rows, objects.packChecksum);
    const index = new PackIndex(concat(body, trailerOf(body, format)), format);
    expect([index.version, index.count]).toEqual([1, 300]);
    for (let row = 0; row < 300; row++) {
      const position = index.find(objects.ids, row * idLength);
      expect(index.offset(position)).toBe(objects.offsets[row]);
      expect(index.crc32(position)).toBeUndefined();
    }
  });

  it("that are cut, too long, unsorted or of another version are refused", () => {
    const objects = columns(format, 40, (row) => 12 + row * 2 ** 27);
    const file = encodePackIndex(objects);
    const changed = (at: number, ...bytes: number[]) => {
      const copy = Uint8Array.from(file);
      copy.set(bytes, at);
      return copy;
    };
    expect(code(() => new PackIndex(file, format))).toBe("fine");
    for (const bad of [
      new Uint8Array(0),
      file.subarray(0, 100),
      file.subarray(0, -1),
      file.subarray(0, -8 * 50),
      concat(file, Uint8Array.of(0)),
      changed(4, 0, 0, 0, 3),
      changed(8 + 255 * 4, 0xff, 0xff, 0xff, 0xff),
      changed(8 + 1024, 0xff, 0xff, 0xff),
      changed(8 + 254 * 4, 0, 0, 0, 0),
      changed(8, 0, 0, 0, 99),
    ])
      expect(code(() => new PackIndex(bad, format))).toBe("pack/bad-index");
  });

  it("with a large offset out of the table are refused when it is asked for", () => {
    const objects = columns(format, 3, (row) => 12 + row * 2 ** 31);
    const file = encodePackIndex(objects);
    const offsetsAt = 8 + 1024 + 3 * (idLength + 4);
    new DataView(file.buffer).setUint32(offsetsAt, 0x80000009);
    const index = new PackIndex(file, format);
    expect(code(() => index.offset(0))).toBe("pack/bad-index");
  });
});
