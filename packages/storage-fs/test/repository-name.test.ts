import { describe, expect, it } from "vitest";
import { splitNewRepositoryName, splitRepositoryName } from "../src/repository/repository-name.ts";

describe("splitRepositoryName", () => {
  it.each<[string, string[]]>([
    ["a", ["a"]],
    ["/a/b.git", ["a", "b.git"]],
    ["a/.git/", ["a", ".git"]],
    ["a b/ü", ["a b", "ü"]],
    ["...", ["..."]],
    ["a~b", ["a~b"]],
  ])("takes %j", (name, segments) => {
    expect(splitRepositoryName(name)).toEqual(segments);
  });

  it.each([
    "",
    "/",
    "..",
    "../a",
    "a/..",
    "a/../b",
    "/..",
    ".",
    "./a",
    "a/./b",
    "//a",
    "a//b",
    "a//",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\\b",
    "..\\a",
    "~root/a",
    "/~/a",
    "x".repeat(256),
    "ü".repeat(128),
    "a/".repeat(600),
  ])("refuses %j", (name) => {
    expect(splitRepositoryName(name)).toBeUndefined();
  });
});

describe("splitNewRepositoryName", () => {
  it.each<[string, string[]]>([
    ["a", ["a.git"]],
    ["/team_1/a-b.git", ["team_1", "a-b.git"]],
    ["a.b/c", ["a.b", "c.git"]],
  ])("takes %j", (name, segments) => {
    expect(splitNewRepositoryName(name)).toEqual(segments);
  });

  it.each([
    "-a",
    ".a",
    "a/.git",
    "a.git.git",
    "a.lock",
    "a b",
    "ü",
    "a;b",
    "a.git/b",
    "a/../b",
    "a.",
    "x".repeat(252),
  ])("refuses %j", (name) => {
    expect(splitNewRepositoryName(name)).toBeUndefined();
  });
});
