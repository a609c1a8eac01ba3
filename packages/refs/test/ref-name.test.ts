import { describe, expect, it } from "vitest";
import { isRootRefName, isSymbolicTarget, isValidRefName, parentRefNames } from "../src/ref-name.ts";

describe("isValidRefName", () => {
  it.each([
    "refs/heads/main",
    "a/b",
    "refs/heads/@",
    "refs/heads/-dash",
    "refs/heads/a.b",
    "refs/heads/a./b",
    "refs/heads/lock",
    "refs/heads/x.locks",
    "refs/heads/{x}",
    "refs/heads/@x{",
    'refs/heads/"q"',
    "refs/heads/$(id)",
    "refs/heads/\xff\xfe",
    "refs/heads/\x80",
    "@/x",
  ])("takes %j", (name) => {
    expect(isValidRefName(name)).toBe(true);
  });

  it.each([
    "",
    "/",
    "main",
    "@",
    "refs/",
    "/refs/x",
    "refs//x",
    "refs/x/",
    "refs/.x",
    ".refs/x",
    "refs/x/.",
    "refs/..",
    "refs/a..b",
    "refs/a.",
    "refs/x.lock",
    "refs/x.lock/y",
    "refs/.lock",
    "refs/a@{b",
    "refs/a b",
    "refs/a~b",
    "refs/a^b",
    "refs/a:b",
    "refs/a?b",
    "refs/a*b",
    "refs/a[b",
    "refs/a\\b",
    "refs/a\x7fb",
    "refs/a\0b",
    "refs/a\nb",
    "refs/a\u0100b",
  ])("refuses %j", (name) => {
    expect(isValidRefName(name)).toBe(false);
  });

  it("takes a single component when asked to", () => {
    for (const name of ["main", "HEAD", "a@", "@@"])
      expect(isValidRefName(name, { oneLevel: true })).toBe(true);
    for (const name of ["@", "", ".", "x.lock", "a."])
      expect(isValidRefName(name, { oneLevel: true })).toBe(false);
  });
});

describe("isRootRefName", () => {
  it("takes capitals only", () => {
    expect(["HEAD", "FETCH_HEAD", "A-B"].map(isRootRefName)).toEqual([true, true, true]);
    expect(["head", "refs/x", "", "_X", "HEAD2", "config", "A/B"].map(isRootRefName)).toEqual(
      Array(7).fill(false),
    );
  });
});

describe("isSymbolicTarget", () => {
  it("stays below refs/, or at HEAD", () => {
    expect(["refs/heads/x", "HEAD"].map(isSymbolicTarget)).toEqual([true, true]);
    const bad = ["config", "FETCH_HEAD", "../x", "refs/../x", "refs/", "refs", "heads/x", ""];
    expect(bad.filter(isSymbolicTarget)).toEqual([]);
  });
});

describe("parentRefNames", () => {
  it("gives every name that would have to be a directory", () => {
    expect(parentRefNames("refs/heads/a/b")).toEqual(["refs", "refs/heads", "refs/heads/a"]);
    expect(parentRefNames("HEAD")).toEqual([]);
  });
});
