import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { LoopTurns } from "../src/pool/loop-turns.ts";

it("a few go on in each turn of the event loop, in the order they came", async () => {
  const turns = new LoopTurns(3);
  const gone: number[] = [];
  const counts: number[] = [];
  for (let n = 0; n < 10; n++) void turns.take().then(() => gone.push(n));
  for (let turn = 0; turn < 5; turn++) {
    await Promise.resolve();
    await Promise.resolve();
    counts.push(gone.length);
    await nextTurn();
  }
  expect(counts).toEqual([3, 6, 9, 10, 10]);
  expect(gone).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it("whoever comes again and again leaves room for the others", async () => {
  const turns = new LoopTurns(4);
  let greedy = 0;
  let stop = false;
  const running = Promise.all(
    Array.from({ length: 50 }, async () => {
      for (; !stop; greedy++) await turns.take();
    }),
  );
  let seen = 0;
  for (; seen < 20; seen++) await nextTurn();
  stop = true;
  // Twenty turns passed while work for thousands was there.
  expect(greedy).toBeLessThanOrEqual(21 * 4);
  expect(greedy).toBeGreaterThanOrEqual(15 * 4);
  await running;
});
