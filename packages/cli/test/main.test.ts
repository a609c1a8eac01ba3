import { describe, expect, it } from "vitest";
import { commandLine, main } from "../src/main.ts";
import { parseStdioOptions } from "../src/stdio/stdio-options.ts";
import { packageVersion } from "../src/version.ts";
import { FakeTerminal } from "./terminal.ts";

async function run(...argv: string[]) {
  const terminal = new FakeTerminal({}, "");
  const status = await main(argv, terminal);
  return { status, out: terminal.out, err: terminal.err };
}

describe("xgit", () => {
  it("prints its version", async () => {
    expect(await run("--version")).toEqual({ status: 0, out: `xgit ${packageVersion()}\n`, err: "" });
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
    [
      ["--help"],
      ["SYNOPSIS\n  xgit [OPTIONS] COMMAND", "serve", "upload-pack", "receive-pack", "EXIT STATUS"],
    ],
    [
      ["help", "serve"],
      ["SYNOPSIS\n  xgit serve [OPTIONS] [DIR]", "SIGNALS"],
    ],
    [
      ["serve", "--help"],
      [
        "SYNOPSIS\n  xgit serve [OPTIONS] [DIR]",
        "--host",
        "--http-port",
        "--git-port",
        "--enable",
        "--create-on-push",
        "PUSHES",
        "SIGNALS",
      ],
    ],
    [
      ["upload-pack", "-h"],
      ["NAME\n  xgit upload-pack - serve one fetch", "--strict", "--timeout", "GIT_PROTOCOL", "EXIT STATUS"],
    ],
    [
      ["receive-pack", "--help"],
      ["NAME\n  xgit receive-pack - take one push", "--stateless-rpc", "GIT_PROTOCOL"],
    ],
  ])("explains %j", async (argv, parts) => {
    const { status, out, err } = await run(...argv);
    expect([status, err]).toEqual([0, ""]);
    for (const part of parts) expect(out).toContain(part);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(86);
  });

  it.each([
    [[], "SYNOPSIS\n  xgit [OPTIONS] COMMAND"],
    [["nonsense"], "unknown command 'nonsense'"],
    [["serve", "--nonsense"], "unknown option '--nonsense'"],
    [["serve", "a", "b"], "too many arguments"],
    [
      ["serve", "--http-port", "x"],
      'error: --http-port: expected a port from 0 to 65535, or "off", found "x"',
    ],
    [
      ["serve", "--enable", "upload-pack"],
      'error: --enable: expected a list of receive-pack, upload-archive, found ["upload-pack"]',
    ],
    [["serve", "--quiet", "--verbose"], "cannot be used with"],
    [["upload-pack"], "error: you must specify a directory\nusage: xgit upload-pack [--[no-]strict]"],
    [["upload-pack", "--timeout=x", "a"], "error: option `timeout' expects an integer value"],
    [["upload-pack", "--timeout"], "error: option `timeout' requires a value"],
    [["upload-pack", "--strict=3", "a"], "error: option `strict' takes no value"],
    [["upload-pack", "--s", "a"], "error: ambiguous option: s (could be --stateless-rpc or --strict)"],
    [["upload-pack", "-x", "a"], "error: unknown switch `x'"],
    [["upload-pack", "a", "b"], "error: too many arguments"],
    [["receive-pack"], "error: you must specify a directory\nusage: xgit receive-pack"],
    [["upload-pack", "--exec=sh", "a"], "error: unknown option `exec=sh'"],
    [["receive-pack", "--strict", "a"], "unknown option"],
    [["serve", "--http-port", "off", "--git-port", "off"], "nothing to serve"],
  ])("refuses %j with status 129", async (argv, text) => {
    const { status, out, err } = await run(...argv);
    expect([status, out]).toEqual([129, ""]);
    expect(err).toContain(text);
  });

  it("says fatal, and 128, for what cannot be done", async () => {
    expect(await run("serve", "/does/not/exist\u001b")).toEqual({
      status: 128,
      out: "",
      err: "fatal: '/does/not/exist\\x1b' is not a directory\n",
    });
    expect(await run("upload-pack", "/does/not/exist")).toEqual({
      status: 128,
      out: "",
      err: "fatal: '/does/not/exist' does not appear to be a git repository\n",
    });
  });
});

describe("the command lines of git's own commands", () => {
  const plain = {
    service: "git-upload-pack",
    directory: "d",
    strict: false,
    statelessRpc: false,
    advertiseRefs: false,
    timeout: 0,
    hooks: false,
    skipConnectivityCheck: false,
    rejectThin: false,
  };
  it.each([
    [["d"], {}],
    [["--strict", "--timeout=30", "d"], { strict: true, timeout: 30 }],
    [["d", "--timeout", "1k"], { timeout: 1024 }],
    [["--strict", "--no-strict", "--no-timeout", "d"], {}],
    [["--http-backend-info-refs", "d"], { advertiseRefs: true }],
    [["--adv", "--state", "d"], { advertiseRefs: true, statelessRpc: true }],
    [["--timeout=9999999999g", "d"], { timeout: 2147482 }],
    [["--", "--strict"], { directory: "--strict" }],
    [["-"], { directory: "-" }],
  ])("%j", (argv, changes) => {
    expect(parseStdioOptions("git-upload-pack", argv)).toEqual({ ...plain, ...changes });
  });

  it("receive-pack takes its own flags", () => {
    const argv = ["-q", "--quiet", "--skip-connectivity-check", "--stateless-rpc", "d"];
    expect(parseStdioOptions("git-receive-pack", argv)).toEqual({
      ...plain,
      service: "git-receive-pack",
      statelessRpc: true,
      hooks: true,
      skipConnectivityCheck: true,
    });
    expect(parseStdioOptions("git-receive-pack", ["--reject-thin-pack-for-testing", "d"])).toMatchObject({
      rejectThin: true,
    });
    expect(parseStdioOptions("git-receive-pack", ["--no-hooks", "d"])).toMatchObject({ hooks: false });
    expect(() => parseStdioOptions("git-upload-pack", ["--no-hooks", "d"])).toThrow("unknown option");
  });

  it("a link's name says which command it is", () => {
    for (const script of ["/usr/bin/git-upload-pack", "git-upload-pack", "C:\\bin\\git-upload-pack.js"])
      expect(commandLine(script, ["d"])).toEqual(["upload-pack", "d"]);
    expect(commandLine("/usr/bin/git-receive-pack", ["d"])).toEqual(["receive-pack", "d"]);
    for (const script of ["/usr/bin/xgit", "/x/dist/bin.js", "/git-upload-pack/bin.js", "git-serve"])
      expect(commandLine(script, ["d"])).toEqual(["d"]);
  });
});
