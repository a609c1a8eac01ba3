import type { ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { ReachMemory } from "../src/visible/reach-memory.ts";
import { ShownTips } from "../src/visible/shown-tips.ts";

const id = (n: number) => n.toString(16).padStart(40, "0") as ObjectId;
const signal = new AbortController().signal;

/** Reaches all even ids; answers when told to. */
function store() {
  const waiting: (() => void)[] = [];
  const asked: (readonly ObjectId[])[] = [];
  return {
    asked,
    release: () => waiting.shift()?.(),
    unreachable: (ids: readonly ObjectId[]) => {
      asked.push(ids);
      return new Promise<readonly ObjectId[]>((resolve) => {
        waiting.push(() => resolve(ids.filter((one) => Number(`0x${one}`) % 2 === 1)));
      });
    },
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("what refs reach", () => {
  it("is walked for once at a time, and those who waited need not ask again", async () => {
    const objects = store();
    const memory = new ReachMemory(100);
    const first = memory.unreachable(objects, [id(1), id(2)], [id(9)], signal);
    await settle();
    const second = memory.unreachable(objects, [id(2), id(1)], [id(9)], signal);
    const third = memory.unreachable(objects, [id(3), id(1)], [id(9)], signal);
    await settle();
    expect(objects.asked).toHaveLength(1);
    objects.release();
    expect(await first).toEqual([id(1)]);
    expect(await second).toEqual([id(1)]);
    await settle();
    expect(objects.asked).toEqual([[id(1), id(2)], [id(3)]]);
    objects.release();
    expect(await third).toEqual([id(3), id(1)]);
  });

  it("does not hold up the others for one who leaves or fails", async () => {
    const objects = store();
    const memory = new ReachMemory(100);
    const leaver = new AbortController();
    const first = memory.unreachable(objects, [id(1)], [id(9)], signal);
    await settle();
    const left = memory.unreachable(objects, [id(3)], [id(9)], leaver.signal);
    const failing = memory.unreachable(
      { unreachable: () => Promise.reject(new Error("broken disk")) },
      [id(5)],
      [id(9)],
      signal,
    );
    const last = memory.unreachable(objects, [id(7)], [id(9)], signal);
    await settle();
    leaver.abort(new Error("left"));
    await expect(left).rejects.toThrow("left");
    objects.release();
    expect(await first).toEqual([id(1)]);
    await expect(failing).rejects.toThrow("broken disk");
    await settle();
    objects.release();
    expect(await last).toEqual([id(7)]);
    expect(objects.asked).toEqual([[id(1)], [id(7)]]);
  });

  it("is kept for few states and few objects, and never decided by what was dropped", async () => {
    let walks = 0;
    const objects = {
      unreachable: async (ids: readonly ObjectId[]) => {
        walks++;
        return ids;
      },
    };
    const memory = new ReachMemory(2);
    const many = [1, 3, 5, 7, 9].map(id);
    expect(await memory.unreachable(objects, many, [id(2)], signal)).toEqual(many);
    expect(await memory.unreachable(objects, [id(9)], [id(2)], signal)).toEqual([id(9)]);
    expect(walks).toBe(1);
    expect(await memory.unreachable(objects, [id(1)], [id(2)], signal)).toEqual([id(1)]);
    expect(walks).toBe(2);
    for (const state of [4, 6, 8, 10]) await memory.unreachable(objects, [id(1)], [id(state)], signal);
    expect(walks).toBe(6);
    await memory.unreachable(objects, [id(1)], [id(2)], signal);
    expect(walks).toBe(7);
  });
});

describe("tips that were shown", () => {
  it("are remembered for one to two spans", () => {
    let now = 0;
    const shown = new ShownTips(10, 100, () => now);
    shown.add(id(1));
    now = 150;
    expect(shown.has(id(1))).toBe(true);
    now = 249;
    expect(shown.has(id(1))).toBe(true);
    now = 250;
    expect(shown.has(id(1))).toBe(false);
    shown.add(id(2));
    now = 10_000;
    expect(shown.has(id(2))).toBe(false);
  });

  it("are only so many", () => {
    const shown = new ShownTips(2, 100, () => 0);
    for (const n of [1, 2, 3]) shown.add(id(n));
    expect([1, 2, 3].map((n) => shown.has(id(n)))).toEqual([true, true, false]);
  });
});
