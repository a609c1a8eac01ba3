import { parseObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import type { Ref } from "../src/ref-store.ts";
import { resolveRef } from "../src/resolve.ts";

const id = parseObjectId("a".repeat(40), "sha1");

function store(targets: Readonly<Record<string, string>>) {
  return {
    get: async (name: string): Promise<Ref | undefined> => {
      const target = new Map(Object.entries(targets)).get(name);
      if (target === undefined) return undefined;
      if (target === "id" && id !== undefined) return { name, target: { kind: "id", id } };
      return { name, target: { kind: "symbolic", name: target } };
    },
  };
}

describe("resolveRef", () => {
  it("follows symbolic refs to an id", async () => {
    const refs = store({ HEAD: "refs/heads/a", "refs/heads/a": "refs/heads/b", "refs/heads/b": "id" });
    expect(await resolveRef(refs, "HEAD")).toEqual({
      status: "found",
      name: "refs/heads/b",
      id,
      ref: { name: "refs/heads/b", target: { kind: "id", id } },
    });
    expect(await resolveRef(refs, "refs/heads/b")).toMatchObject({ status: "found", name: "refs/heads/b" });
  });

  it("tells unborn from missing", async () => {
    const refs = store({ HEAD: "refs/heads/main" });
    expect(await resolveRef(refs, "HEAD")).toEqual({ status: "unborn", name: "refs/heads/main" });
    expect(await resolveRef(refs, "refs/heads/main")).toBeUndefined();
  });

  it("gives up on circles, long chains and targets that are no refs", async () => {
    expect(await resolveRef(store({ "refs/a": "refs/b", "refs/b": "refs/a" }), "refs/a")).toMatchObject({
      status: "broken",
    });
    expect(await resolveRef(store({ HEAD: "config", config: "id" }), "HEAD")).toEqual({
      status: "broken",
      name: "config",
    });
    const chain: Record<string, string> = { "refs/0": "id" };
    for (let at = 1; at <= 5; at++) chain[`refs/${at}`] = `refs/${at - 1}`;
    expect(await resolveRef(store(chain), "refs/4")).toMatchObject({ status: "found", name: "refs/0" });
    expect(await resolveRef(store(chain), "refs/5")).toMatchObject({ status: "broken" });
  });
});
