import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, contents, section, serve } from "./story.ts";

type Setting = readonly [key: string, value: string];

function makeRepository(...settings: Setting[]): MemoryRepository {
  const repository = new MemoryRepository();
  repository.five();
  repository.configure("uploadpack.allowFilter", "true");
  for (const [key, value] of settings) repository.configure(key, value);
  return repository;
}

function tipOf(repository: MemoryRepository): string {
  const tip = [...repository.objects.graph.stored.keys()].find((id) =>
    repository.objects.graph
      .parents(id)
      .some((parent) => repository.objects.graph.time(parent) === 1_000_000_240),
  );
  return tip as string;
}

function fetchV2(repository: MemoryRepository, ...lines: string[]) {
  const all = [`want ${tipOf(repository)}`, ...lines, "done"];
  return serve(repository, { input: [encodePackets(["command=fetch", delim, ...all, flush])] });
}

function fetchV0(repository: MemoryRepository, capabilities: string, ...lines: string[]) {
  return serve(repository, {
    version: 0,
    input: [section(`want ${tipOf(repository)} ${capabilities}`, ...lines), encodePackets(["done"])],
  });
}

/** What is said to a filter, in either version; `taken` when nothing is. */
async function verdict(repository: MemoryRepository, spec: string): Promise<string> {
  const v2 = await fetchV2(repository, `filter ${spec}`);
  const v0 = await fetchV0(repository, "side-band-64k filter", `filter ${spec}`);
  const words = v2.packets[0] === "packfile\n" ? "taken" : v2.packets.join("|");
  expect(v0.packets[0] === "NAK\n" ? "taken" : v0.packets.join("|")).toBe(words);
  return words;
}

describe("a filter that is allowed", () => {
  it("is announced in v2 and v0 only when the setting says so", async () => {
    for (const on of [true, false]) {
      const repository = on ? makeRepository() : new MemoryRepository();
      const v2 = await serve(repository, { mode: "advertise" });
      expect(v2.packets).toContain(`fetch=shallow wait-for-done${on ? " filter" : ""}\n`);
      const v0 = await serve(repository, { mode: "advertise", version: 0 });
      expect(/ filter object-format=sha1 /.test(v0.text)).toBe(on);
    }
  });

  it("reaches the store, and the pack lacks what it says", async () => {
    const repository = makeRepository();
    for (const answer of [
      await fetchV2(repository, "filter blob:none"),
      await fetchV0(repository, "side-band-64k filter", "filter blob:none"),
    ]) {
      expect(contents(bandsOf(answer.packets).data).filter((line) => line.startsWith("blob"))).toEqual([]);
      expect(contents(bandsOf(answer.packets).data)).toHaveLength(10);
    }
    expect(repository.objects.orders.map(({ filter }) => filter)).toEqual([
      { kind: "blob-none" },
      { kind: "blob-none" },
    ]);
  });

  it("may stand anywhere behind the want that asks for it in v0, also behind deepen", async () => {
    const { packets } = await fetchV0(makeRepository(), "side-band-64k filter", "deepen 1", "filter tree:0");
    expect(packets.slice(1, 3)).toEqual(["flush", "NAK\n"]);
  });
});

describe("a filter is refused", () => {
  it("in v2 as an unknown line while the setting is off", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const { packets } = await fetchV2(repository, "filter blob:none");
    expect(packets).toEqual(["ERR unexpected line: 'filter blob:none'"]);
  });

  it("D5: in v0 when it is off, or the client did not ask for the capability", async () => {
    const off = new MemoryRepository();
    off.five();
    const words = ["ERR git upload-pack: filtering capability not negotiated"];
    expect((await fetchV0(off, "filter", "filter blob:none")).packets).toEqual(words);
    expect((await fetchV0(makeRepository(), "thin-pack", "filter blob:none")).packets).toEqual(words);
    const before = await serve(makeRepository(), {
      version: 0,
      input: [section("filter blob:none", `want ${tipOf(makeRepository())} filter`)],
    });
    expect(before.packets).toEqual(words);
  });

  it("D5: when it is the second one", async () => {
    const words = ["ERR multiple filter-specs cannot be combined"];
    const two = ["filter blob:none", "filter blob:none"];
    expect((await fetchV2(makeRepository(), ...two)).packets).toEqual(words);
    expect((await fetchV0(makeRepository(), "filter", ...two)).packets).toEqual(words);
  });

  it.each<[string, Setting[], Record<string, string>]>([
    [
      "none is, unless it is named",
      [
        ["uploadpackfilter.allow", "false"],
        ["uploadpackfilter.blob:none.allow", "true"],
      ],
      {
        "blob:none": "taken",
        "blob:limit=1": "ERR filter 'blob:limit' not supported",
        "tree:0": "ERR filter 'tree' not supported",
        "object:type=blob": "ERR filter 'object:type' not supported",
        "combine:blob:none": "ERR filter 'combine' not supported",
      },
    ],
    [
      "combinations are, with what they are made of",
      [
        ["uploadpackfilter.allow", "false"],
        ["uploadpackfilter.combine.allow", "true"],
        ["uploadpackfilter.tree.allow", "true"],
        ["uploadpackfilter.blob:none.allow", "false"],
      ],
      {
        "combine:tree:3+tree:1": "taken",
        "combine:tree:1+blob:none": "ERR filter 'blob:none' not supported",
        "combine:tree:1+combine:tree:1%2bblob:none": "ERR filter 'blob:none' not supported",
      },
    ],
    [
      "all are, unless one is named",
      [["uploadpackfilter.tree.allow", "false"]],
      { "tree:0": "ERR filter 'tree' not supported", "blob:none": "taken" },
    ],
    [
      "D9: trees are, up to a depth",
      [
        ["uploadpackfilter.allow", "false"],
        ["uploadpackfilter.tree.maxDepth", "1k"],
        ["uploadpackfilter.combine.allow", "true"],
      ],
      {
        "tree:1024": "taken",
        "tree:1025": "ERR tree filter allows max depth 1024, but got 1025",
        "combine:tree:1025": "ERR tree filter allows max depth 1024, but got 1025",
        "blob:none": "ERR filter 'blob:none' not supported",
      },
    ],
    [
      "a depth that is no number lets nothing deeper than 0 through",
      [["uploadpackfilter.tree.maxDepth", "all"]],
      { "tree:0": "taken", "tree:1": "ERR tree filter allows max depth 0, but got 1" },
    ],
  ])("by the settings: %s", async (_, settings, verdicts) => {
    for (const [spec, words] of Object.entries(verdicts))
      expect(await verdict(makeRepository(...settings), spec), spec).toBe(words);
  });
});

describe("a filter that reads its patterns from a blob", () => {
  const ALLOW: Setting = ["uploadpackfilter.sparse:oid.allow", "true"];

  it("is off until its own setting says otherwise", async () => {
    const repository = makeRepository(["uploadpackfilter.allow", "true"]);
    expect(await verdict(repository, `sparse:oid=${repository.blob("c1")}`)).toBe(
      "ERR filter 'sparse:oid' not supported",
    );
  });

  it("takes a blob that a ref reaches", async () => {
    const repository = makeRepository(ALLOW);
    const blob = repository.blob("c1");
    expect(await verdict(repository, `combine:sparse:oid=${blob}`)).toBe("taken");
    expect(repository.objects.orders.at(-1)?.filter).toEqual({
      kind: "combine",
      filters: [{ kind: "sparse", patterns: blob }],
    });
  });

  it("D7: says the same of one that nothing reaches, of one that is not there, of a tree and of a large one", async () => {
    const repository = makeRepository(ALLOW);
    const large = repository.blob("x".repeat(1024 * 1024 + 1));
    const lost = repository.blob("lost");
    for (const id of [lost, "ab".repeat(20), repository.tree("c1"), large])
      expect(await verdict(repository, `sparse:oid=${id}`)).toBe(
        `ERR unable to access sparse blob in '${id}'`,
      );
  });
});
