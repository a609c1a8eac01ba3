import { describe, expect, it } from "vitest";
import { refPlace } from "../src/worktree-ref.ts";

describe("refPlace", () => {
  it.each(["HEAD", "ORIG_HEAD", "refs/bisect/bad", "refs/worktree/x", "refs/rewritten/a/b"])(
    "%s is a work tree's own",
    (name) => {
      expect(refPlace(name)).toEqual({ kind: "own", name });
    },
  );

  it.each([
    "refs/heads/main",
    "refs/bisect",
    "refs/worktrees/x",
    "main-worktree/refs/heads/x",
    "worktrees/a/refs/heads/x",
    "worktrees/a",
    "main-worktree/",
  ])("%s is shared", (name) => {
    expect(refPlace(name)).toEqual({ kind: "shared", name });
  });

  it("knows the names of others' refs", () => {
    expect(refPlace("main-worktree/HEAD")).toEqual({ kind: "main", name: "HEAD" });
    expect(refPlace("worktrees/a/refs/bisect/x")).toEqual({
      kind: "worktree",
      worktree: "a",
      name: "refs/bisect/x",
    });
  });
});
