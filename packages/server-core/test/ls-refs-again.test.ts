import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, type Limits } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { callOf, packetsOf } from "./story.ts";

/** A repository whose refs can name their state, and one service for all questions about it. */
function rig(limits: Partial<Limits> = {}) {
  const repository = new MemoryRepository();
  const ids = repository.five();
  const rig = { state: "one", listings: 0, ids, repository };
  const { refs } = repository;
  Object.assign(refs, { state: async () => rig.state });
  const list = refs.list.bind(refs);
  refs.list = (options) => {
    rig.listings++;
    return list(options);
  };
  const service = createGitService({ repositories: async () => repository, limits });
  const ask = async (...lines: string[]) => {
    const input = [encodePackets(["command=ls-refs\n", delim, ...lines, flush])];
    let text = "";
    for await (const chunk of service(callOf({ input }))) text += Buffer.from(chunk).toString("latin1");
    return packetsOf(text);
  };
  return Object.assign(rig, { ask });
}

describe("ls-refs asked again", () => {
  it("is answered from memory while the refs are in the same state", async () => {
    const known = rig();
    const first = await known.ask("peel", "symrefs");
    const made = known.listings;
    expect(made).toBe(1);
    expect(await known.ask("peel", "symrefs")).toEqual(first);
    expect(known.listings).toBe(made);
    await known.ask("peel");
    expect(known.listings).toBe(made + 1);
  });

  it("is answered anew beyond maxListingsBytes, and after listingMs", async () => {
    for (const limits of [{ maxListingsBytes: 10 }, { listingMs: 0 }]) {
      const known = rig(limits);
      const first = await known.ask("symrefs");
      expect(known.listings).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(await known.ask("symrefs")).toEqual(first);
      expect(known.listings, JSON.stringify(limits)).toBe(2);
    }
  });

  it("is answered anew once the state is another", async () => {
    const known = rig();
    const first = await known.ask("symrefs");
    known.repository.refs.set("refs/heads/new", known.ids[0]);
    expect(await known.ask("symrefs")).toEqual(first);
    known.state = "two";
    expect(await known.ask("symrefs")).toHaveLength(first.length + 1);
  });

  it("is never remembered where a ref was broken", async () => {
    const known = rig();
    known.repository.refs.set("refs/heads/lost", "9".repeat(40) as never);
    const first = await known.ask();
    const made = known.listings;
    expect(await known.ask()).toEqual(first);
    expect(known.listings).toBeGreaterThan(made);
  });

  it("remembers answers to prefixes only where these cover what HEAD stands for", async () => {
    const known = rig();
    const listed = async (...prefixes: string[]) => {
      const made = known.listings;
      await known.ask("symrefs", ...prefixes.map((prefix) => `ref-prefix ${prefix}\n`));
      return known.listings - made;
    };
    expect(await listed("HEAD", "refs/heads/")).toBe(1);
    expect(await listed("refs/heads/", "HEAD")).toBe(0);
    expect(await listed("HEAD", "refs/tags/")).toBe(1);
    expect(await listed("HEAD", "refs/tags/")).toBe(1);
    expect(await listed("refs/tags/")).toBe(1);
    expect(await listed("refs/tags/")).toBe(0);
  });
});
