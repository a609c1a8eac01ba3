import type { ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { RefScope } from "../src/visible/ref-scope.ts";
import { VisibleRefs } from "../src/visible/visibility.ts";
import { MemoryRepository } from "./memory-repository.ts";

function gate(hidden: readonly string[]) {
  const repository = new MemoryRepository();
  const [c1, c2, c3, , c5] = repository.five();
  repository.refs.set("refs/heads/secret", c2);
  repository.refs.set("refs/tags/v1", repository.tag("v1", c3));
  repository.refs.point("refs/heads/alias", "refs/heads/secret");
  for (const name of hidden) repository.configure("transfer.hideRefs", name);
  return {
    refs: new VisibleRefs(repository, { scope: new RefScope(repository, "uploadpack") }),
    repository,
    c1,
    c2,
    c5,
  };
}

async function names(refs: VisibleRefs): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of refs.list()) found.push(...batch.map(({ name }) => name));
  return found;
}

describe("a hidden ref", () => {
  it("is not listed, nor is a symbolic ref that leads to it", async () => {
    expect(await names(gate([]).refs)).toEqual([
      "refs/heads/alias",
      "refs/heads/main",
      "refs/heads/secret",
      "refs/tags/v1",
    ]);
    const { refs } = gate(["refs/heads/secret"]);
    expect(await names(refs)).toEqual(["refs/heads/main", "refs/tags/v1"]);
    expect(await refs.count()).toBe(2);
  });

  it("is no tip, and does not resolve", async () => {
    const { refs, c2 } = gate(["refs/heads/secret"]);
    expect((await refs.tips()).has(c2)).toBe(false);
    expect(await refs.withoutTips([c2])).toEqual(new Set([c2]));
    expect(await refs.resolve("refs/heads/secret")).toBeUndefined();
    expect(await refs.resolve("refs/heads/alias")).toBeUndefined();
    expect(await refs.resolve("refs/heads/none")).toBeUndefined();
  });

  it("hides HEAD with it, born or unborn", async () => {
    const { refs, repository } = gate(["refs/heads/main"]);
    expect(await refs.head()).toEqual({});
    repository.refs.stored.delete("refs/heads/main");
    expect(await refs.head()).toEqual({});
    expect(await gate(["HEAD"]).refs.head()).toEqual({});
  });
});

it("tips are what refs and a detached HEAD hold, each once, tags as they are", async () => {
  const { refs, repository, c1, c2, c5 } = gate([]);
  repository.refs.set("HEAD", c1);
  const tag = repository.refs.id("refs/tags/v1") as ObjectId;
  expect(await refs.tips()).toEqual(new Set([c2, c5, tag, c1]));
  expect(await refs.withoutTips([c1, c2, c5, tag])).toEqual(new Set());
});

it("a peeled value that the store knows is taken, one that it does not know is found out", async () => {
  const { refs, repository, c1 } = gate([]);
  const list = repository.refs.list.bind(repository.refs);
  repository.refs.list = async function* (options) {
    for await (const batch of list(options))
      yield batch.map((ref) =>
        ref.name === "refs/tags/v1" ? { ...ref, peeled: c1 } : { ...ref, peeled: null },
      );
  };
  const peeled: (string | undefined)[] = [];
  for await (const batch of refs.list({ peel: true })) peeled.push(...batch.map((ref) => ref.peeled));
  expect(peeled).toContain(c1);
  expect(peeled.filter((id) => id !== undefined)).toHaveLength(1);
});

describe("the current branch", () => {
  it("is known for the rules of a push, hidden or not", async () => {
    expect(await gate(["HEAD", "refs/heads/main"]).refs.currentBranch()).toBe("refs/heads/main");
  });
});
