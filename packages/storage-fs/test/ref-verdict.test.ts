import { parseObjectId } from "@x/objects";
import { parsePackedRefs, type RefEdit } from "@x/refs";
import { describe, expect, it } from "vitest";
import { conflictsAmong, conflictsWithPacked, currentRef, refusalByValue } from "../src/refs/ref-verdict.ts";

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

describe("conflictsWithPacked", () => {
  it.each([
    ["refs/heads/a/b", true],
    ["refs/heads/a/b/c", true],
    ["refs/heads/d", true],
    ["refs/heads/d/x", false],
    ["refs/heads/d/y", false],
    ["refs/heads/ab", false],
  ])("%s: %j", (name, conflict) => {
    expect(conflictsWithPacked(name, packed)).toBe(conflict);
  });
});

describe("conflictsAmong", () => {
  const create = (name: string) => edit(name, "absent");
  const remove = (name: string) => edit(name, "any", "delete");
  it("keeps the first of two that cannot be neighbours", () => {
    expect(conflictsAmong([create("refs/a/b"), create("refs/a"), create("refs/a/c")], false)).toEqual(
      new Set([1]),
    );
    expect(conflictsAmong([create("refs/a"), create("refs/a/b/c"), create("refs/ab")], false)).toEqual(
      new Set([1]),
    );
  });
  it("counts deletions only when all is made together", () => {
    const edits = [remove("refs/a"), create("refs/a/b")];
    expect(conflictsAmong(edits, false)).toEqual(new Set());
    expect(conflictsAmong(edits, true)).toEqual(new Set([1]));
  });
});
