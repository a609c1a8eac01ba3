import { describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
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
    [["--help"], ["Usage: xgit", "serve", "upload-pack", "receive-pack", "EXIT STATUS"]],
    [
      ["help", "serve"],
      ["Usage: xgit serve", "SIGNALS"],
    ],
    [
      ["serve", "--help"],
      [
        "Usage: xgit serve",
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
      ["Usage: xgit upload-pack", "--strict", "--timeout", "GIT_PROTOCOL", "EXIT STATUS"],
    ],
    [
      ["receive-pack", "--help"],
      ["Usage: xgit receive-pack", "--stateless-rpc", "GIT_PROTOCOL"],
    ],
  ])("explains %j", async (argv, parts) => {
    const { status, out, err } = await run(...argv);
    expect([status, err]).toEqual([0, ""]);
    for (const part of parts) expect(out).toContain(part);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it.each([
    [[], "Usage: xgit"],
    [["nonsense"], "unknown command 'nonsense'"],
    [["serve", "--nonsense"], "unknown option '--nonsense'"],
    [["serve", "a", "b"], "too many arguments"],
    [["serve", "--http-port", "x"], "It is a number from 0 to 65535, or off."],
    [["serve", "--enable", "upload-archive"], "It is receive-pack."],
    [["serve", "--quiet", "--verbose"], "cannot be used with"],
    [["upload-pack"], "missing required argument"],
    [["upload-pack", "--timeout=x", "a"], "It is a number of seconds."],
    [["upload-pack", "--exec=sh", "a"], "unknown option"],
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
