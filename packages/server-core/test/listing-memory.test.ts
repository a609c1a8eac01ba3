import type { ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { ListingMemory } from "../src/visible/listing-memory.ts";

const listing = (state: string, bytes: number) => ({
  state,
  chunks: [new Uint8Array(bytes)],
  ids: new Set<ObjectId>(),
  refs: 1,
});

describe("ListingMemory", () => {
  it("gives an answer while the state is the same, for a while", () => {
    let now = 0;
    const memory = new ListingMemory(1000, 50, () => now);
    memory.put("k", listing("s", 10));
    expect(memory.get("k", "s")?.refs).toBe(1);
    expect(memory.get("other", "s")).toBeUndefined();
    now = 49;
    expect(memory.get("k", "s")).toBeDefined();
    now = 50;
    expect(memory.get("k", "s")).toBeUndefined();
    memory.put("k", listing("s", 10));
    expect(memory.get("k", "t")).toBeUndefined();
    expect(memory.get("k", "s")).toBeUndefined();
  });

  it("lets go of the longest unused, and keeps nothing large", () => {
    const memory = new ListingMemory(1000, 50, () => 0);
    for (const key of ["a", "b", "c", "d"]) memory.put(key, listing("s", 240));
    expect(memory.get("a", "s")).toBeDefined();
    memory.put("e", listing("s", 240));
    expect(memory.get("b", "s")).toBeUndefined();
    for (const key of ["a", "c", "d", "e"]) expect(memory.get(key, "s")).toBeDefined();
    memory.put("large", listing("s", 300));
    expect(memory.get("large", "s")).toBeUndefined();
    expect(memory.fits(251)).toBe(false);
  });
});
