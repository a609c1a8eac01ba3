import { describe, expect, it } from "vitest";
import { BoundaryRing } from "../src/walk/boundary-ring.ts";
import { Random } from "./random.ts";

describe("BoundaryRing", () => {
  it.each([1, 2, 10, 64, 1000])("gives lists whole or not at all, ring of %i", (size) => {
    const random = new Random(size);
    const ring = new BoundaryRing(size);
    const model = new Map<number, number[]>();
    let hits = 0;
    for (let step = 0; step < 4000; step++) {
      const key = random.below(12);
      const length = random.below(random.once(20) ? size * 2 + 2 : Math.ceil(size / 6) + 1);
      const base = ring.get(random.below(12), length);
      const baseKey = base === undefined ? -1 : [...model].find(([, list]) => list[0] === base.at(0))?.[0];
      ring.begin();
      const list: number[] = [];
      for (let i = 0, value = step * 10_000; i < length; i++) {
        value += 1 + random.below(5);
        ring.add(value);
        list.push(value);
      }
      // The base that was asked for, with room for as many as came.
      if (base !== undefined && base.length > 0 && baseKey !== undefined) {
        hits++;
        const expected = model.get(baseKey) as number[];
        expect(Array.from({ length: base.length }, (_, i) => base.at(i))).toEqual(expected);
        const probe = (expected[0] as number) + random.below(40) - 5;
        const index = expected.findIndex((value) => value >= probe);
        expect(base.lowerBound(probe)).toBe(index < 0 ? expected.length : index);
      }
      if (random.once(8)) continue; // given up half way
      ring.end(key);
      model.set(key, list);
    }
    if (size > 10) expect(hits).toBeGreaterThan(200);
  });

  it("goes on showing a list while it grows", () => {
    const ring = new BoundaryRing(100_000);
    const last = 16_000;
    ring.begin();
    for (let value = 0; value < last; value++) ring.add(value * 2);
    ring.end(1);
    const list = ring.get(1, 60_000);
    ring.begin();
    for (let value = 0; value < 60_000; value++) ring.add(value + 5);
    ring.end(2);
    for (const read of [list, ring.get(1, 20_000)]) {
      expect(read?.length).toBe(last);
      for (let i = 0; i < last; i += 7) expect(read?.at(i)).toBe(i * 2);
      expect(read?.lowerBound(9001)).toBe(4501);
    }
    expect(ring.get(2, 1)?.at(59_999)).toBe(60_004);
    expect(ring.get(1, 24_001)).toBeUndefined();
  });

  it("drops the keys of what is overwritten", () => {
    const ring = new BoundaryRing(100);
    for (let key = 0; key < 50_000; key++) {
      ring.begin();
      ring.add(key);
      ring.end(key);
    }
    expect(ring.get(49_800, 1)).toBeUndefined();
    expect(ring.get(49_999, 1)?.at(0)).toBe(49_999);
  });
});
