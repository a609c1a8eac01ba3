import { describe, expect, it } from "vitest";
import {
  encodeDescriptor,
  encodeDirectoryRecord,
  encodeLocalHeader,
  encodeZipEnd,
  type ZipEntry,
  zipTime,
} from "../src/zip-records.ts";

const U32 = 0xffff_ffff;

const ENTRY: ZipEntry = {
  name: new TextEncoder().encode("a"),
  creatorVersion: 0,
  versionNeeded: 10,
  flags: 0,
  method: 8,
  crc: 0xdeadbeef,
  size: 1000,
  compressedSize: 10,
  isText: false,
  externalAttributes: 0,
  offset: 0,
};

const TIME = zipTime(1_112_911_993);

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("records of zip files beyond 32 bits", () => {
  it("put sizes of the local header into an extra field", () => {
    const entry = { ...ENTRY, versionNeeded: 45 as const, size: 2 ** 32 + 5, compressedSize: 7 };
    const bytes = Buffer.from(encodeLocalHeader(entry, TIME, true));
    expect(bytes.readUInt16LE(4)).toBe(45);
    expect([bytes.readUInt32LE(18), bytes.readUInt32LE(22)]).toEqual([U32, U32]);
    expect(bytes.readUInt16LE(28)).toBe(9 + 20);
    expect(hex(bytes.subarray(40))).toBe("010010000500000001000000" + "0700000000000000");
  });

  it("widen the data descriptor", () => {
    expect(encodeDescriptor(ENTRY)).toHaveLength(16);
    expect(encodeDescriptor({ ...ENTRY, size: U32 - 1 })).toHaveLength(16);
    const bytes = Buffer.from(encodeDescriptor({ ...ENTRY, size: 2 ** 32 }));
    expect(hex(bytes)).toBe("504b0708efbeadde0a000000000000000000000001000000");
  });

  it("move out of the directory what is too large for it, and only that", () => {
    const extra = (entry: Partial<ZipEntry>) => {
      const bytes = Buffer.from(encodeDirectoryRecord({ ...ENTRY, ...entry }, TIME));
      return hex(bytes.subarray(46 + 1 + 9));
    };
    expect(extra({})).toBe("");
    expect(extra({ offset: U32 })).toBe("");
    expect(extra({ offset: U32 + 1 })).toBe("010008000000000001000000");
    expect(extra({ size: U32, offset: U32 + 1 })).toBe("01001000ffffffff000000000000000001000000");
    expect(extra({ size: 2 ** 33, compressedSize: 2 ** 32, offset: 5 })).toBe(
      "01001000" + "0000000002000000" + "0000000001000000",
    );
  });

  it("end with the zip64 records when there are too many entries, or they reach too far", () => {
    const end = {
      entries: 1,
      directorySize: 10,
      offset: 20,
      creatorVersion: 0x317,
      comment: new Uint8Array(0),
    };
    expect(encodeZipEnd(end).map(({ length }) => length)).toEqual([22]);
    expect(encodeZipEnd({ ...end, entries: 0xffff, offset: U32 }).map(({ length }) => length)).toEqual([22]);
    const records = encodeZipEnd({ ...end, entries: 0x10000 }).map((bytes) => Buffer.from(bytes));
    expect(records.map(({ length }) => length)).toEqual([56, 20, 22]);
    const [wide, locator, last] = records as [Buffer, Buffer, Buffer];
    expect([wide.readUInt32LE(0), wide.readUInt16LE(12), wide.readUInt16LE(14)]).toEqual([
      0x06064b50, 0x317, 45,
    ]);
    expect([wide.readBigUInt64LE(4), wide.readBigUInt64LE(24), wide.readBigUInt64LE(48)]).toEqual([
      44n,
      65536n,
      20n,
    ]);
    expect(locator.readBigUInt64LE(8)).toBe(30n);
    expect([last.readUInt16LE(8), last.readUInt16LE(10), last.readUInt32LE(16)]).toEqual([
      0xffff, 0xffff, 20,
    ]);
    const far = encodeZipEnd({ ...end, offset: 2 ** 32 });
    expect(Buffer.from(far[2] as Uint8Array).readUInt32LE(16)).toBe(U32);
  });
});
