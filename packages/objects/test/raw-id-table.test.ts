import { describe, expect, it } from "vitest";
import { RawIdTable } from "../src/fsck/raw-id-table.ts";

describe.each([20, 32])("RawIdTable, %i bytes", (length) => {
  const id = (number: number) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(length - 4, number);
    return bytes;
  };

  it("knows each id once, in the order it came", () => {
    const table = new RawIdTable(length);
    expect(table.find(id(0))).toBe(-1);
    for (let i = 0; i < 2_000; i++) expect(table.add(id(i * 7))).toBe(i);
    for (let i = 0; i < 2_000; i++) {
      expect(table.add(id(i * 7))).toBe(i);
      expect(table.find(id(i * 7))).toBe(i);
      expect(table.find(id(i * 7 + 1))).toBe(-1);
      expect(table.id(i)).toEqual(id(i * 7));
    }
    expect(table.count).toBe(2_000);
  });

  it("reads ids where they stand", () => {
    const table = new RawIdTable(length);
    const padded = new Uint8Array(length + 20).fill(9);
    padded.set(id(5), 10);
    table.add(padded, 10);
    padded.fill(0);
    expect(table.find(id(5))).toBe(0);
  });
});
