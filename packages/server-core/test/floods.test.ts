import { ObjectsError } from "@x/objects";
import { decodeLatin1, delim, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, callOf, history, packetsOf, section, serve } from "./story.ts";

const MIB = 1024 * 1024;
/** What is held, and what waits to be collected. */
const MAX_GROWTH = 96 * MIB;

function repositoryOfFive() {
  const repository = new MemoryRepository();
  return { repository, commits: repository.five() };
}

/** `count` lines of which the i-th is `line(i)`, a thousand to a chunk, made as they are read. */
async function* flood(
  head: Uint8Array,
  count: number,
  line: (i: number) => string,
  tail: Uint8Array,
): AsyncGenerator<Uint8Array> {
  yield head;
  for (let at = 0; at < count; at += 1000)
    yield encodePackets(Array.from({ length: Math.min(1000, count - at) }, (_, i) => line(at + i)));
  yield tail;
}

const hex = (i: number) => i.toString(16).padStart(40, "0");
const FETCH = encodePackets(["command=fetch", delim]);
const END = encodePackets([flush]);

/** Serves a flood, and looks at what is held in memory when it is over and all along. */
async function flooded(
  repository: MemoryRepository,
  version: 0 | 2,
  input: AsyncIterable<Uint8Array>,
  limits = {},
) {
  const before = process.memoryUsage().heapUsed;
  let most = before;
  let chunks = 0;
  async function* watched() {
    for await (const chunk of input) {
      if (++chunks % 100 === 0) most = Math.max(most, process.memoryUsage().heapUsed);
      yield chunk;
    }
  }
  const answer = await serve(repository, { version, input: watched(), options: { limits } });
  return { ...answer, grown: most - before };
}

describe("N1 wants", () => {
  it("said a million times are one", async () => {
    const { repository, commits } = repositoryOfFive();
    const line = `want ${commits[4]}\n`;
    const { packets, grown } = await flooded(
      repository,
      2,
      flood(FETCH, 1_000_000, () => line, END),
    );
    expect(packets[0]).toBe("packfile\n");
    expect(repository.objects.orders[0]?.wants).toEqual([commits[4]]);
    expect(grown).toBeLessThan(MAX_GROWTH);
  });

  it("that differ end at the cap, in v0 as in v2", async () => {
    const { repository } = repositoryOfFive();
    for (const version of [0, 2] as const) {
      const input = flood(version === 2 ? FETCH : new Uint8Array(), 1_000_000, (i) => `want ${hex(i)}`, END);
      const { packets, grown, error } = await flooded(repository, version, input);
      expect(packets).toEqual(["ERR the request exceeds maxWants (65536)"]);
      expect(error?.code).toBe("server-core/limit-exceeded");
      expect(grown).toBeLessThan(MAX_GROWTH);
    }
  });

  it("end at the cap on bytes", async () => {
    const { repository, commits } = repositoryOfFive();
    const input = flood(FETCH, 2_000_000, () => `want ${commits[4]}\n`, END);
    const { packets } = await flooded(repository, 2, input, { maxFetchRequestBytes: 10 * MIB });
    expect(packets).toEqual(["ERR the request exceeds maxFetchRequestBytes (10485760)"]);
  });
});

describe("N2 haves", () => {
  it("of one object are one, and of a million unknown ones none", async () => {
    const { repository, commits } = repositoryOfFive();
    const line = (i: number) => `have ${i % 2 === 0 ? commits[0] : hex(i)}\n`;
    const head = encodePackets(["command=fetch", delim, `want ${commits[4]}`]);
    const tail = encodePackets(["done", flush]);
    const { packets, grown } = await flooded(repository, 2, flood(head, 1_000_000, line, tail));
    expect(packets[0]).toBe("packfile\n");
    expect(repository.objects.orders[0]?.haves).toEqual([commits[0]]);
    expect(grown).toBeLessThan(MAX_GROWTH);
  });

  it("are acknowledged once in v2, whatever they are", async () => {
    const { repository, commits } = repositoryOfFive();
    const [tree, blob] = [repository.tree("c1"), repository.blob("c1")];
    const haves = [tree, tree, blob, tree, blob].map((id) => `have ${id}`);
    const input = [encodePackets(["command=fetch", delim, `want ${commits[4]}`, ...haves, flush])];
    const { packets } = await serve(repository, { input });
    expect(packets.filter((packet) => packet.startsWith("ACK"))).toEqual([`ACK ${tree}\n`, `ACK ${blob}\n`]);
  });

  it("of v0 count as well, over all rounds", async () => {
    const { repository, commits } = repositoryOfFive();
    const head = section(`want ${commits[4]} multi_ack_detailed`);
    const input = flood(head, 1_000_000, (i) => `have ${hex(i)}\n`, encodePackets(["done"]));
    const { packets } = await flooded(repository, 0, input, { maxFetchRequestBytes: 10 * MIB });
    expect(packets).toEqual(["ERR the request exceeds maxFetchRequestBytes (10485760)"]);
  });
});

it("F11 flush packets in v0 are answered up to a cap", async () => {
  const { repository, commits } = repositoryOfFive();
  async function* input() {
    yield section(`want ${commits[4]} multi_ack_detailed side-band-64k`);
    for (let i = 0; i < 1000; i++) yield encodePackets(Array<Writable>(1000).fill(flush));
  }
  const { text } = await serve(repository, { version: 0, mode: "duplex", input: input() });
  const said = packetsOf(text.slice(text.indexOf("0000") + 4));
  expect(said).toHaveLength(10_001);
  expect(said[0]).toBe("NAK\n");
  expect(said.at(-1)).toBe("ERR the request exceeds maxNegotiationRounds (10000)");
});

it("F9 ids and lengths may be in upper case, and mean the same", async () => {
  const { repository, commits } = repositoryOfFive();
  const [c1, , , c4, c5] = commits;
  for (const id of [c5, c5.toUpperCase()]) {
    const lines = [
      `want ${id}`,
      `have ${c4.toUpperCase()}`,
      `have ${c4}`,
      `shallow ${c1.toUpperCase()}`,
      "done",
    ];
    const packets = encodePackets(["command=fetch", delim, ...lines, flush]);
    const upper = packets.map((byte, at) =>
      // Only the digits of lengths: they stand before these words.
      byte >= 0x61 && byte <= 0x66 && /^[0-9a-f]{4}(?:want|have|shal|done|comm)/.test(textAt(packets, at - 3))
        ? byte - 32
        : byte,
    );
    const answer = await serve(repository, { input: [upper] });
    expect(history(bandsOf(answer.packets).data)).toEqual(["c5"]);
  }
  expect(repository.objects.orders[1]).toEqual(repository.objects.orders[0]);
});

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(Math.max(0, at), at + 8));
}

describe("N10 shallow lines", () => {
  it("end at the cap", async () => {
    const { repository, commits } = repositoryOfFive();
    const head = encodePackets(["command=fetch", delim, `want ${commits[4]}`]);
    const input = flood(head, 1_000_000, (i) => `shallow ${hex(i)}`, END);
    const { packets, grown } = await flooded(repository, 2, input);
    expect(packets).toEqual(["ERR the request exceeds maxShallows (100000)"]);
    expect(grown).toBeLessThan(MAX_GROWTH);
  });

  it("that name nothing here are forgotten", async () => {
    const { repository, commits } = repositoryOfFive();
    const head = encodePackets(["command=fetch", delim, `want ${commits[4]}`]);
    const tail = encodePackets(["done", flush]);
    await flooded(
      repository,
      2,
      flood(head, 100_000, (i) => `shallow ${hex(i)}`, tail),
    );
    expect(repository.objects.orders[0]?.shallow).toEqual([]);
  });
});

it.each([0, 2] as const)("N3 v%s lists refs no faster than they are read", async (version) => {
  const { repository, commits } = repositoryOfFive();
  let given = 0;
  repository.refs.list = async function* () {
    for (let at = 0; at < 1000; at++) {
      given += 1000;
      yield Array.from({ length: 1000 }, (_, i) => ({
        name: `refs/heads/branch-${at}-${i}`,
        target: { kind: "id", id: commits[0] } as const,
      }));
    }
  };
  const input = version === 2 ? [section("command=ls-refs")] : [];
  const mode = version === 2 ? "rpc" : "advertise";
  const run = createGitService({ repositories: async () => repository })(callOf({ version, mode, input }))[
    Symbol.asyncIterator
  ]();
  for (let i = 0; i < 3; i++) expect((await run.next()).value?.length).toBeLessThanOrEqual(65_536);
  await new Promise((resolve) => setTimeout(resolve, 20));
  // A chunk holds about a thousand.
  expect(given).toBeLessThanOrEqual(5000);
  await run.return?.();
});

it("N4 prefixes beyond counting list everything, and cost no memory", async () => {
  const { repository } = repositoryOfFive();
  const head = encodePackets(["command=ls-refs", delim]);
  const input = flood(head, 1_000_000, (i) => `ref-prefix refs/none/${i}`, END);
  const { packets, grown } = await flooded(repository, 2, input);
  expect(packets.map((packet) => packet.split(" ")[1]?.trim() ?? packet)).toEqual([
    "HEAD",
    "refs/heads/main",
    "flush",
  ]);
  expect(grown).toBeLessThan(MAX_GROWTH);
});

it("N6 object-info ends at its cap", async () => {
  const { repository } = repositoryOfFive();
  repository.configure("transfer.advertiseObjectInfo", "true");
  const input = flood(encodePackets(["command=object-info", delim]), 1_000_000, (i) => `oid ${hex(i)}`, END);
  const { packets, grown } = await flooded(repository, 2, input);
  expect(packets).toEqual(["ERR the request exceeds maxObjectInfos (100000)"]);
  expect(grown).toBeLessThan(MAX_GROWTH);
});

it("N8 what refs reach is asked of the store once while no ref moves", async () => {
  const { repository, commits } = repositoryOfFive();
  const dropped = repository.commit("dropped");
  const { objects } = repository;
  let asked = 0;
  const unreachable = objects.unreachable.bind(objects);
  objects.unreachable = (...args) => {
    asked++;
    return unreachable(...args);
  };
  const service = createGitService({ repositories: async () => repository });
  const want = async (id: string) => {
    const input = [encodePackets(["command=fetch", delim, `want ${id}`, "done", flush])];
    let text = "";
    try {
      for await (const chunk of service(callOf({ input }))) text += decodeLatin1(chunk);
    } catch {
      // What it was is in the text.
    }
    return packetsOf(text)[0];
  };
  for (let i = 0; i < 5; i++) {
    expect(await want(dropped)).toBe(`ERR upload-pack: not our ref ${dropped}`);
    expect(await want(commits[1])).toBe("packfile\n");
  }
  expect(asked).toBe(2);
});

it("N9 a client that asks and never reads is served no further", async () => {
  const { repository, commits } = repositoryOfFive();
  let made = 0;
  repository.objects.pack = async function* () {
    for (;;) {
      made++;
      yield { kind: "bytes", bytes: new Uint8Array(32_768) };
    }
  };
  const input = [encodePackets(["command=fetch", delim, `want ${commits[4]}`, "done", flush])];
  const run = createGitService({ repositories: async () => repository })(callOf({ input }))[
    Symbol.asyncIterator
  ]();
  for (let i = 0; i < 3; i++) await run.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(made).toBeLessThanOrEqual(3);
  await run.return?.();
});

describe("budgets", () => {
  it("D8 go to the store with each order", async () => {
    const { repository, commits } = repositoryOfFive();
    const limits = { maxTreeVisits: 7, maxPackCpuMs: 8, maxPackBytes: 9 };
    const input = [encodePackets(["command=fetch", delim, `want ${commits[4]}`, "done", flush])];
    await serve(repository, { input, options: { limits } });
    await serve(repository, {
      version: 0,
      input: [section(`want ${commits[4]}`), encodePackets(["done"])],
      options: { limits },
    });
    for (const { limits } of repository.objects.orders)
      expect(limits).toEqual({ maxTreeVisits: 7, maxCpuMs: 8, maxPackBytes: 9 });
  });

  it("D8 that are spent end the fetch with the reason, on band 3 where there is one", async () => {
    const { repository, commits } = repositoryOfFive();
    const spent = new ObjectsError("objects/limit-exceeded", "the pack takes more than maxTreeVisits (7)");
    repository.objects.pack = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(spent) }),
    });
    const input = [encodePackets(["command=fetch", delim, `want ${commits[4]}`, "done", flush])];
    const { packets, error } = await serve(repository, { input });
    expect(packets).toEqual(["packfile\n", `\x03${spent.message}\n`]);
    expect(error).toMatchObject({ code: "server-core/limit-exceeded", message: spent.message });
    const v0 = (capabilities: string) =>
      serve(repository, {
        version: 0,
        input: [section(`want ${commits[4]} ${capabilities}`), encodePackets(["done"])],
      });
    expect((await v0("side-band")).packets).toEqual(["NAK\n", `\x03${spent.message}\n`]);
    const bare = await v0("");
    expect([bare.text, bare.error?.reported]).toEqual(["0008NAK\n", true]);
  });
});

it("D10 what a filter left out may be wanted by its id, and what nothing reaches may not", async () => {
  const { repository } = repositoryOfFive();
  repository.configure("uploadpack.allowFilter", "true");
  const lost = repository.blob("lost");
  const fetch = async (id: string, version: 0 | 2) => {
    const v2 = [encodePackets(["command=fetch", delim, `want ${id}`, "filter blob:none", "done", flush])];
    const v0 = [section(`want ${id} filter side-band-64k`, "filter blob:none"), encodePackets(["done"])];
    return (await serve(repository, { version, input: version === 2 ? v2 : v0 })).packets;
  };
  for (const version of [0, 2] as const) {
    for (const id of [repository.blob("c2"), repository.tree("c3")])
      expect(bandsOf(await fetch(id, version)).data).toMatch(/^PACK\n(?:blob|tree) .*END\n$/s);
    expect(await fetch(lost, version)).toEqual([`ERR upload-pack: not our ref ${lost}`]);
  }
});

describe("D1 and D2: a number", () => {
  const NUMBERS: [string, string][] = [
    ["deepen 0", "Invalid deepen: deepen 0"],
    ["deepen -1", "Invalid deepen: deepen -1"],
    ["deepen 4294967297", "Invalid deepen: deepen 4294967297"],
    ["deepen 99999999999999999999", "Invalid deepen: deepen 99999999999999999999"],
    ["deepen x", "Invalid deepen: deepen x"],
    ["deepen 1.5", "Invalid deepen: deepen 1.5"],
    ["deepen ", "Invalid deepen: deepen "],
    ["deepen-since 99999999999999999999999", "Invalid deepen-since: deepen-since 99999999999999999999999"],
    ["deepen-since -5", "Invalid deepen-since: deepen-since -5"],
    ["deepen-since 1e9", "Invalid deepen-since: deepen-since 1e9"],
    ["deepen-since 2000-01-01", "Invalid deepen-since: deepen-since 2000-01-01"],
  ];
  it.each(NUMBERS)("that is none is refused in v0 and v2: %s", async (line, words) => {
    const { repository, commits } = repositoryOfFive();
    const want = `want ${commits[4]}`;
    const v2 = [encodePackets(["command=fetch", delim, want, line, "done", flush])];
    expect((await serve(repository, { input: v2 })).packets).toEqual([`ERR ${words}`]);
    expect((await serve(repository, { version: 0, input: [section(want, line)] })).packets).toEqual([
      `ERR ${words}`,
    ]);
  });
});

it("D4 a ref to stop at that is hidden reads like one that is not there", async () => {
  const { repository, commits } = repositoryOfFive();
  repository.refs.set("refs/secret/x", commits[1]);
  repository.configure("uploadpack.hideRefs", "refs/secret");
  for (const name of ["refs/secret/x", "refs/secret/y"]) {
    const lines = [`want ${commits[4]}`, `deepen-not ${name}`, "done"];
    const { packets } = await serve(repository, {
      input: [encodePackets(["command=fetch", delim, ...lines, flush])],
    });
    expect(packets).toEqual([`ERR git upload-pack: deepen-not is not a ref: deepen-not ${name}`]);
  }
});

it("N7 a ref that is wanted twice, is hidden or is not there ends the fetch", async () => {
  const { repository, commits } = repositoryOfFive();
  repository.refs.set("refs/secret/x", commits[1]);
  repository.configure("uploadpack.hideRefs", "refs/secret");
  repository.configure("uploadpack.allowRefInWant", "true");
  const said = async (...lines: string[]) => {
    const input = [encodePackets(["command=fetch", delim, ...lines, "done", flush])];
    return (await serve(repository, { input })).packets[0];
  };
  expect(await said("want-ref refs/secret/x")).toBe("ERR unknown ref refs/secret/x");
  expect(await said("want-ref refs/secret/y")).toBe("ERR unknown ref refs/secret/y");
  expect(await said("want-ref refs/heads/main", "want-ref refs/heads/main")).toBe(
    "ERR duplicate want-ref refs/heads/main",
  );
});
