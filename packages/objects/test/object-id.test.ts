import { describe, expect, it } from "vitest";
import {
  hexIdLength,
  isZeroId,
  objectIdFromBytes,
  objectIdToBytes,
  parseObjectId,
  rawIdLength,
  zeroId,
} from "../src/object-id.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";
const LONG_ID = ID + ID.slice(0, 24);

describe.each([
  ["sha1", ID, 20],
  ["sha256", LONG_ID, 32],
] as const)("ids of %s", (format, text, length) => {
  it("have a length", () => {
    expect(rawIdLength(format)).toBe(length);
    expect(hexIdLength(format)).toBe(length * 2);
  });

  it("parse, in either case, to lower case", () => {
    expect(parseObjectId(text, format)).toBe(text);
    expect(parseObjectId(text.toUpperCase(), format)).toBe(text);
  });

  it("do not parse from anything else", () => {
    const digits = text.slice(1);
    const wrong = [
      "",
      digits,
      `${text}0`,
      `g${digits}`,
      ` ${digits}`,
      `${digits}\n`,
      `-${digits}`,
      `+${digits}`,
    ];
    for (const other of [...wrong, `0x${text.slice(2)}`, `\u0131${digits}`, `\u212a${digits}`, "__proto__"])
      expect(parseObjectId(other, format)).toBeUndefined();
    expect(parseObjectId(format === "sha1" ? LONG_ID : ID, format)).toBeUndefined();
  });

  it("go to bytes and back, from any place", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (let at = 0; at + length <= 256; at++) {
      const id = objectIdFromBytes(bytes, format, at);
      expect(parseObjectId(id, format)).toBe(id);
      expect(objectIdToBytes(id)).toEqual(bytes.subarray(at, at + length));
    }
  });

  it("are refused when their bytes stop short", () => {
    for (let size = 0; size < length; size++)
      expect(() => objectIdFromBytes(new Uint8Array(size), format)).toThrow(
        expect.objectContaining({ code: "objects/bad-id" }),
      );
    expect(() => objectIdFromBytes(new Uint8Array(length), format, 1)).toThrow();
  });

  it("have a zero", () => {
    expect(zeroId(format)).toBe("0".repeat(length * 2));
    expect(isZeroId(zeroId(format))).toBe(true);
    const id = parseObjectId(text, format);
    expect(id !== undefined && isZeroId(id)).toBe(false);
  });
});
