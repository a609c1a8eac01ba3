import { expect, it } from "vitest";
import { whileWorking } from "../src/keepalive.ts";

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
