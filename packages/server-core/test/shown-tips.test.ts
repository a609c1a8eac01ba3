import type { ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { ShownIds } from "../src/visible/shown-ids.ts";
import { ShownTips } from "../src/visible/shown-tips.ts";

const id = (n: number) => n.toString(16).padStart(40, "0") as ObjectId;

describe("tips that were shown", () => {
  it("are looked through once, however often they are shown", () => {
    let now = 0;
    const shown = new ShownTips(3, 100, () => now);
    let walks = 0;
    const counted = new Proxy(new Set([id(1), id(2)]), {
      get(target, name) {
        if (name === Symbol.iterator) walks++;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    for (let i = 0; i < 3; i++) shown.addAll(counted);
    expect(walks).toBe(1);
    shown.addAll(new Set([id(3), id(4)])); // there is room for one
    expect([1, 2, 3, 4].map((n) => shown.has(id(n)))).toEqual([true, true, true, false]);
    now = 100;
    shown.addAll(counted);
    expect(walks).toBe(2);
    now = 250;
    expect(shown.has(id(3))).toBe(false);
    expect(shown.has(id(2))).toBe(true);
  });

  it("are those of a connection, its own and those of kept listings", () => {
    const shown = new ShownIds();
    shown.add(id(1));
    shown.addAll(new Set([id(2)]));
    expect([1, 2, 3].map((n) => shown.has(id(n)))).toEqual([true, true, false]);
  });
});
