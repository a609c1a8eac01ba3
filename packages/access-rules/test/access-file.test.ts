import { describe, expect, it } from "vitest";
import { AccessRulesError, parseAccess } from "../src/index.ts";
import { namesOf, parsePattern } from "../src/repository-pattern.ts";

describe("namesOf", () => {
  it.each([
    ["/a", ["a"]],
    ["a.git", ["a"]],
    ["/a.git/", ["a"]],
    ["/a/.git", ["a"]],
    ["/a.git/.git", ["a"]],
    ["a.git.git", ["a"]],
    ["/team/a.git", ["team/a"]],
    ["/a.b/c.d.git", ["a.b/c.d"]],
    ["/a.git/modules/b", ["a", "a/modules/b"]],
    ["/a/.git/modules/b.git", ["a", "a/modules/b"]],
    ["/team.git/a", ["team", "team/a"]],
  ])("of %s", (repository, names) => {
    expect(namesOf(repository)).toEqual(names);
  });

  it.each([
    "",
    "/",
    "//a",
    "/a//b",
    "/./a",
    "../a",
    "/a/..",
    "/.git",
    ".git",
    "a\\b",
    "a\nb",
    "/a\0",
    "/a//",
  ])("is nothing for %j", (repository) => {
    expect(namesOf(repository)).toBeUndefined();
  });
});

describe("parsePattern", () => {
  it.each([
    ["**", ["a", "a/b", "a/b/c"], []],
    ["*", ["a", "b.c"], ["a/b"]],
    ["team/*", ["team/a"], ["team", "team/a/b", "teams/a"]],
    ["team/**", ["team", "team/a", "team/a/b"], ["teams", "a/team"]],
    ["/team/a.git", ["team/a"], ["team/ab", "team"]],
    ["**/private", ["private", "a/private", "a/b/private"], ["private/a", "aprivate"]],
    ["**/x-*-y/**/z", ["x--y/z", "a/x-1-y/b/c/z"], ["x-y/z", "x--y"]],
    ["a*b*c", ["abc", "aXbXc", "abbcc"], ["ab", "abcd", "xabc"]],
    ["a.b", ["a.b"], ["aXb"]],
    ["(a|b)+", ["(a|b)+"], ["a"]],
  ])("%s", (text, yes, no) => {
    const pattern = parsePattern(text);
    for (const name of yes) expect([name, pattern?.matches(name)]).toEqual([name, true]);
    for (const name of no) expect([name, pattern?.matches(name)]).toEqual([name, false]);
  });

  it.each(["", "/", "a//b", "a/", ".", "a/../b", "a\\b", "a**", "**b"])("%j is none", (text) => {
    expect(parsePattern(text)).toBeUndefined();
  });

  it("takes no time for a name that almost fits", () => {
    const started = performance.now();
    const pattern = parsePattern("*a*a*a*a*a*a*a*a*a*b");
    for (let i = 0; i < 100; i++) expect(pattern?.matches("a".repeat(4000))).toBe(false);
    const deep = parsePattern("**/a/**/a/**/a/**/b");
    for (let i = 0; i < 100; i++) expect(deep?.matches(Array(1000).fill("a").join("/"))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

const FILE = `
# what is what
group team = ada bob   # both
group all = @team carol

repo **
  read anyone
repo private/** secret
  read @all
  write @team
repo private/bobs
	write bob
repo drop-box
  write anyone
repo inner
  read users
repo nobody's
`;

describe("parseAccess", () => {
  it("lets everybody read and nobody write when it says nothing", () => {
    const rules = parseAccess("");
    expect(rules.rightsOf("/a.git", undefined)).toBe("read");
    expect(rules.rightsOf("/a.git", "ada")).toBe("read");
  });

  it.each([
    ["/open.git", { "": "read", ada: "read" }],
    ["/private", { "": "none", ada: "write", carol: "read", dave: "none" }],
    ["/private/x.git", { "": "none", ada: "write", bob: "write", carol: "read", dave: "none" }],
    ["secret/.git", { "": "none", ada: "write", dave: "none" }],
    ["private/bobs", { "": "none", ada: "none", bob: "write", carol: "none" }],
    ["drop-box", { "": "write", dave: "write" }],
    ["inner", { "": "none", dave: "read" }],
    ["nobody's", { "": "none", ada: "none" }],
    ["/secret.git/modules/a", { "": "none", ada: "read", dave: "none" }],
    ["/a/../secret", { "": "none", ada: "none" }],
  ])("decides about %s by the last section that fits", (repository, expected) => {
    const rules = parseAccess(FILE);
    const found = Object.keys(expected).map((user) => [user, rules.rightsOf(repository, user || undefined)]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it("takes no user for a rule that is called like a member of Object", () => {
    expect(parseAccess("repo **\n  read constructor").rightsOf("a", "toString")).toBe("none");
  });

  it.each([
    ["allow ada", 1, 1, "a line starts with group, repo, read or write"],
    ["\n  read ada", 2, 3, "'read' stands below a line 'repo PATTERN'"],
    ["repo", 1, 1, "'repo' needs a pattern, such as team/* or **"],
    ["repo a /b//c", 1, 8, "this is no pattern: names with / between them, * in them, or **"],
    ["repo a\n  write", 2, 3, "'write' needs somebody: a user, @GROUP, users or anyone"],
    ["repo a\n  read ada, bob", 2, 8, "this cannot be the name of a user"],
    ["repo a\r\n  read ada @team", 2, 12, "there is no such group above"],
    ["group", 1, 1, "a group is 'group NAME = USER...'"],
    ["group a b", 1, 7, "a group is 'group NAME = USER...'"],
    ["group @a = b", 1, 7, "this cannot be the name of a group"],
    ["group a = b\ngroup a = c", 2, 7, "there is a group of this name already"],
    ["group a = ada anyone", 1, 15, "a group is made of users and other groups"],
  ])("says what is wrong in %j, and where", (text, line, column, message) => {
    let fault: unknown;
    try {
      parseAccess(text);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(AccessRulesError);
    expect(fault).toMatchObject({
      code: "access-rules/bad-access",
      line,
      column,
      message: `${line}:${column}: ${message}`,
    });
  });
});
