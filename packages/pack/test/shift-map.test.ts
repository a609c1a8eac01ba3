import { describe, expect, it } from "vitest";
import { ShiftMap } from "../src/make/shift-map.ts";
import { Random } from "./random.ts";

describe("ShiftMap", () => {
  it("gives the shift of the stretch that an offset lies in", () => {
    const random = new Random(8);
    const map = new ShiftMap();
    const stretches: { start: number; shift: number }[] = [];
    for (let i = 0, start = 12; i < 500; i++, start += 1 + random.below(100)) {
      const shift = random.below(4) - 2;
      map.add(start, shift);
      stretches.push({ start, shift });
      for (let look = 0; look < 5; look++) {
        const offset = 12 + random.below(start - 11 + 20);
        expect(map.at(offset)).toBe(stretches.findLast((stretch) => stretch.start <= offset)?.shift);
      }
    }
  });
});
