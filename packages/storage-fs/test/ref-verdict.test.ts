import { parseObjectId } from "@x/objects";
import { conflictsAmong, parsePackedRefs, type RefEdit, refusalByValue } from "@x/refs";
import { describe, expect, it } from "vitest";
import { currentRef, packedConflict } from "../src/refs/ref-verdict.ts";

const id = (digit: string) => {
  const parsed = parseObjectId(digit.repeat(40), "sha1");
  if (parsed === undefined) throw new Error("bad id");
  return parsed;
};
const A = id("a");
const B = id("b");
const packed = parsePackedRefs(Buffer.from(`${A} refs/heads/a\n${A} refs/heads/d/x\n`), "sha1");
const edit = (name: string, expected: RefEdit["expected"], next: RefEdit["next"] = B): RefEdit => ({
  name,
  expected,
  next,
});

describe("currentRef", () => {
  it("lets loose beat packed, even when it is no id", () => {
    expect(currentRef("refs/heads/a", { kind: "id", id: B }, packed)).toEqual({ kind: "id", id: B });
    expect(currentRef("refs/heads/a", { kind: "symbolic", name: "refs/heads/b" }, packed)).toBe("special");
    expect(currentRef("refs/heads/a", "broken", packed)).toBe("special");
    expect(currentRef("refs/heads/a", "directory", packed)).toEqual({ kind: "id", id: A });
    expect(currentRef("refs/heads/b", "missing", packed)).toBe("absent");
  });
});

describe("refusalByValue", () => {
  const holdsA = { kind: "id", id: A } as const;
  it.each([
    ["any", "absent", undefined],
    ["any", "special", undefined],
    ["any", holdsA, undefined],
    ["absent", "absent", undefined],
    ["absent", holdsA, "exists"],
    ["absent", "special", "exists"],
    [A, holdsA, undefined],
    [B, holdsA, "stale"],
    [A, "special", "stale"],
    [A, "absent", "missing"],
  ] as const)("expecting %j of %j: %j", (expected, current, reason) => {
    expect(refusalByValue(edit("refs/x", expected), current)).toBe(reason);
  });
});

describe("packedConflict", () => {
  it.each([
    ["refs/heads/a/b", "refs/heads/a"],
    ["refs/heads/a/b/c", "refs/heads/a"],
    ["refs/heads/d", "refs/heads/d/x"],
    ["refs/heads/d/x", undefined],
    ["refs/heads/d/y", undefined],
    ["refs/heads/ab", undefined],
  ])("%s: %j", (name, conflict) => {
    expect(packedConflict(name, packed)).toBe(conflict);
  });
});

describe("conflictsAmong", () => {
  const create = (name: string) => edit(name, "absent");
  const remove = (name: string) => edit(name, "any", "delete");
  const told = (...args: Parameters<typeof conflictsAmong>) =>
    [...conflictsAmong(...args)].map(([index, outcome]) => [
      index,
      outcome.status === "ok" || outcome.message,
    ]);
  it("keeps the first of two that cannot be neighbours", () => {
    expect(told([create("refs/a/b"), create("refs/a"), create("refs/a/c")], false)).toEqual([
      [1, "cannot process 'refs/a' and 'refs/a/b' at the same time"],
    ]);
    expect(told([create("refs/a"), create("refs/a/b/c"), create("refs/ab")], false)).toEqual([
      [1, "cannot process 'refs/a/b/c' and 'refs/a' at the same time"],
    ]);
  });
  it("counts deletions only when all is made together", () => {
    const edits = [remove("refs/a"), create("refs/a/b")];
    expect(told(edits, false)).toEqual([]);
    expect(told(edits, true)).toEqual([[1, "'refs/a' exists; cannot create 'refs/a/b'"]]);
  });
});
