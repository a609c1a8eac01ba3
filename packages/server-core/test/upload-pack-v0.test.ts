import { encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, history, packetsOf, section, serve } from "./story.ts";

const unknown = (byte: string) => byte.repeat(20);

function repositoryOfFive() {
  const repository = new MemoryRepository();
  return { repository, commits: repository.five() };
}

describe("fetch in v0 on a connection that stays", () => {
  it.each([0, 1] as const)("announces, negotiates and sends, v%i", async (version) => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, , c5] = commits;
    const input = [
      section(`want ${c5} multi_ack_detailed side-band-64k thin-pack ofs-delta agent=git/2`),
      section(`have ${unknown("ab")}\n`, `have ${unknown("cd")}\n`),
      section(`have ${c3}\n`),
      encodePackets(["done\n"]),
    ];
    const { packets, error } = await serve(repository, { version, mode: "duplex", input });
    expect(error).toBeUndefined();
    const answer = packets.slice(packets.indexOf("flush") + 1);
    expect(answer.slice(0, 5)).toEqual([
      "NAK\n",
      `ACK ${c3} common\n`,
      `ACK ${c3} ready\n`,
      "NAK\n",
      `ACK ${c3}\n`,
    ]);
    expect(history(bandsOf(answer).data)).toEqual(["c4", "c5"]);
    expect(answer.at(-1)).toBe("flush");
  });

  it("answers a client that waits after each flush packet", async () => {
    const { repository, commits } = repositoryOfFive();
    let sent = "";
    async function* input() {
      yield section(`want ${commits[4]} multi_ack`);
      yield section(`have ${unknown("ab")}`);
      yield encodePackets(["done"]);
    }
    const { text } = await serve(repository, { version: 0, mode: "duplex", input: input() });
    sent += text;
    expect(sent).toContain("0008NAK\n0008NAK\nPACK\n");
  });

  it.each([[["0000"]], [[]]])("ends quietly when the client only looked: %j", async (input) => {
    const { repository } = repositoryOfFive();
    const { packets, error } = await serve(repository, { version: 0, mode: "duplex", input });
    expect(packets.at(-1)).toBe("flush");
    expect(packets).toHaveLength(3);
    expect(error).toBeUndefined();
  });

  it("ends a client that flushes for ever", async () => {
    const { repository, commits } = repositoryOfFive();
    const input = [section(`want ${commits[4]}`), "0000".repeat(100)];
    const options = { limits: { maxNegotiationRounds: 20 } };
    const { packets } = await serve(repository, { version: 0, mode: "duplex", input, options });
    expect(packets.at(-1)).toBe("ERR the request exceeds maxNegotiationRounds (20)");
    expect(packets.filter((packet) => packet === "NAK\n")).toHaveLength(20);
  });

  it("lets a client want what it was shown before the ref moved on, and no other", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , , c4, c5] = commits;
    async function* input() {
      repository.refs.set("refs/heads/main", c4);
      yield section(`want ${c5}`);
      yield encodePackets(["done"]);
    }
    expect((await serve(repository, { version: 0, mode: "duplex", input: input() })).text).toContain(
      "PACK\n",
    );
    const rpc = await serve(repository, { version: 0, input: [section(`want ${c5}`)] });
    expect(rpc.packets).toEqual([`ERR upload-pack: not our ref ${c5}`]);
  });
});

describe("fetch in v0 without side-band", () => {
  it("sends the bare pack and nothing behind it", async () => {
    const { repository, commits } = repositoryOfFive();
    const input = [section(`want ${commits[0]}`), encodePackets(["done\n"])];
    const { text } = await serve(repository, { version: 0, input });
    expect(text.startsWith("0008NAK\nPACK\n")).toBe(true);
    expect(text.endsWith("END\n")).toBe(true);
    expect(repository.objects.orders[0]).toMatchObject({ thin: false, ofsDelta: false, progress: false });
  });

  it("acknowledges once, and only the first", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1, c2, , , c5] = commits;
    const input = [
      section(`want ${c5}`),
      section(`have ${unknown("ab")}`),
      section(`have ${c2}`, `have ${c1}`),
      encodePackets([`have ${c1}`, "done"]),
    ];
    const { text } = await serve(repository, { version: 0, mode: "duplex", input });
    const answer = text.slice(text.indexOf("0000") + 4);
    expect(answer.slice(0, answer.indexOf("PACK"))).toBe(`0008NAK\n0031ACK ${c2}\n`);
  });

  it("acknowledges the first as often as it is named before another", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1, c2, , , c5] = commits;
    const input = [section(`want ${c5}`), section(...[c2, c2, c1, c2, c2].map((id) => `have ${id}`))];
    const { packets } = await serve(repository, { version: 0, input });
    expect(packets).toEqual([`ACK ${c2}\n`, `ACK ${c2}\n`]);
  });
});

describe("fetch in v0", () => {
  it("uses small packets for side-band", async () => {
    const { repository, commits } = repositoryOfFive();
    const input = [section(`want ${commits[4]} side-band`), encodePackets(["done"])];
    const { packets } = await serve(repository, { version: 0, input });
    expect(packets.every((packet) => packet.length <= 996)).toBe(true);
    expect(packets.some((packet) => packet.length === 996)).toBe(true);
    expect(history(bandsOf(packets).data)).toHaveLength(5);
  });

  it("reads capabilities from any want line, also where none needs them", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1, , , , c5] = commits;
    const input = [
      section(`want ${c5}`, `want ${c1} side-band-64k no-progress foo=bar`),
      encodePackets(["done"]),
    ];
    const { packets } = await serve(repository, { version: 0, input });
    expect(bandsOf(packets).data).toContain("PACK");
    expect(repository.objects.orders[0]?.progress).toBe(false);
  });

  it("misses the request in an http body that is empty, but lets a connection go that only looked", async () => {
    const { repository } = repositoryOfFive();
    const { packets, error } = await serve(repository, { version: 0, input: [] });
    expect(packets).toEqual(["ERR the remote end hung up unexpectedly"]);
    expect(error).toMatchObject({ code: "server-core/protocol" });
    expect((await serve(repository, { version: 0, mode: "duplex", input: [] })).error).toBeUndefined();
    expect((await serve(repository, { version: 0, input: ["0000"] })).text).toBe("");
  });

  it("reads nothing behind a NUL", async () => {
    const { repository, commits } = repositoryOfFive();
    const input = [section(`want ${commits[4]}\0 side-band-64k`), encodePackets(["done"])];
    expect((await serve(repository, { version: 0, input })).text).toContain("NAK\nPACK\n");
  });

  it("goes on without done after ready, when the client can do that", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, , c5] = commits;
    const call = async (caps: string) => {
      const input = [section(`want ${c5} ${caps}`), section(`have ${c3}`, `have ${unknown("ab")}`)];
      return packetsOf((await serve(repository, { version: 0, input })).text);
    };
    const ready = [`ACK ${c3} common\n`, `ACK ${unknown("ab")} ready\n`, "NAK\n"];
    expect(await call("multi_ack_detailed")).toEqual(ready);
    const onward = await call("multi_ack_detailed no-done side-band-64k");
    expect(onward.slice(0, 4)).toEqual([...ready, `ACK ${c3}\n`]);
    expect(history(bandsOf(onward).data)).toEqual(["c4", "c5"]);
    expect(await call("multi_ack no-done")).toEqual([
      `ACK ${c3} continue\n`,
      `ACK ${unknown("ab")} continue\n`,
      "NAK\n",
    ]);
  });

  it.each([
    [
      "a want without an id",
      "want ",
      "git upload-pack: protocol error, expected to get object ID, not 'want '",
    ],
    ["a filter", "filter blob:none", "git upload-pack: filtering capability not negotiated"],
    ["another word", "hello", "git upload-pack: protocol error, expected to get object ID, not 'hello'"],
    ["an empty line", "", "git upload-pack: protocol error, expected to get object ID, not ''"],
  ])("refuses %s among wants", async (_, line, reason) => {
    const { repository, commits } = repositoryOfFive();
    const { packets, error } = await serve(repository, {
      version: 0,
      input: [section(`want ${commits[4]}`, line)],
    });
    expect(packets).toEqual([`ERR ${reason}`]);
    expect(error?.reported).toBe(true);
  });

  it("refuses another hash, other lines among haves, other packets and half requests", async () => {
    const { repository, commits } = repositoryOfFive();
    const want = `want ${commits[4]}`;
    for (const [input, reason] of [
      [[section(`${want} object-format=sha256`)], "unsupported object format 'sha256'"],
      [[section(want), section("want x")], "git upload-pack: expected SHA1 list, got 'want x'"],
      [[section(want), "0001"], "unexpected delim packet"],
      [["0001"], "unexpected delim packet"],
      [["0002"], "unexpected response-end packet"],
      [[encodePackets([want])], "the remote end hung up unexpectedly"],
      [[section(want), encodePackets([`have ${commits[0]}`])], "the remote end hung up unexpectedly"],
    ] as const)
      expect((await serve(repository, { version: 0, input })).packets.at(-1)).toBe(`ERR ${reason}`);
  });

  it("keeps count of all that a request is made of", async () => {
    const { repository, commits } = repositoryOfFive();
    const options = { limits: { maxFetchRequestBytes: 500, maxCapabilityBytes: 100 } };
    const want = section(`want ${commits[4]}`);
    const haves = section(...Array.from({ length: 20 }, () => `have ${unknown("ab")}`));
    const flooded = await serve(repository, { version: 0, input: [want, haves], options });
    expect(flooded.packets.at(-1)).toBe("ERR the request exceeds maxFetchRequestBytes (500)");
    const words = await serve(repository, {
      version: 0,
      input: [section(`want ${commits[4]} ${"x".repeat(100)}`)],
      options,
    });
    expect(words.packets).toEqual(["ERR the request exceeds maxCapabilityBytes (100)"]);
  });

  it("says that it is an empty repository that nothing can be wanted of", async () => {
    const id = unknown("ab");
    const input = [section(`want ${id}`), encodePackets(["done"]), flush.type];
    const { packets } = await serve(new MemoryRepository(), { version: 0, input });
    expect(packets).toEqual([`ERR upload-pack: not our ref ${id}`]);
  });
});
