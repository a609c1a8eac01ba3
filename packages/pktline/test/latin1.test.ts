import { describe, expect, it } from "vitest";
import { decodeLatin1, encodeLatin1, lineText } from "../src/index.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);

describe("latin1", () => {
  it("keeps every byte, those that windows-1252 turns into something else too", () => {
    const decoded = decodeLatin1(EVERY_BYTE);
    expect([...decoded].map((char) => char.codePointAt(0))).toEqual([...EVERY_BYTE]);
    expect(encodeLatin1(decoded)).toEqual(EVERY_BYTE);
  });

  it.each([8191, 8192, 8193, 100_000])("decodes %i bytes", (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i % 251);
    expect(encodeLatin1(decodeLatin1(bytes))).toEqual(bytes);
  });

  it("takes one line feed off a line, never two", () => {
    expect(lineText(encodeLatin1("a\n"))).toBe("a");
    expect(lineText(encodeLatin1("a\n\n"))).toBe("a\n");
    expect(lineText(encodeLatin1("a"))).toBe("a");
    expect(lineText(encodeLatin1(""))).toBe("");
    expect(lineText(encodeLatin1("\n"))).toBe("");
  });
});
