import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { serve } from "./story.ts";

function makeRepository(...settings: (readonly [key: string, value: string])[]): MemoryRepository {
  const repository = new MemoryRepository();
  repository.configure("promisor.advertise", "true");
  for (const [key, value] of settings) repository.configure(key, value);
  return repository;
}

async function told(repository: MemoryRepository): Promise<string | undefined> {
  const { packets } = await serve(repository, { mode: "advertise" });
  return packets.find((packet) => packet.startsWith("promisor-remote"));
}

const LOP: (readonly [string, string])[] = [
  ["remote.lop.url", "https://lop.example/r;a,b%20c d\xe9"],
  ["remote.lop.promisor", "true"],
  ["remote.lop.partialCloneFilter", "blob:limit=5k"],
  ["remote.lop.token", "s3,cret"],
];

describe("promisor-remote", () => {
  it("names the remotes, with nothing in them that could be taken for something else", async () => {
    const repository = makeRepository(...LOP, ["remote.a;b.url", "u"], ["remote.a;b.promisor", "yes"]);
    expect(await told(repository)).toBe(
      "promisor-remote=name=lop,url=https://lop.example/r%3ba%2cb%2520c%20d%e9;name=a%3bb,url=u\n",
    );
  });

  it("tells those fields that it is to tell, under their full names", async () => {
    const repository = makeRepository(...LOP.slice(1), ["remote.lop.url", "u"]);
    const fields = (list: string) => {
      repository.configure("promisor.sendFields", list);
      return told(repository);
    };
    expect(await fields("token")).toBe("promisor-remote=name=lop,url=u,token=s3%2ccret\n");
    expect(await fields(" TOKEN , partialclonefilter,unknown")).toBe(
      "promisor-remote=name=lop,url=u,partialCloneFilter=blob:limit=5k,token=s3%2ccret\n",
    );
    expect(await fields("")).toBe("promisor-remote=name=lop,url=u\n");
  });

  it("is left out without a remote that makes a promise and has an address", async () => {
    expect(await told(makeRepository())).toBeUndefined();
    expect(await told(makeRepository(["remote.x.url", "u"]))).toBeUndefined();
    expect(await told(makeRepository(["remote.x.promisor", "true"]))).toBeUndefined();
    expect(await told(makeRepository(["remote.x.url", "u"], ["remote.x.promisor", "false"]))).toBeUndefined();
    expect(await told(makeRepository(["remote.x.url", "u"], ["remote.x.partialCloneFilter", "tree:0"]))).toBe(
      "promisor-remote=name=x,url=u\n",
    );
    expect(await told(makeRepository(["remote.x.url", "u"], ["extensions.partialClone", "x"]))).toBe(
      "promisor-remote=name=x,url=u\n",
    );
    const off = makeRepository(...LOP);
    off.configure("promisor.advertise", "false");
    expect(await told(off)).toBeUndefined();
  });

  it("lets the pack lack what is missing when the client takes it from one of them", async () => {
    const repository = makeRepository(...LOP, ["remote.a;b.url", "u"], ["remote.a;b.promisor", "yes"]);
    const [, , , , tip] = repository.five();
    const fetch = async (...accepted: string[]) => {
      const lines = ["command=fetch", ...accepted, delim, `want ${tip}`, "done", flush];
      await serve(repository, { input: [encodePackets(lines)] });
      return repository.objects.orders.at(-1)?.allowMissing;
    };
    expect(await fetch()).toBeUndefined();
    expect(await fetch("promisor-remote=other;")).toBeUndefined();
    expect(await fetch("promisor-remote=other;lop")).toBe(true);
    expect(await fetch("promisor-remote=a%3Bb")).toBe(true);
    const listing = ["command=ls-refs", "promisor-remote=lop", flush];
    const fetching = ["command=fetch", delim, `want ${tip}`, "done", flush];
    await serve(repository, { mode: "duplex", input: [encodePackets([...listing, ...fetching, flush])] });
    expect(repository.objects.orders.at(-1)?.allowMissing).toBe(true);
    await serve(repository, { mode: "duplex", input: [encodePackets([...fetching, flush])] });
    expect(repository.objects.orders.at(-1)?.allowMissing).toBeUndefined();
  });

  it("may be answered where it was announced, and only there", async () => {
    const ask = (repository: MemoryRepository) =>
      serve(repository, {
        input: [encodePackets(["command=ls-refs", "promisor-remote=lop;x", delim, flush])],
      });
    expect((await ask(makeRepository(...LOP))).packets).toEqual(["flush"]);
    expect((await ask(new MemoryRepository())).packets).toEqual([
      "ERR unknown capability 'promisor-remote=lop;x'",
    ]);
  });
});
