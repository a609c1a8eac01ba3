import { describe, expect, it } from "vitest";
import {
  decodeEntryHeader,
  ENTRY_BLOB,
  ENTRY_COMMIT,
  ENTRY_OFS_DELTA,
  ENTRY_REF_DELTA,
  ENTRY_TAG,
  ENTRY_TREE,
  encodeBaseDistance,
  encodeEntryHeader,
  entryObjectType,
  MAX_ENTRY_HEADER_BYTES,
  objectEntryType,
} from "../src/index.ts";
import { noise } from "./pack-builder.ts";

const SIZES = [0, 1, 15, 16, 2047, 2048, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];
const DISTANCES = [1, 127, 128, 16511, 16512, 2113663, 2113664, 2 ** 31, 2 ** 32 + 1, 2 ** 50];

function encode(type: number, size: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  const end = encodeEntryHeader(bytes, 0, type, size);
  bytes.set(rest, end);
  return bytes.subarray(0, end + rest.length);
}

function distance(value: number): Uint8Array {
  const bytes = new Uint8Array(10);
  return bytes.subarray(0, encodeBaseDistance(bytes, 0, value));
}

/** Whole, it reads as `expected`; cut anywhere, it asks for more. */
function expectHeader(bytes: Uint8Array, idLength: number, expected: object): void {
  expect(decodeEntryHeader(bytes, 0, idLength)).toEqual({ ...expected, dataAt: bytes.length });
  const shifted = new Uint8Array(bytes.length + 8).fill(0xff);
  shifted.set(bytes, 3);
  expect(decodeEntryHeader(shifted, 3, idLength)).toEqual({ ...expected, dataAt: bytes.length + 3 });
  for (let end = 0; end < bytes.length; end++)
    expect(decodeEntryHeader(bytes.subarray(0, end), 0, idLength)).toBeUndefined();
}

describe("entry headers", () => {
  it("come back as they were written, and may be cut anywhere", () => {
    for (const size of SIZES) {
      for (const type of [ENTRY_COMMIT, ENTRY_TREE, ENTRY_BLOB, ENTRY_TAG])
        expectHeader(encode(type, size), 20, { type, size, baseDistance: 0 });
      for (const baseDistance of DISTANCES)
        expectHeader(encode(ENTRY_OFS_DELTA, size, distance(baseDistance)), 20, {
          type: ENTRY_OFS_DELTA,
          size,
          baseDistance,
        });
      for (const idLength of [20, 32])
        expectHeader(encode(ENTRY_REF_DELTA, size, noise(idLength)), idLength, {
          type: ENTRY_REF_DELTA,
          size,
          baseDistance: 0,
        });
    }
  });

  it("are as the format draws them", () => {
    expect([...encode(ENTRY_BLOB, 0x1234)]).toEqual([0xb4, 0xa3, 0x02]);
    expect([...distance(128)]).toEqual([0x80, 0x00]);
    expect([...distance(300)]).toEqual([0x81, 0x2c]);
  });

  it("fit into the bytes they are said to fit into", () => {
    const longest = encode(ENTRY_REF_DELTA, Number.MAX_SAFE_INTEGER, noise(32));
    expect(longest.length).toBeLessThanOrEqual(MAX_ENTRY_HEADER_BYTES);
  });

  it.each([
    ["type 0", [0x05]],
    ["type 5", [0x55]],
    ["a size beyond 2^53", [0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ["a size without end", [0xb0, ...new Array<number>(20).fill(0x80)]],
    ["a distance without end", [0x61, ...new Array<number>(20).fill(0xff)]],
  ])("with %s are refused", (_, bytes) => {
    expect(() => decodeEntryHeader(Uint8Array.from([9, ...bytes]), 1, 20)).toThrow(
      expect.objectContaining({ code: "pack/malformed", offset: 1 }),
    );
  });

  it("tell types by name and number", () => {
    for (const [type, name] of [
      [ENTRY_COMMIT, "commit"],
      [ENTRY_TREE, "tree"],
      [ENTRY_BLOB, "blob"],
      [ENTRY_TAG, "tag"],
    ] as const) {
      expect(entryObjectType(type)).toBe(name);
      expect(objectEntryType(name)).toBe(type);
    }
    for (const type of [0, 5, 6, 7]) expect(entryObjectType(type)).toBeUndefined();
  });
});
