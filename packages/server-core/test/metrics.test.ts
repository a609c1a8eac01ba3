import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import {
  type CallLabels,
  type CallResult,
  createGitServices,
  type DumbFile,
  type Metrics,
  type PushResult,
  type StoredFiles,
} from "../src/index.ts";
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

describe("metrics of a file", () => {
  const opened = async (about: { readonly isBroken?: boolean } = {}) => {
    const { heard, ends, labels, metrics } = listener();
    const files: StoredFiles = {
      packs: async () => [],
      open: async ({ kind }) =>
        kind !== "pack"
          ? undefined
          : {
              size: 100_000,
              stamp: "s",
              modifiedMs: 0,
              async *read({ start, end }: { readonly start: number; readonly end: number }) {
                for (let at = start; at < end; at += 65_536) {
                  if (about.isBroken === true) throw new Error("EIO");
                  yield new Uint8Array(Math.min(65_536, end - at));
                }
              },
              close: async () => {},
            },
    };
    const repository = Object.assign(new MemoryRepository(), { files });
    const { dumb } = createGitServices({ repositories: async () => repository, metrics });
    const ask = (file: DumbFile) =>
      dumb({ repository: "/a", file, transport: "https", peer: {}, signal: new AbortController().signal });
    return { heard, ends, labels, ask };
  };
  const PACK: DumbFile = { kind: "pack", checksum: "a".repeat(40) };

  it("hear of it when it was read, and of how much", async () => {
    const { heard, ends, labels, ask } = await opened();
    const content = await ask(PACK);
    expect(heard).toEqual([]);
    for await (const _ of content?.read({ start: 10, end: 90_010 }) ?? []);
    await content?.close();
    expect(labels).toEqual([{ service: "git-upload-pack", transport: "https", version: "dumb" }]);
    expect(ends).toEqual([expect.objectContaining({ outcome: "ok", bytesIn: 0, bytesOut: 90_000 })]);
    expect(ends[0]?.firstByteMs).toBeGreaterThanOrEqual(0);
  });

  it("hear of one that is not read, not there, left, or broken", async () => {
    const { ends, ask } = await opened();
    await (await ask(PACK))?.close();
    expect(await ask({ kind: "alternates" })).toBeUndefined();
    for await (const _ of (await ask(PACK))?.read() ?? []) break;
    const broken = await opened({ isBroken: true });
    const content = await broken.ask(PACK);
    await expect(content?.read()[Symbol.asyncIterator]().next()).rejects.toThrow("EIO");
    expect([...ends, ...broken.ends].map(({ outcome, bytesOut }) => [outcome, bytesOut])).toEqual([
      ["ok", 0],
      ["ok", 0],
      ["left", 65_536],
      ["server-core/internal", 0],
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
