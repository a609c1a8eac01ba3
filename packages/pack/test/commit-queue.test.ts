import { describe, expect, it } from "vitest";
import { CommitQueue } from "../src/walk/commit-queue.ts";
import { Random } from "./random.ts";

describe("CommitQueue", () => {
  it("gives the youngest, and of equals the one that came first", () => {
    const random = new Random(6);
    const queue = new CommitQueue();
    const model: { commit: number; time: number }[] = [];
    for (let step = 0; step < 5000; step++) {
      if (random.below(5) < 3) {
        const time = random.below(30);
        queue.push(step, time);
        model.push({ commit: step, time });
      } else {
        const youngest = model.reduce<number>(
          (best, { time }, i) => (best < 0 || time > (model[best]?.time ?? 0) ? i : best),
          -1,
        );
        const [expected] = youngest < 0 ? [] : model.splice(youngest, 1);
        expect(queue.pop()).toBe(expected?.commit ?? -1);
      }
      expect(queue.size).toBe(model.length);
    }
  });
});
