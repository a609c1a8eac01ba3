import { describe, expect, it } from "vitest";
import { parseTagTarget } from "../src/tag.ts";

const A = "a".repeat(40);
const parse = (text: string, format: "sha1" | "sha256" = "sha1") =>
  parseTagTarget(Buffer.from(text, "latin1"), format);

describe("parseTagTarget", () => {
  it.each(["commit", "tree", "blob", "tag"])("reads what a tag of a %s points at", (type) => {
    expect(parse(`object ${A}\ntype ${type}\ntag v1\ntagger \xff\n\nmessage\n`)).toEqual({ id: A, type });
    const long = "b".repeat(64);
    expect(parse(`object ${long}\ntype ${type}\n`, "sha256")).toEqual({ id: long, type });
  });

  it.each([
    "",
    `object ${A}\n`,
    `object ${A}\ntype commit`,
    `object ${A}\ntype branch\n`,
    `object ${A.slice(1)}\ntype commit\n`,
    `object ${A}a\ntype commit\n`,
    `type commit\nobject ${A}\n`,
    ` object ${A}\ntype commit\n`,
    `object ${A}\ntag x\ntype commit\n`,
    `object ${"b".repeat(64)}\ntype commit\n`,
  ])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "objects/malformed" }));
  });
});
