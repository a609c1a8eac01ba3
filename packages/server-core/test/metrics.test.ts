import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import type { CallLabels, CallResult, Metrics, PushResult } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bring, push } from "./push-story.ts";
import { serve } from "./story.ts";

/** What was heard, in order. */
function listener() {
  const heard: string[] = [];
  const ends: CallResult[] = [];
  const labels: CallLabels[] = [];
  const metrics: Metrics = {
    call(of) {
      labels.push(of);
      return {
        phase: (phase, ms) => void heard.push(ms >= 0 ? phase : `${phase} ${ms}`),
        waiting: (change) => void heard.push(`waiting ${change}`),
        packSent: ({ objects, reused }) => void heard.push(`sent ${objects} ${reused}`),
        packTaken: ({ objects }) => void heard.push(`taken ${objects}`),
        end: (result) => {
          heard.push("end");
          ends.push(result);
        },
      };
    },
  };
  return { heard, ends, labels, metrics };
}

describe("metrics of a call", () => {
  it("hear of a fetch", async () => {
    const { heard, ends, labels, metrics } = listener();
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    const input = [encodePackets(["command=fetch", delim, `want ${c5}`, "done", flush])];
    const { text } = await serve(repository, { input, options: { metrics } });
    expect(labels).toEqual([{ service: "git-upload-pack", transport: "test", version: 2 }]);
    expect(heard).toEqual([
      "authorize",
      "resolve",
      "negotiate",
      "count",
      expect.stringMatching(/^sent \d+ \d+$/),
      "send",
      "end",
    ]);
    expect(ends).toEqual([
      {
        outcome: "ok",
        ms: expect.any(Number),
        firstByteMs: expect.any(Number),
        bytesIn: input[0]?.length,
        bytesOut: text.length,
      },
    ]);
  });

  it("hear of a push", async () => {
    const { heard, ends, metrics } = listener();
    const repository = new MemoryRepository();
    repository.five();
    const { id, pack } = bring(repository, "new");
    const options = { pack, service: { metrics, hooks: { preReceive: async () => undefined } } };
    await push(repository, [["refs/heads/new", undefined, id]], options);
    expect(heard.filter((word) => word !== "hooks")).toEqual([
      "authorize",
      "resolve",
      "receive",
      "index",
      "taken 3",
      "connectivity",
      "publish",
      "refs",
      "end",
    ]);
    expect(heard).toContain("hooks");
    expect(ends).toMatchObject([{ outcome: "ok" }]);
  });

  it("hear how a call failed, and that nothing was answered", async () => {
    const { ends, metrics } = listener();
    const repository = new MemoryRepository();
    await serve(repository, { options: { metrics, services: [] } });
    expect(ends).toMatchObject([
      { outcome: "server-core/service-disabled", firstByteMs: undefined, bytesOut: 0 },
    ]);
  });
});

describe("postPush", () => {
  async function told(commands: Parameters<typeof push>[1], repository: MemoryRepository, refuse?: string) {
    const results: PushResult[] = [];
    const hooks = {
      update: async (_: unknown, { ref }: { readonly ref: string }) =>
        ref === refuse ? "not this one" : undefined,
      postPush: async (_: unknown, result: PushResult) => void results.push(result),
    };
    await push(repository, commands, { service: { hooks } });
    return results;
  }

  it("hears what became of each ref", async () => {
    const repository = new MemoryRepository();
    const commits = repository.five();
    const results = await told(
      [
        ["refs/heads/a", undefined, commits[0]],
        ["refs/heads/b", undefined, commits[1]],
        ["refs/heads/c", commits[0], commits[1]],
      ],
      repository,
      "refs/heads/b",
    );
    expect(results).toMatchObject([
      {
        outcome: "ok",
        commands: [
          { ref: "refs/heads/a", newId: commits[0], outcome: "done", error: undefined },
          { ref: "refs/heads/b", outcome: "refused", error: "not this one" },
          { ref: "refs/heads/c", outcome: "refused", oldId: commits[0] },
        ],
      },
    ]);
    expect(results[0]?.ms).toBeGreaterThanOrEqual(0);
  });

  it("hears of a push that was lost on its way", async () => {
    const results: PushResult[] = [];
    const hooks = { postPush: async (_: unknown, result: PushResult) => void results.push(result) };
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const gone = new AbortController();
    const prePush = async () => {
      gone.abort();
      return undefined;
    };
    await push(repository, [["refs/heads/a", undefined, c1]], {
      call: { signal: gone.signal },
      service: { hooks: { ...hooks, prePush } },
    });
    expect(results).toMatchObject([{ outcome: "left", commands: [{ outcome: "not-reached" }] }]);
  });
});
