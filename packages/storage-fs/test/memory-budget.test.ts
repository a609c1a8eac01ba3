import { describe, expect, it } from "vitest";
import { MemoryBudget } from "../src/memory-budget.ts";

describe("MemoryBudget", () => {
  it("lets go of the longest unused, and never of the latest", () => {
    const dropped: string[] = [];
    const budget = new MemoryBudget(100);
    const [a, b, c] = [{}, {}, {}];
    budget.keep(a, 40, () => dropped.push("a"));
    budget.keep(b, 40, () => dropped.push("b"));
    budget.touch(a);
    budget.keep(c, 40, () => dropped.push("c"));
    expect(dropped).toEqual(["b"]);
    budget.keep(c, 1000, () => dropped.push("c again"));
    expect(dropped).toEqual(["b", "a"]);
    budget.keep(a, 10, () => dropped.push("a again"));
    expect(dropped).toEqual(["b", "a", "c again"]);
    budget.release(a);
    budget.keep(b, 100, () => dropped.push("b again"));
    expect(dropped).toHaveLength(3);
  });
});
