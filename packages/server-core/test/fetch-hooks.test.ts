import { delim, encodeLatin1, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, type FetchContext, type FetchResult, type Hooks } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, callOf, history, section, serve } from "./story.ts";

function watched(refusal?: string) {
  const asked: FetchContext[] = [];
  const told: FetchResult[] = [];
  const hooks: Hooks = {
    preFetch: async (context) => {
      asked.push(context);
      return refusal;
    },
    postFetch: async (context, result) => {
      expect(context).toBe(asked.at(-1));
      told.push(result);
    },
  };
  return { asked, told, hooks };
}

function makeRepository() {
  const repository = new MemoryRepository();
  const commits = repository.five();
  repository.configure("uploadpack.allowFilter", "true");
  repository.refs.set("refs/heads/also", commits[4]);
  return { repository, commits };
}

const v2 = (...lines: Writable[]) => [
  encodePackets(["command=fetch", "server-option=a", "server-option=b c", delim, ...lines, flush]),
];

describe("preFetch", () => {
  it("hears in v2 what is asked for, with names where there are some", async () => {
    const { repository, commits } = makeRepository();
    const [c1, c2, c3, c4, c5] = commits;
    const { asked, hooks } = watched();
    const input = v2(
      `want ${c5}`,
      `want ${c4}`,
      `have ${c1}`,
      `have ${"ab".repeat(20)}`,
      `shallow ${c2}`,
      "deepen 1",
      "deepen-relative",
      "filter tree:3",
      "done",
    );
    await serve(repository, { input, options: { hooks } });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      wants: [
        { id: c5, refs: ["HEAD", "refs/heads/also", "refs/heads/main"] },
        { id: c4, refs: [] },
      ],
      haves: [c1],
      depth: { shallow: [c2], depth: 1, relative: true, since: undefined, not: [] },
      filter: { kind: "tree-depth", depth: 3 },
      serverOptions: ["a", "b c"],
    });
    expect(asked[0]?.call.peer).toEqual({ address: "192.0.2.1" });
    expect(asked[0]?.repository).toBe(repository);
    expect(c3).toBeDefined();
  });

  it("hears in v0 what is asked for, before the client has said what it has", async () => {
    const { repository, commits } = makeRepository();
    const { asked, hooks } = watched();
    const input = [
      section(`want ${commits[4]} side-band-64k`, "deepen-since 1000000100", "deepen-not main"),
      encodePackets([`have ${commits[0]}`, "done"]),
    ];
    await serve(repository, { version: 0, input, options: { hooks } });
    expect(asked[0]).toMatchObject({
      haves: [],
      depth: { shallow: [], depth: undefined, relative: false, since: 1_000_000_100, not: ["main"] },
      serverOptions: [],
    });
  });

  it("is not asked about what is refused anyway, nor by a client that wants nothing", async () => {
    const { repository } = makeRepository();
    const { asked, hooks } = watched();
    await serve(repository, { input: v2(`want ${"ab".repeat(20)}`), options: { hooks } });
    await serve(repository, { input: v2("done"), options: { hooks } });
    await serve(repository, { version: 0, input: [section()], options: { hooks } });
    expect(asked).toEqual([]);
  });

  it("refuses in words that the client sees, in either version", async () => {
    const { repository, commits } = makeRepository();
    const { told, hooks } = watched("not before noon\n");
    const options = { hooks };
    const said = ["ERR not before noon "];
    const want = `want ${commits[4]}`;
    expect((await serve(repository, { input: v2(want), options })).packets).toEqual(said);
    const v0 = await serve(repository, { version: 0, input: [section(want)], options });
    expect(v0.packets).toEqual(said);
    expect(v0.error).toMatchObject({ code: "server-core/refused", reported: true });
    repository.configure("uploadpack.allowSidebandAll", "true");
    expect((await serve(repository, { input: v2(want, "sideband-all"), options })).packets).toEqual([
      "\x03not before noon \n",
    ]);
    expect(told).toEqual([]);
    expect(repository.objects.orders).toEqual([]);
  });

  it("refuses without its own words when it throws", async () => {
    const { repository, commits } = makeRepository();
    const hooks: Hooks = { preFetch: () => Promise.reject(new Error("/etc/secret is gone")) };
    const { packets, error } = await serve(repository, {
      input: v2(`want ${commits[4]}`),
      options: { hooks },
    });
    expect(packets).toEqual(["ERR internal server error"]);
    expect(error).toMatchObject({ code: "server-core/internal" });
  });
});

describe("postFetch", () => {
  it("hears what was sent", async () => {
    const { repository, commits } = makeRepository();
    const { told, hooks } = watched();
    const want = `want ${commits[4]}`;
    const first = await serve(repository, { input: v2(want, "done"), options: { hooks } });
    expect(told).toEqual([
      { outcome: "sent", objects: 15, bytes: first.text.length, ms: expect.any(Number) },
    ]);
    const input = [section(`${want} side-band-64k`), encodePackets([`have ${commits[3]}`, "done"])];
    const second = await serve(repository, { version: 0, input, options: { hooks } });
    expect(history(bandsOf(second.packets).data)).toEqual(["c5"]);
    expect(told[1]).toMatchObject({ outcome: "sent", objects: 3, bytes: second.text.length });
  });

  it("hears of each fetch of a connection by itself", async () => {
    const { repository, commits } = makeRepository();
    const { told, hooks } = watched();
    const input = [...v2(`want ${commits[4]}`, "done"), ...v2(`want ${commits[0]}`, "done")];
    await serve(repository, { mode: "duplex", input, options: { hooks } });
    expect(told.map(({ objects }) => objects)).toEqual([15, 3]);
    expect(told[1]?.bytes).toBeLessThan(told[0]?.bytes ?? 0);
  });

  it("is not called while both sides still look for what is common", async () => {
    const { repository, commits } = makeRepository();
    const { asked, told, hooks } = watched();
    const input = v2(`want ${commits[4]}`, `have ${"ab".repeat(20)}`);
    await serve(repository, { input, options: { hooks } });
    expect([asked.length, told.length]).toEqual([1, 0]);
  });

  it("hears of what went wrong, and of a client that left", async () => {
    const { repository, commits } = makeRepository();
    const { told, hooks } = watched();
    repository.objects.pack = async function* () {
      yield { kind: "bytes", bytes: encodeLatin1("PACK") };
      throw new Error("disk");
    };
    const input = v2(`want ${commits[4]}`, "done");
    await serve(repository, { input, options: { hooks } });
    expect(told[0]).toMatchObject({ outcome: "failed", objects: undefined });
    expect(told[0]?.error).toMatchObject({ code: "server-core/internal" });
    const service = createGitService({ repositories: async () => repository, hooks });
    let chunks = 0;
    for await (const _ of service(callOf({ input }))) if (++chunks === 2) break;
    expect(told[1]).toMatchObject({ outcome: "left", objects: undefined });
  });

  it("breaks nothing when it throws", async () => {
    const { repository, commits } = makeRepository();
    const lines: string[] = [];
    const log = (_: object, message: string) => void lines.push(message);
    const logger = { debug: log, info: log, warn: log, error: log };
    const hooks: Hooks = { postFetch: () => Promise.reject(new Error("no")) };
    const { packets, error } = await serve(repository, {
      input: v2(`want ${commits[4]}`, "done"),
      options: { hooks, logger },
    });
    expect([packets.at(-1), error]).toEqual(["flush", undefined]);
    expect(lines).toEqual(["the postFetch hook failed", "request"]);
  });
});
