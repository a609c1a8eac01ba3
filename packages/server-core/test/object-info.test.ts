import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { serve } from "./story.ts";

function makeRepository(format: "sha1" | "sha256" = "sha1"): MemoryRepository {
  const repository = new MemoryRepository(format);
  repository.five();
  repository.configure("transfer.advertiseObjectInfo", "true");
  return repository;
}

function ask(repository: MemoryRepository, lines: readonly string[], limits = {}) {
  const head = ["command=object-info", `object-format=${repository.objectFormat}`];
  return serve(repository, {
    input: [encodePackets([...head, delim, ...lines, flush])],
    options: { limits },
  });
}

describe.each(["sha1", "sha256"] as const)("object-info, %s", (format) => {
  it("tells sizes, and what is unknown, in the client's order", async () => {
    const repository = makeRepository(format);
    const blob = repository.blob("c1");
    const tree = repository.tree("c1");
    const unknown = "ab".repeat(format === "sha1" ? 20 : 32);
    const lines = [`oid ${unknown}`, `oid ${blob}\n`, "size", `oid ${tree}`, `oid ${blob}`];
    const { packets } = await ask(repository, lines);
    const size = repository.objects.graph.get(tree)?.data.length;
    expect(packets).toEqual(["size", `${unknown} `, `${blob} 2`, `${tree} ${size}`, `${blob} 2`, "flush"]);
  });
});

describe("object-info", () => {
  it("tells what is there when no size is asked for", async () => {
    const repository = makeRepository();
    const blob = repository.blob("c1");
    const unknown = "ab".repeat(20);
    const { packets } = await ask(repository, [`oid ${blob}`, `oid ${unknown}`]);
    expect(packets).toEqual([blob, `${unknown} `, "flush"]);
  });

  it("says nothing to nobody who asks for nothing", async () => {
    expect((await ask(makeRepository(), ["size"])).packets).toEqual(["flush"]);
    const repository = makeRepository();
    const bare = await serve(repository, { input: [encodePackets(["command=object-info", flush])] });
    expect(bare.packets).toEqual(["flush"]);
  });

  it("knows of nothing that the client could not fetch", async () => {
    const repository = makeRepository();
    const secret = repository.blob("secret");
    const { packets } = await ask(repository, ["size", `oid ${secret}`]);
    expect(packets).toEqual(["size", `${secret} `, "flush"]);
  });

  it("knows of whatever is stored where any object may be wanted", async () => {
    const repository = makeRepository();
    repository.configure("uploadpack.allowAnySHA1InWant", "true");
    const secret = repository.blob("secret");
    const missing = "ab".repeat(20);
    const { packets } = await ask(repository, ["size", `oid ${secret}`, `oid ${missing}`]);
    expect(packets).toEqual(["size", `${secret} 6`, `${missing} `, "flush"]);
  });

  it("knows of what hidden refs hold where these may be wanted, and of nothing but tips where nothing else may", async () => {
    const repository = makeRepository();
    const hidden = repository.commit("hidden");
    repository.refs.set("refs/secret/x", hidden);
    repository.configure("uploadpack.hideRefs", "refs/secret");
    const [tip] = [repository.blob("c1")];
    const known = async (id: string) => (await ask(repository, [`oid ${id}`])).packets[0] === id;
    expect([await known(hidden), await known(tip)]).toEqual([false, true]);
    repository.configure("uploadpack.allowTipSHA1InWant", "true");
    expect([await known(hidden), await known(tip)]).toEqual([true, true]);
    repository.configure("uploadpack.allowReachableSHA1InWant", "false");
    expect([await known(hidden), await known(tip)]).toEqual([true, false]);
  });

  it.each([
    [["size", "oid xyz"], "object-info: protocol error, expected to get oid, not 'xyz'"],
    [["sizes"], "object-info: unexpected line: 'sizes'"],
    [[`oid ${"ab".repeat(20)}`, "type"], "object-info: unexpected line: 'type'"],
  ])("refuses %j", async (lines, words) => {
    expect((await ask(makeRepository(), lines)).packets).toEqual([`ERR ${words}`]);
  });

  it("refuses a second delimiter", async () => {
    const input = [encodePackets(["command=object-info", delim, "size", delim, flush])];
    expect((await serve(makeRepository(), { input })).packets).toEqual([
      "ERR object-info: expected flush after arguments",
    ]);
  });

  it("N6: is off by default, and counts what is asked", async () => {
    const off = new MemoryRepository();
    expect((await ask(off, [])).packets).toEqual(["ERR invalid command 'object-info'"]);
    expect((await serve(off, { mode: "advertise" })).text).not.toContain("object-info");
    const on = makeRepository();
    expect((await serve(on, { mode: "advertise" })).packets).toContain("object-info=size\n");
    const id = "ab".repeat(20);
    const limits = { maxObjectInfos: 3 };
    const lines = (count: number) => Array<string>(count).fill(`oid ${id}`);
    expect((await ask(on, lines(3), limits)).packets).toHaveLength(4);
    expect((await ask(on, lines(4), limits)).packets).toEqual(["ERR the request exceeds maxObjectInfos (3)"]);
  });
});
