import { afterEach, expect, it, vi } from "vitest";
import { IDLE, whileWorking, withIdle } from "../src/keepalive.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it("work that wants its silence marked from some point on is heard when it says so", async () => {
  let idleMs: number | undefined;
  const work = whileWorking(
    async (voice) => {
      await sleep(20);
      idleMs = 10;
      voice.say(new Uint8Array(0));
      await sleep(60);
      return "done";
    },
    () => idleMs,
  );
  const kinds: string[] = [];
  for await (const { kind } of work) kinds.push(kind);
  expect(kinds).toContain("idle");
  expect(new Set(kinds)).toEqual(new Set(["idle", "result"]));
});

afterEach(() => void vi.useRealTimers());

it.each<[string, (() => boolean) | undefined, number[]]>([
  ["that cannot be told from one that listens", undefined, [5000, 10_000]],
  ["that listens", () => false, [5005, 10_010]],
  ["that may be gone", () => true, [385, 770]],
])("silence is marked for a client %s", async (_, mayBeGone, expected) => {
  vi.useFakeTimers();
  const started = Date.now();
  const source = (async function* (): AsyncGenerator<string> {
    await new Promise(() => {});
  })();
  const marks = withIdle(source, 5000, mayBeGone);
  const times: number[] = [];
  for (let turn = 0; turn < expected.length; turn++) {
    const next = marks.next();
    void next.then(() => times.push(Date.now() - started));
    while (times.length <= turn) await vi.advanceTimersToNextTimerAsync();
    expect((await next).value).toBe(IDLE);
  }
  expect(times).toEqual(expected);
});
