import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { Writable } from "node:stream";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

const ZERO = "0".repeat(40);

let root = "";
let r = "";
beforeAll(async () => {
  root = temporaryDirectory("stdio");
  r = `${root}/r.git`;
  await git(["init", "-q", "--bare", r]);
});

async function run(argv: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) {
  const terminal = new FakeTerminal(options.env, options.input ?? "");
  const status = await main(argv, terminal);
  return { status, out: terminal.out, err: terminal.err };
}

describe("xgit upload-pack", () => {
  it("announces, and ends with its client's flush", async () => {
    const { status, out, err } = await run(["upload-pack", r], { input: "0000" });
    expect([status, err]).toEqual([0, ""]);
    expect(out).toMatch(new RegExp(`^00..${ZERO} capabilities\\^{}\\0.*agent=xgit/.*0000$`, "s"));
  });

  it("speaks the version that GIT_PROTOCOL asks for", async () => {
    const one = await run(["upload-pack", r], { input: "0000", env: { GIT_PROTOCOL: "version=1" } });
    expect(one.out).toMatch(/^000eversion 1\n00../);
    const two = await run(["upload-pack", r], { env: { GIT_PROTOCOL: "version=2" } });
    expect(two.out).toMatch(/^000eversion 2\n00..*0000$/s);
    expect([two.status, two.err]).toEqual([0, ""]);
    const odd = await run(["upload-pack", r], { input: "0000", env: { GIT_PROTOCOL: "version=2 " } });
    expect(odd.out).toContain("capabilities^{}");
  });

  it.each(["--advertise-refs", "--http-backend-info-refs"])(
    "%s announces and reads nothing",
    async (flag) => {
      const { status, out } = await run(["upload-pack", flag, r], { input: "not a packet" });
      expect(status).toBe(0);
      expect(out).toMatch(/0000$/);
    },
  );

  it("--stateless-rpc answers without announcing", async () => {
    expect(await run(["upload-pack", "--stateless-rpc", r], { input: "0000" })).toMatchObject({
      status: 0,
      out: "",
    });
  });

  it("looks where git looks, and with --strict only where it is told", async () => {
    await git(["init", "-q", `${root}/work`]);
    const input = "0000";
    for (const path of [r, `${root}/r`, `${root}/work`, `${root}/work/.git`, `${root}/work/`])
      expect(await run(["upload-pack", path], { input })).toMatchObject({ status: 0, err: "" });
    expect((await run(["upload-pack", "~/r"], { input, env: { HOME: root } })).status).toBe(0);
    expect((await run(["upload-pack", "--strict", r], { input })).status).toBe(0);
    for (const path of [`${root}/r`, `${root}/work`, "~/r"]) {
      const strict = await run(["upload-pack", "--strict", path], { input, env: { HOME: root } });
      expect(strict).toEqual({
        status: 128,
        out: "",
        err: `fatal: '${path}' does not appear to be a git repository\n`,
      });
    }
  });

  it.each(["", "\0", "/nothing\u001b[2J", "~", "~nobody-of-that-name/x", "/dev/null"])(
    "finds nothing at %j, and says so",
    async (path) => {
      const { status, out, err } = await run(["upload-pack", path], { env: { HOME: root } });
      expect([status, out]).toEqual([128, ""]);
      expect(err).toMatch(/^fatal: '[ -~]*' does not appear to be a git repository\n$/);
    },
  );

  it("names the extension that it does not know", async () => {
    await git(["init", "-q", "--bare", `${root}/odd.git`]);
    await git(["config", "core.repositoryformatversion", "1"], { cwd: `${root}/odd.git` });
    await git(["config", "extensions.fromTheFuture", "true"], { cwd: `${root}/odd.git` });
    const { status, err } = await run(["upload-pack", `${root}/odd.git`]);
    expect(status).toBe(128);
    expect(err).toMatch(/^fatal: .*fromthefuture/i);
  });

  it.each([
    ["0003", "bad-length"],
    ["zzzz", "letters"],
    ["0x1f", "a prefix"],
    ["fff4", "too long"],
    ["fff0short", "cut short"],
    ["0009hello", "no request"],
  ])("F rows: %s is fatal (%s)", async (input) => {
    const { status, out, err } = await run(["upload-pack", r], { input });
    expect(status).toBe(128);
    expect(err).toMatch(/^fatal: [ -~]+\n$/);
    expect(out).toMatch(/^00..0{40} capabilities/);
  });

  it("--timeout ends a silent client", async () => {
    const terminal = new FakeTerminal();
    const started = performance.now();
    const status = await main(["upload-pack", "--timeout=1", r], terminal);
    expect(status).toBe(128);
    expect(terminal.err).toBe("fatal: the client was silent for 1 seconds\n");
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it("ends without a word when nobody reads any more", async () => {
    const terminal = new FakeTerminal({}, "");
    const broken = new Writable({
      write: (_, __, done) => done(Object.assign(new Error("EPIPE"), { code: "EPIPE" })),
    });
    Object.assign(terminal, { stdout: broken });
    expect(await main(["upload-pack", r], terminal)).toBe(128);
    expect(terminal.err).toBe("");
  });

  it.each([
    ["HEAD:file", "unable to read"],
    ["HEAD^{tree}", "bad tree object"],
  ])("names what a damaged repository lacks: %s", async (name, words) => {
    const damaged = temporaryDirectory("damaged");
    const stock = async (args: readonly string[]) => git(args, { cwd: damaged });
    await stock(["init", "-q"]);
    writeFileSync(`${damaged}/file`, "content\n");
    await stock(["add", "file"]);
    await stock(["commit", "-q", "-m", "one"]);
    const [head, id] = [await stock(["rev-parse", "HEAD"]), await stock(["rev-parse", name])];
    rmSync(`${damaged}/.git/objects/${id.slice(0, 2)}/${id.slice(2)}`);
    const { status, err } = await run(["upload-pack", damaged], {
      input: `0032want ${head}\n00000009done\n`,
    });
    expect(status).toBe(128);
    expect(err.split("\n")).toEqual([
      expect.stringMatching(new RegExp(`^error: ${words}.*`)),
      "error: git upload-pack: git-pack-objects died with error.",
      "fatal: git upload-pack: aborting due to possible repository corruption on the remote side.",
      "",
    ]);
    await stock(["config", "remote.other.promisor", "true"]);
    const promised = await run(["upload-pack", damaged], { input: `0032want ${head}\n00000009done\n` });
    expect(promised.err).toBe(`warning: lazy fetching disabled; some objects may not be available\n${err}`);
  });

  it("ends with 128 when the repository is broken", async () => {
    const broken = `${root}/broken.git`;
    await git(["init", "-q", "--bare", broken]);
    mkdirSync(`${broken}/packed-refs`);
    writeFileSync(`${broken}/packed-refs/x`, "");
    const { status, err } = await run(["upload-pack", broken], { input: "0000" });
    expect(status).toBe(128);
    expect(err).toMatch(/^fatal: [ -~]+\n$/);
    expect(err).not.toContain(root);
  });
});

describe("xgit receive-pack", () => {
  it("announces, and ends with its client's flush", async () => {
    const { status, out, err } = await run(["receive-pack", r], { input: "0000" });
    expect([status, err]).toEqual([0, ""]);
    expect(out).toMatch(new RegExp(`^00..${ZERO} capabilities\\^{}\\0.*report-status.*0000$`, "s"));
  });

  it("takes git's --quiet", async () => {
    expect((await run(["receive-pack", "--quiet", r], { input: "0000" })).status).toBe(0);
  });
});
