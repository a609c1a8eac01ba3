import { delim, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import type { GitServiceOptions } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { type Answer, bandsOf, history, serve } from "./story.ts";

function fetch(
  repository: MemoryRepository,
  lines: Writable[],
  options: Partial<GitServiceOptions> = {},
): Promise<Answer> {
  const format = `object-format=${repository.objectFormat}`;
  return serve(repository, {
    input: [encodePackets(["command=fetch", format, delim, ...lines, flush])],
    options,
  });
}

const unknown = (byte: string) => byte.repeat(20);

describe.each(["sha1", "sha256"] as const)("fetch in v2, %s", (format) => {
  it("clones", async () => {
    const repository = new MemoryRepository(format);
    const [, , , , c5] = repository.five();
    const { packets, error } = await fetch(repository, [`want ${c5}\n`, "ofs-delta\n", "done\n"]);
    expect(error).toBeUndefined();
    expect(packets[0]).toBe("packfile\n");
    expect(packets.at(-1)).toBe("flush");
    const { data, progress } = bandsOf(packets);
    expect(history(data)).toEqual(["c1", "c2", "c3", "c4", "c5"]);
    expect(progress).toBe("Counting objects: 15, done.\n");
    expect(repository.objects.orders).toEqual([
      {
        wants: [c5],
        haves: [],
        shallow: [],
        thin: false,
        ofsDelta: true,
        tags: [],
        progress: true,
        filter: undefined,
        limits: { maxTreeVisits: 50_000_000, maxCpuMs: 1_800_000, maxPackBytes: 2 ** 40 },
      },
    ]);
  });

  it("sends what is missing, and acknowledges what is common", async () => {
    const repository = new MemoryRepository(format);
    const [, , c3, , c5] = repository.five();
    const lines = [`want ${c5}\n`, `have ${c3}\n`, `have ${c3}\n`, "thin-pack\n", "no-progress\n"];
    const { packets } = await fetch(repository, lines);
    expect(packets.slice(0, 5)).toEqual([
      "acknowledgments\n",
      `ACK ${c3}\n`,
      "ready\n",
      "delim",
      "packfile\n",
    ]);
    const { data, progress } = bandsOf(packets);
    expect(history(data)).toEqual(["c4", "c5"]);
    expect(progress).toBe("");
    expect(repository.objects.orders[0]).toMatchObject({ thin: true, progress: false, haves: [c3] });
  });
});

describe("fetch in v2", () => {
  it("waits for more haves while a want has nothing common in its history", async () => {
    const repository = new MemoryRepository();
    const [, c2, , , c5] = repository.five();
    const alone = repository.commit("alone");
    repository.refs.set("refs/heads/alone", alone);
    const lines = [`want ${c5}`, `want ${alone}`, `have ${c2}`, `have ${unknown("ab")}`];
    expect((await fetch(repository, lines)).packets).toEqual(["acknowledgments\n", `ACK ${c2}\n`, "flush"]);
    expect((await fetch(repository, [`want ${c5}`, `have ${unknown("ab")}`])).packets).toEqual([
      "acknowledgments\n",
      "NAK\n",
      "flush",
    ]);
    expect(repository.objects.orders).toEqual([]);
  });

  it("leaves the acknowledgments out after done", async () => {
    const repository = new MemoryRepository();
    const [, c2, , , c5] = repository.five();
    const { packets } = await fetch(repository, [`want ${c5}`, `have ${c2}`, "done"]);
    expect(packets[0]).toBe("packfile\n");
    expect(history(bandsOf(packets).data)).toEqual(["c3", "c4", "c5"]);
  });

  it("never says ready to a client that waits for done", async () => {
    const repository = new MemoryRepository();
    const [, c2, , , c5] = repository.five();
    const expected = ["acknowledgments\n", `ACK ${c2}\n`, "flush"];
    expect((await fetch(repository, [`want ${c5}`, `have ${c2}`, "wait-for-done"])).packets).toEqual(
      expected,
    );
    expect((await fetch(repository, ["wait-for-done", `have ${c2}`])).packets).toEqual(expected);
  });

  it("of nothing is answered by nothing", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    for (const lines of [[], ["done"], [`have ${c1}`, "done"], [`shallow ${c1}`]])
      expect((await fetch(repository, lines)).text).toBe("");
  });

  it("brings the tags of what is sent along, when asked", async () => {
    const repository = new MemoryRepository();
    const [, c2, , , c5] = repository.five();
    const nested = repository.tag("nested", repository.tag("inner", c5));
    repository.refs.set("refs/tags/nested", nested);
    repository.refs.set("refs/tags/old", repository.tag("old", c2));
    repository.refs.set("refs/tags/light", c5);
    repository.refs.set("refs/other/tag", repository.tag("other", c5));
    const lines = [`want ${c5}`, `have ${c2}`, "done"];
    expect(history(bandsOf((await fetch(repository, lines)).packets).data)).toEqual(["c3", "c4", "c5"]);
    const { packets } = await fetch(repository, [...lines, "include-tag"]);
    expect(history(bandsOf(packets).data)).toEqual(["c3", "c4", "c5", "nested"]);
    expect(repository.objects.orders[1]?.tags?.map(({ peeled }) => peeled)).toEqual([c5, c2]);
  });

  it("of what clients have already is an empty pack", async () => {
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    const { packets } = await fetch(repository, [`want ${c5}`, `have ${c5}`, "done"]);
    expect(bandsOf(packets).data).toBe("PACK\nEND\n");
  });

  it.each([
    [["want xyz"], "git upload-pack: protocol error, expected to get oid, not 'want xyz'"],
    [
      [`want ${"a".repeat(64)}`],
      `git upload-pack: protocol error, expected to get oid, not 'want ${"a".repeat(64)}'`,
    ],
    [["have 12"], "git upload-pack: expected SHA1 object, got '12'"],
    [["filter blob:none"], "unexpected line: 'filter blob:none'"],
    [["want-ref refs/heads/main"], "unexpected line: 'want-ref refs/heads/main'"],
    [["sideband-all"], "unexpected line: 'sideband-all'"],
    [["packfile-uris https"], "unexpected line: 'packfile-uris https'"],
    [["done done"], "unexpected line: 'done done'"],
    [["deepen 0"], "Invalid deepen: deepen 0"],
    [["deepen -1"], "Invalid deepen: deepen -1"],
    [["deepen x"], "Invalid deepen: deepen x"],
    [["deepen 1e3"], "Invalid deepen: deepen 1e3"],
    [["deepen 2147483648"], "Invalid deepen: deepen 2147483648"],
    [["deepen 99999999999999999999"], "Invalid deepen: deepen 99999999999999999999"],
    [["deepen-since -5"], "Invalid deepen-since: deepen-since -5"],
    [["deepen-since 99999999999999999999"], "Invalid deepen-since: deepen-since 99999999999999999999"],
  ])("with %j is refused", async (lines, reason) => {
    const { packets, error } = await fetch(new MemoryRepository(), lines);
    expect(packets).toEqual([`ERR ${reason}`]);
    expect(error?.reported).toBe(true);
  });

  it("takes upper-case ids", async () => {
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    const { packets } = await fetch(repository, [`want ${c5.toUpperCase()}`, "done"]);
    expect(packets[0]).toBe("packfile\n");
  });
});

describe("a want", () => {
  it("may be what a visible ref holds, and what that reaches", async () => {
    const repository = new MemoryRepository();
    const [c1, , c3] = repository.five();
    const tag = repository.tag("v1", c3);
    repository.refs.set("refs/tags/v1", tag);
    for (const id of [c1, c3, tag, repository.tree("c2"), repository.blob("c2")])
      expect((await fetch(repository, [`want ${id}`, "done"])).packets[0]).toBe("packfile\n");
  });

  it("may be a detached HEAD", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const detached = repository.commit("detached");
    repository.refs.set("HEAD", detached);
    expect((await fetch(repository, [`want ${detached}`, "done"])).packets[0]).toBe("packfile\n");
  });

  it("may not be what no ref reaches, be it stored or not", async () => {
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    const dropped = repository.commit("dropped", [c5]);
    for (const id of [dropped, unknown("ab"), "0".repeat(40)]) {
      const { packets, error } = await fetch(repository, [`want ${c5}`, `want ${id}`, "done"]);
      expect(packets).toEqual([`ERR upload-pack: not our ref ${id}`]);
      expect(error).toMatchObject({ code: "server-core/refused", reported: true });
    }
    expect(repository.objects.orders).toEqual([]);
  });

  it("may be what this connection was shown before the ref moved on", async () => {
    const repository = new MemoryRepository();
    const [, , , c4, c5] = repository.five();
    async function* input() {
      yield encodePackets(["command=ls-refs", flush]);
      repository.refs.set("refs/heads/main", c4);
      yield encodePackets(["command=fetch", delim, `want ${c5}`, "done", flush]);
    }
    const { text } = await serve(repository, { mode: "duplex", input: input() });
    expect(text).toContain("packfile\n");
  });

  it("counts once however often it is said, and has its limit", async () => {
    const repository = new MemoryRepository();
    const [c1, c2, c3, c4, c5] = repository.five();
    const limits = { maxWants: 2 };
    const flood = Array.from({ length: 5000 }, () => `want ${c5}`);
    expect((await fetch(repository, [...flood, "done"], { limits })).packets[0]).toBe("packfile\n");
    const distinct = [c1, c2, c3, c4, c5].map((id) => `want ${id}`);
    const refused = await fetch(repository, [...distinct, "done"], { limits });
    expect(refused.packets).toEqual(["ERR the request exceeds maxWants (2)"]);
    expect(refused.error?.code).toBe("server-core/limit-exceeded");
    for (const [i, id] of [c1, c2, c3, c4].entries()) repository.refs.set(`refs/heads/b${i}`, id);
    expect((await fetch(repository, [...distinct, "done"], { limits })).packets[0]).toBe("packfile\n");
  });
});

it("haves that we lack are forgotten, and those we have are kept up to a limit", async () => {
  const repository = new MemoryRepository();
  const [c1, c2, c3, , c5] = repository.five();
  const lines = [`want ${c5}`, `have ${unknown("ab")}`, `have ${c1}`, `have ${c2}`, `have ${c3}`, "done"];
  await fetch(repository, lines, { limits: { maxCommonHaves: 2 } });
  expect(repository.objects.orders[0]?.haves).toEqual([c1, c2]);
});
