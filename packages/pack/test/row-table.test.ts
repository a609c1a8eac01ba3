import { describe, expect, it } from "vitest";
import { RowTable } from "../src/format/row-table.ts";

const all = () => true;

describe("RowTable", () => {
  it("finds each of many rows, and no others", () => {
    const table = new RowTable(2);
    const keys = Array.from({ length: 20_000 }, (_, i) => i * 37 + (i % 3) * 2 ** 32 - (i % 5) * 2 ** 40);
    for (const [i, key] of keys.entries()) {
      const row = table.add(key, all);
      table.rows[row] = i;
      table.rows[row + 1] = -i;
    }
    expect(table.size).toBe(new Set(keys).size);
    for (const [i, key] of keys.entries()) {
      const row = table.find(key);
      expect(row).toBeGreaterThanOrEqual(0);
      expect([table.rows[row], table.rows[row + 1]]).toEqual([i, -i]);
      expect(table.find(key + 0x1_0000_0000_000)).toBe(-1);
    }
  });

  it("gives the row that is there", () => {
    const table = new RowTable(1);
    table.rows[table.add(-1, all)] = 5;
    table.rows[table.add(0, all)] = 6;
    expect(table.rows[table.add(-1, all)]).toBe(5);
    expect(table.rows[table.find(0)]).toBe(6);
    expect(table.find(1)).toBe(-1);
    expect(table.size).toBe(2);
  });

  it("drops what need not be kept instead of growing", () => {
    const table = new RowTable(1);
    const length = table.rows.length;
    for (let key = 0; key < 100 * length; key++) {
      const row = table.add(key, (at) => (table.rows[at] as number) > key - 10);
      table.rows[row] = key;
    }
    expect(table.rows.length).toBe(length);
    expect(table.find(0)).toBe(-1);
    expect(table.rows[table.find(100 * length - 1)]).toBe(100 * length - 1);
  });
});
