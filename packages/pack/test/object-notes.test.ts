import { describe, expect, it } from "vitest";
import { IntList, ObjectFlags } from "../src/walk/object-notes.ts";

describe("ObjectFlags", () => {
  it("keeps bits apart, and grows", () => {
    const flags = new ObjectFlags(0);
    for (const number of [0, 63, 64, 65, 1000, 100_000]) {
      expect(flags.get(number)).toBe(0);
      flags.clear(number, 255);
      flags.set(number, 5);
      flags.set(number, 8);
      flags.clear(number, 4);
      expect(flags.get(number)).toBe(9);
    }
    expect([0, 63, 64, 65, 1000].map((number) => flags.get(number))).toEqual([9, 9, 9, 9, 9]);
    expect(flags.get(66)).toBe(0);
  });
});

describe("IntList", () => {
  it("keeps what was pushed", () => {
    const list = new IntList();
    for (let i = 0; i < 1000; i++) list.push(i * 3);
    expect(list.length).toBe(1000);
    expect(list.get(999)).toBe(2997);
    for (let i = 999; i >= 0; i--) expect(list.pop()).toBe(i * 3);
    expect(list.pop()).toBe(-1);
  });
});
