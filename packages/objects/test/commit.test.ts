import { describe, expect, it } from "vitest";
import { committerTime, parseCommitLinks } from "../src/commit.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(64);
const bytes = (text: string) => Buffer.from(text, "latin1");
const people = (time: string) => `author A <a@x> 1 +0000\ncommitter C <c@x> ${time} +0000\n`;
const parse = (text: string, format: "sha1" | "sha256" = "sha1") => parseCommitLinks(bytes(text), format);

describe("parseCommitLinks", () => {
  it("reads tree, parents in order, and time", () => {
    expect(parse(`tree ${A}\nparent ${B}\nparent ${A}\n${people("1234")}\nmessage\nparent ${B}\n`)).toEqual({
      tree: A,
      parents: [B, A],
      committedAt: 1234,
    });
    expect(parse(`tree ${A}\n${people("5")}\n`)).toEqual({ tree: A, parents: [], committedAt: 5 });
    expect(parse(`tree ${C}\nparent ${C}\n${people("5")}\n`, "sha256").parents).toEqual([C]);
  });

  it.each([
    ["nothing", ""],
    ["no tree", `parent ${B}\n`],
    ["a short tree id", `tree ${A.slice(1)}\n`],
    ["a long tree id", `tree ${A}a\n`],
    ["no end of line", `tree ${A}`],
    ["an id of other digits", `tree ${"g".repeat(40)}\n`],
    ["a short parent", `tree ${A}\nparent ${B.slice(1)}\n`],
    ["an id of another format", `tree ${C}\n`],
  ])("refuses %s", (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "objects/malformed" }));
  });

  it("refuses or reads every cut, and never hangs", () => {
    const text = `tree ${A}\nparent ${B}\n${people("1234")}\n`;
    for (let end = 0; end < text.length; end++) {
      let tree: string | undefined;
      try {
        tree = parse(text.slice(0, end)).tree;
      } catch {
        tree = undefined;
      }
      expect(tree).toBe(end < 46 || (end >= 53 && end < 94) ? undefined : A);
    }
  });
});

describe("committerTime", () => {
  it.each<[string, number]>([
    [people("1112911993"), 1112911993],
    [people("0"), 0],
    [people("  7"), 7],
    ["author A <a@x> 1 +0000\ncommitter C <c>x> 9 +0000\n", 9],
    ["author A <a@x> 1 +0000\ncommitter no mail 9\n", 0],
    ["author A <a@x> 1 +0000\nencoding x\n", 0],
    [people("x"), 0],
    [people("-5"), 0],
    [people("9".repeat(30)), 0],
    ["author A <a@x> 1 +0000\ncommitter C <c@x> 9 +0000", 0],
    ["author A <a@x> 1 +0000", 0],
    ["", 0],
  ])("of %j is %i", (text, time) => {
    expect(committerTime(bytes(text), 0)).toBe(time);
  });
});
