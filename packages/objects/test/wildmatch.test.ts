import { describe, expect, it } from "vitest";
import { matchesPath } from "../src/pattern/matches-path.ts";
import { Wildmatch } from "../src/pattern/wildmatch.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

function matches(pattern: string, text: string, acrossSlashes = false): boolean {
  const match = new Wildmatch(pattern, { acrossSlashes });
  const bytes = bytesOf(text);
  const whole = match.isMatch(match.advance(match.start, bytes, 0, bytes.length));
  // The same in two pieces, wherever the cut is.
  for (let cut = 0; cut <= bytes.length; cut++) {
    const first = match.advance(match.start, bytes, 0, cut);
    if (whole && cut < bytes.length) expect(match.mayGoOn(first)).toBe(true);
    expect(match.isMatch(match.advance(first, bytes, cut, bytes.length))).toBe(whole);
  }
  return whole;
}

/** Pattern, texts that match, texts that do not. */
const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["foo", ["foo"], ["fo", "fooo", ""]],
  ["", [""], ["f"]],
  ["???", ["foo"], ["fo", "f/o"]],
  ["*", ["", "foo"], ["foo/bar"]],
  ["*foo*", ["foo", "xfoox"], ["fo"]],
  ["*ob*a*r*", ["foobar"], ["foobra"]],
  ["foo\\*", ["foo*"], ["foox", "foo\\*"]],
  ["foo\\", [], ["foo\\", "foo"]],
  ["\\a\\b", ["ab"], ["\\a\\b"]],
  ["foo*bar", ["foobar", "foobazbar"], ["foo/baz/bar", "foo/bar"]],
  ["foo**bar", ["foobazbar"], ["foo/baz/bar", "foo/bar"]],
  ["foo/**/bar", ["foo/bar", "foo/baz/bar", "foo/b/a/z/bar"], ["foo", "foobar", "foo/barx"]],
  ["foo/***/bar", ["foo/bar", "foo/a/b/bar"], ["foo/b"]],
  ["foo/**/**/bar", ["foo/bar", "foo/b/a/z/bar"], ["foo/"]],
  ["foo/**", ["foo/x", "foo/x/y"], ["foo", "foox"]],
  ["foo**", ["foobar"], ["foo/bar"]],
  ["**/foo", ["foo", "XXX/foo", "bar/baz/foo"], ["xfoo", "foo/x"]],
  ["**\\/foo", ["a/foo", "a/b/foo"], ["foo"]],
  ["*/foo", ["bar/foo"], ["bar/baz/foo", "foo"]],
  ["**/bar/*", ["deep/foo/bar/baz"], ["deep/foo/bar", "deep/foo/bar/baz/x"]],
  ["**/bar**", ["bar", "foo/barx"], ["foo/bar/baz"]],
  ["**/*a*b*g*n*t", ["abcd/abcdefg/abcdefghijk/abcdefghijklmnop.txt"], ["abcd/abcdefghijklmnop.txtz"]],
  ["t[a-g]n", ["ten"], ["ton", "t/n"]],
  ["t[!a-g]n", ["ton"], ["ten", "t/n"]],
  ["t[^a-g]n", ["ton"], ["ten"]],
  ["foo[/]bar", [], ["foo/bar"]],
  ["a[]]b", ["a]b"], ["a[b"]],
  ["a[]-]b", ["a-b", "a]b"], ["aab"]],
  ["a[]b", [], ["ab", "a[]b"]],
  ["ab[", [], ["ab", "ab["]],
  ["[!]-]", ["a"], ["]", "-"]],
  ["[[]ab]", ["[ab]"], []],
  ["[[:]ab]", ["[ab]", ":ab]"], []],
  ["[[::]ab]", [], ["[ab]", ":ab]"]],
  ["[[:digit]ab]", ["[ab]", "dab]"], []],
  ["[\\[:]ab]", ["[ab]"], []],
  ["[[:alpha:]][[:digit:]][[:upper:]]", ["a1B"], ["a1b", "11B"]],
  ["[[:digit:][:upper:][:spaci:]]", [], ["1"]],
  ["[[:xdigit:][:punct:][:blank:][:cntrl:]]", ["f", ".", "\t", "\x7f"], ["g", "\xe9"]],
  ["[a-c[:digit:]x-z]", ["5", "b", "y"], ["q"]],
  ["[\\\\-^]", ["]", "\\"], ["["]],
  ["[\\-_]", ["-", "_"], ["\\"]],
  ["[a-\\]]", [], ["b"]],
  ["[A-\\\\]", ["G"], ["]"]],
  ["[--A]", ["-", "5"], [","]],
  ["[---]", ["-"], ["."]],
  ["[a-e-n]", ["-", "c"], ["j"]],
  ["[a-", [], ["a", "-"]],
  ["[!", [], ["a"]],
  ["[a-[:alpha:]]", [], ["b"]],
  ["a\0b", ["a"], ["a\0b"]],
  ["\xff?", ["\xff\xfe"], ["\xff"]],
];

describe("Wildmatch", () => {
  it.each(cases)("%j", (pattern, yes, no) => {
    for (const text of yes) expect({ text, is: matches(pattern, text) }).toEqual({ text, is: true });
    for (const text of no) expect({ text, is: matches(pattern, text) }).toEqual({ text, is: false });
  });

  it("takes no longer for patterns that are hard on those who try one way after the other", () => {
    const match = new Wildmatch(`${"*a".repeat(200)}*/**/${"*b*/".repeat(50)}c`);
    const text = bytesOf(`${"a".repeat(5000)}/${"b/".repeat(200)}`);
    expect(match.isMatch(match.advance(match.start, text, 0, text.length))).toBe(false);
  });

  it("matches slashes with every wildcard where it is told to", () => {
    for (const pattern of ["a*c", "a?c", "a[/]c", "a**c", "a[!b]c"]) {
      expect(matches(pattern, "a/c", true)).toBe(true);
      expect(matches(pattern, "a/c")).toBe(false);
    }
    expect(matches("**/c", "c")).toBe(true);
    expect(matches("**/c", "c", true)).toBe(false);
    expect(matches("**/c", "a/b/c", true)).toBe(true);
  });
});

describe("matchesPath", () => {
  it.each([
    ["a.c", "a.c", true],
    ["a.c", "A.c", false],
    ["*.c", "a.c", true],
    ["*.c", ".c", true],
    ["*.c", "c", false],
    ["*.c", "d/a.c", false],
    ["*", "d/a", false],
    ["*", "", true],
    ["a*", "ab", true],
    ["a*", "ba", false],
    ["a\\*", "a*", true],
    ["*[a]", "ba", true],
  ])("%s and %s: %s", (pattern, text, expected) => {
    expect(matchesPath(pattern, text, { ignoreCase: false })).toBe(expected);
    expect(matchesPath(pattern, text.toUpperCase(), { ignoreCase: true })).toBe(
      expected || /^A\.C$/i.test(text),
    );
  });

  it("lets wildcards match slashes", () => {
    expect(matchesPath("*.c", "d/a.c", { ignoreCase: false, acrossSlashes: true })).toBe(true);
    expect(matchesPath("d*", "d/a.c", { ignoreCase: false, acrossSlashes: true })).toBe(true);
  });
});
