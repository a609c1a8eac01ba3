import { expect, it } from "vitest";
import { trackCalls } from "../src/serve/running-calls.ts";

const LABELS = { service: "git-upload-pack", transport: "test", version: 2 } as const;
const RESULT = { outcome: "ok", ms: 1, firstByteMs: 1, bytesIn: 0, bytesOut: 0 } as const;

it("waits for calls that run, and passes on what it hears", async () => {
  const heard: string[] = [];
  const { metrics, idle } = trackCalls({
    call: () => ({
      phase: (phase) => void heard.push(phase),
      waiting: (change) => void heard.push(`waiting ${change}`),
      packSent: () => void heard.push("sent"),
      packTaken: () => void heard.push("taken"),
      end: () => void heard.push("end"),
    }),
  });
  await idle(60_000);
  const [one, two] = [metrics.call(LABELS), metrics.call(LABELS)];
  let isIdle = false;
  const over = idle(60_000).then(() => {
    isIdle = true;
  });
  one.phase("send", 1);
  one.waiting(1);
  one.packSent({ objects: 1, bytes: 1, reused: 1, deltas: 0 });
  one.packTaken({ objects: 1, bytes: 1, trailingBytes: 0 });
  one.end(RESULT);
  await Promise.resolve();
  expect(isIdle).toBe(false);
  two.end(RESULT);
  await over;
  expect(heard).toEqual(["send", "waiting 1", "sent", "taken", "end", "end"]);
});

it("does not wait for ever", async () => {
  const { metrics, idle } = trackCalls(undefined);
  const call = metrics.call(LABELS);
  await idle(5);
  call.end(RESULT);
  await idle(60_000);
});
