import { describe, expect, it } from "vitest";
import { byteStringFromBytes, bytesFromByteString } from "../src/byte-string.ts";

const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);

describe("byte strings", () => {
  it("have one character for each byte, whatever the bytes are", () => {
    expect([...byteStringFromBytes(all)].map((character) => character.charCodeAt(0))).toEqual([...all]);
    for (const bytes of [all.subarray(0, 128), all.subarray(128), all.subarray(200, 201), all.subarray(0, 0)])
      expect(bytesFromByteString(byteStringFromBytes(bytes))).toEqual(bytes);
  });

  it("keep what looks like text in UTF-8", () => {
    for (const text of ["é", "\ufffd", "\ufeffx", "a\ufffdb", "😀"]) {
      const bytes = new TextEncoder().encode(text);
      const string = byteStringFromBytes(bytes);
      expect(string.length).toBe(bytes.length);
      expect(bytesFromByteString(string)).toEqual(bytes);
    }
    const invalid = Uint8Array.of(0x61, 0xff, 0x62, 0xc3);
    expect(bytesFromByteString(byteStringFromBytes(invalid))).toEqual(invalid);
  });
});
