import { describe, expect, it } from "vitest";
import { parseGitProtocol, parseSshCommand, repositoryOfPath } from "../src/command.ts";

describe("parseSshCommand", () => {
  it.each([
    ["git-upload-pack 'a.git'", "git-upload-pack", "a.git"],
    ["git upload-pack 'a.git'", "git-upload-pack", "a.git"],
    ["git-receive-pack '/srv/a b.git'", "git-receive-pack", "/srv/a b.git"],
    ["git receive-pack '~ada/x'", "git-receive-pack", "~ada/x"],
    ["git-upload-archive 'a'", "git-upload-archive", "a"],
    ["git-upload-pack 'a'\\''b'", "git-upload-pack", "a'b"],
    ["git-upload-pack 'a'\\!'b'", "git-upload-pack", "a!b"],
    ["git-upload-pack ''\\'''\\'''", "git-upload-pack", "''"],
    ["git-upload-pack 'a\\b'", "git-upload-pack", "a\\b"],
    ["git-upload-pack '$(id)`id`;a\"'", "git-upload-pack", '$(id)`id`;a"'],
    ["git-upload-pack 'ä'", "git-upload-pack", "ä"],
    [`git-upload-pack '${"a".repeat(4096 - 18)}'`, "git-upload-pack", "a".repeat(4096 - 18)],
  ])("reads %s", (text, service, path) => {
    expect(parseSshCommand(text)).toEqual({ service, path });
  });

  it.each([
    "git-upload-pack a;id",
    "git-upload-pack `id`",
    "git-upload-pack $(id)",
    "git-upload-pack 'a' 'b'",
    "git-upload-pack 'a' b",
    "git-upload-pack 'a'b",
    "git-upload-pack 'a'\\b'c'",
    "git-upload-pack 'a'\\'",
    "git-upload-pack 'a'\\''b",
    "git-upload-pack 'a",
    "git-upload-pack a'",
    'git-upload-pack "x"',
    "git-upload-pack",
    "git-upload-pack ",
    "git-upload-pack ''",
    "git-upload-pack  'a'",
    "git-upload-pack '-x'",
    "git-upload-pack '--help'",
    "git-upload-pack 'a\0b'",
    "git-upload-pack 'a\nb'",
    "git-upload-pack 'a'\n",
    "git-upload-pack 'a\x1b[2J'",
    "git-upload-pack 'a\ufffd'",
    "git-upload-pack -- '--output=/tmp/x'",
    "git-upload-pack --strict 'a'",
  ])("refuses the argument of %j", (text) => {
    expect(() => parseSshCommand(text)).toThrow(
      expect.objectContaining({ code: "transport-ssh/bad-command", message: "bad argument" }),
    );
  });

  it.each([
    "",
    "id",
    "git",
    "git-shell",
    "git-shell 'x'",
    "GIT-UPLOAD-PACK 'x'",
    "git-upload-packs 'x'",
    "git-upload-pack\t'x'",
    "git\tupload-pack 'x'",
    "git  upload-pack 'x'",
    " git-upload-pack 'x'",
    "/usr/bin/git-upload-pack 'x'",
    "LD_PRELOAD=x git-upload-pack 'x'",
    "env git-upload-pack 'x'",
    "git upload-archive--writer 'x'",
    "git-lfs-authenticate 'x' download",
    "scp -f x",
    "\x1b[31m",
  ])("knows no %j, and says so without its control characters", (text) => {
    let error: Error | undefined;
    try {
      parseSshCommand(text);
    } catch (thrown) {
      error = thrown as Error;
    }
    expect(error?.message).toMatch(/^unrecognized command '[^\p{Cc}]*'$/u);
  });

  it("refuses a command that is too long, unread", () => {
    expect(() => parseSshCommand(`git-upload-pack '${"a".repeat(4096 - 17)}'`)).toThrow("exceeds 4096");
  });

  it("takes no time for quotes without end", () => {
    const started = performance.now();
    for (let i = 0; i < 200; i++)
      expect(() => parseSshCommand(`git-upload-pack '${"'\\''".repeat(1000)}x`)).toThrow();
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("parseGitProtocol", () => {
  it.each(["version=2", "version=1", "version=2:key=value", "a".repeat(256)])("takes %s", (text) => {
    expect(parseGitProtocol(text)).toBe(text);
  });

  it.each(["", "version=2\n", "Version=2", "a b", "$(id)", "a".repeat(257), "version=2\0", "ä"])(
    "takes no %j",
    (text) => {
      expect(parseGitProtocol(text)).toBeUndefined();
    },
  );
});

describe("repositoryOfPath", () => {
  it.each([
    ["/team/a.git", "/team/a.git"],
    ["team/a.git", "/team/a.git"],
    ["~/team/a.git", "/team/a.git"],
    ["/a.git/", "/a.git"],
    ["a~b", "/a~b"],
    ["a b", "/a b"],
  ])("of %s", (path, repository) => {
    expect(repositoryOfPath(path)).toBe(repository);
  });

  it.each(["/", "", "~", "~/", "~ada/x", "//a", "a//b", "/./a", "../a", "/a/../b", "/a/..", "a\\b", "a//"])(
    "is nothing for %j",
    (path) => {
      expect(repositoryOfPath(path)).toBeUndefined();
    },
  );
});
