import { describe, expect, it } from "vitest";
import {
  compareNames,
  indexOfName,
  lowerBound,
  minimalPrefixes,
  prefixesReach,
  type SortedNames,
  selectPrefixes,
  startsWithAny,
} from "../src/sorted-names.ts";

const NAMES = [
  "refs/heads/a",
  "refs/heads/ab",
  "refs/heads/b",
  "refs/heads/\xff",
  "refs/heads/\xff\xff",
  "refs/tags/a",
  "refs/tags/b",
];
const names: SortedNames = { length: NAMES.length, nameAt: (index) => NAMES[index] as string };

describe("sorted names", () => {
  it("are in byte order", () => {
    expect([...NAMES].sort(compareNames)).toEqual(NAMES);
    expect(["a/b", "a-b", "a", "\xff", "a.b"].sort(compareNames)).toEqual(["a", "a-b", "a.b", "a/b", "\xff"]);
  });

  it("are found by binary search", () => {
    for (const [index, name] of NAMES.entries()) expect(indexOfName(names, name)).toBe(index);
    for (const name of ["", "refs/heads/", "refs/heads/aa", "refs/zz"])
      expect(indexOfName(names, name)).toBe(-1);
    expect(lowerBound(names, "refs/heads/aa")).toBe(1);
    expect(lowerBound(names, "zzz")).toBe(NAMES.length);
  });
});

describe("selectPrefixes", () => {
  const selected = (prefixes: readonly string[] | undefined) =>
    selectPrefixes(names, prefixes).flatMap(({ start, end }) => NAMES.slice(start, end));
  const simply = (prefixes: readonly string[]) =>
    NAMES.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  const PREFIXES = [
    "",
    "refs/",
    "refs/heads/",
    "refs/heads/a",
    "refs/heads/ab",
    "refs/heads/\xff",
    "refs/heads/\xff\xff",
    "refs/tags/b",
    "refs/x",
    "HEAD",
    "zzz",
  ];

  it("agrees with trying every prefix on every name", () => {
    for (const a of PREFIXES)
      for (const b of PREFIXES)
        for (const c of PREFIXES) expect(selected([a, b, c])).toEqual(simply([a, b, c]));
  });

  it("gives all without prefixes, and none for an empty list", () => {
    expect(selected(undefined)).toEqual(NAMES);
    expect(selected([])).toEqual([]);
  });

  it("asks for few names, however many prefixes there are", () => {
    let asked = 0;
    const many = Array.from({ length: 4096 }, (_, at) => `refs/n${String(at).padStart(5, "0")}`);
    const counted: SortedNames = {
      length: many.length,
      nameAt: (index) => {
        asked++;
        return many[index] as string;
      },
    };
    const ranges = selectPrefixes(counted, many);
    expect(ranges).toHaveLength(many.length);
    expect(asked).toBeLessThan(many.length * 26);
  });
});

describe("prefixes", () => {
  it("drops those that another covers", () => {
    expect(minimalPrefixes(["b", "ab", "a", "abc", "b", "c/"])).toEqual(["a", "b", "c/"]);
    expect(minimalPrefixes(undefined)).toEqual([""]);
    expect(minimalPrefixes([])).toEqual([]);
  });

  it("says which names and directories they lead to", () => {
    const prefixes = minimalPrefixes(["refs/heads/ma", "refs/tags/", "refs/heads/x/y"]);
    const reached = (directory: string) => prefixesReach(prefixes, directory);
    expect(
      ["refs/", "refs/heads/", "refs/heads/main/", "refs/tags/", "refs/tags/v/", "refs/heads/x/"].filter(
        reached,
      ),
    ).toHaveLength(6);
    expect(
      ["refs/notes/", "refs/heads/m/", "refs/heads/n/", "refs/tag/", "refs/heads/x/z/"].filter(reached),
    ).toEqual([]);
    const matched = (name: string) => startsWithAny(prefixes, name);
    expect(
      ["refs/heads/ma", "refs/heads/main", "refs/tags/v", "refs/heads/x/yz"].filter(matched),
    ).toHaveLength(4);
    expect(["refs/heads/m", "refs/heads/x", "refs/tags", "refs/z", ""].filter(matched)).toEqual([]);
    expect(startsWithAny([""], "anything")).toBe(true);
    expect(startsWithAny([], "anything")).toBe(false);
  });
});
