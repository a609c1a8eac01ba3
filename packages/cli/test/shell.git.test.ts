import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { commandLine, main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

const ZERO = "0".repeat(40);

let root = "";
let access = "";
beforeAll(async () => {
  const directory = temporaryDirectory("shell");
  root = `${directory}/root`;
  access = `${directory}/access`;
  await git(["init", "-q", "--bare", `${root}/r.git`]);
  await git(["init", "-q", "--bare", `${root}/it's here!.git`]);
  await git(["init", "-q", "--bare", `${directory}/outside.git`]);
  symlinkSync(`${directory}/outside.git`, `${root}/link.git`);
  writeFileSync(access, "repo it*\n  read ada\n");
});

async function run(argv: readonly string[], env: Record<string, string> = {}, input = "0000") {
  const terminal = new FakeTerminal(env, input);
  const status = await main(["shell", ...argv], terminal);
  return { status, out: terminal.out, err: terminal.err };
}

const UPLOAD = (path: string) => ({ SSH_ORIGINAL_COMMAND: `git-upload-pack '${path}'` });
const MISSING = (path: string) => `fatal: '${path}' does not appear to be a git repository\n`;
const EMPTY = new RegExp(`^00..${ZERO} capabilities\\^{}\\0.*0000$`, "s");

describe("xgit shell", () => {
  it("serves a path of the account's own, as a login shell and behind a forced command", async () => {
    for (const { argv, env } of [
      { argv: ["-c", `git-upload-pack '${root}/r.git'`], env: {} },
      { argv: ["-c", `git upload-pack '${root}/it'\\''s here'\\!'.git'`], env: {} },
      { argv: ["-c", "git-upload-pack '~/r.git'"], env: { HOME: root } },
      { argv: [], env: UPLOAD(`${root}/r`) },
      { argv: ["--user", "ada"], env: UPLOAD(`${root}/r.git`) },
    ]) {
      const { status, out, err } = await run(argv, env);
      expect([argv, status, err]).toEqual([argv, 0, ""]);
      expect(out).toMatch(EMPTY);
    }
  });

  it("is what a link called git-shell is", () => {
    expect(commandLine("/usr/local/bin/git-shell", ["-c", "x"])).toEqual(["shell", "-c", "x"]);
  });

  it("takes -c before what the environment says", async () => {
    const { status, out } = await run(["-c", `git-upload-pack '${root}/r.git'`], UPLOAD("/nothing"));
    expect(status).toBe(0);
    expect(out).toMatch(EMPTY);
  });

  it.each([
    [[], {}, 128, /^fatal: Interactive git shell is not enabled\.\nhint: /],
    [["--user", "a\u001bda"], {}, 1, /^Hello a\\x1bda: your key is known here/],
    [["-c", "id"], {}, 128, /^fatal: unrecognized command 'id'\n$/],
    [["-c", "cvs server"], {}, 128, /^fatal: unrecognized command 'cvs server'\n$/],
    [["-c", ""], {}, 128, /^fatal: unrecognized command ''\n$/],
    [["-c", "git-upload-pack '--help'"], {}, 128, /^fatal: bad argument\n$/],
    [["-c", "git-upload-pack 'a' 'b'"], {}, 128, /^fatal: bad argument\n$/],
    [[], { SSH_ORIGINAL_COMMAND: "git-upload-pack $(id)" }, 128, /^fatal: bad argument\n$/],
  ])("refuses %j with %j", async (argv, env, status, err) => {
    const answer = await run(argv, env as Record<string, string>);
    expect(answer).toMatchObject({ status, out: "" });
    expect(answer.err).toMatch(err);
  });

  it.each([
    [["x"], "unknown argument 'x'"],
    [["--users=x"], "unknown argument '--users=x'"],
    [["--user"], "--user needs a value"],
    [["--user="], "--user needs a value"],
    [["--root", "/a", "--root", "/b"], "--root is given twice"],
    [["--access", "/a"], "--access needs --root"],
    [["--also-within", "/a"], "--also-within needs --root"],
  ])("cannot read %j", async (argv, words) => {
    const { status, err } = await run(argv);
    expect(status).toBe(129);
    expect(err).toContain(`error: ${words}`);
    expect(err).toContain("usage: xgit shell");
  });

  it("has a page of the manual", async () => {
    const { status, out } = await run(["--help"]);
    expect(status).toBe(0);
    expect(out).toContain('restrict,command="xgit shell --user ada --root /srv/git"');
  });
});

describe("xgit shell --root", () => {
  it.each(["r.git", "/r.git", "~/r", "r", "/r.git/"])("finds %s below it", async (path) => {
    const { status, out } = await run(["--root", root], UPLOAD(path));
    expect(status).toBe(0);
    expect(out).toMatch(EMPTY);
  });

  it.each(["../outside.git", "/outside.git", "link.git", "~root/r.git", "/./r.git", "missing.git", "a\\b"])(
    "finds no %s, and does not say where it looked",
    async (path) => {
      expect(await run(["--root", root], UPLOAD(path))).toEqual({
        status: 128,
        out: "",
        err: MISSING(path),
      });
    },
  );
});

it("xgit shell --also-within follows links that lead there", async () => {
  const outside = root.replace(/root$/, "");
  expect((await run(["--root", root, "--also-within", outside], UPLOAD("link.git"))).out).toMatch(EMPTY);
  expect((await run(["--root", root, `--also-within=${outside}x`], UPLOAD("link.git"))).status).toBe(128);
});

describe("xgit shell --access", () => {
  const args = (user: string) => ["--root", root, "--access", access, "--user", user];
  const path = "it'\\''s here'\\!'.git";

  it("asks the rules, under whatever name a repository is asked for", async () => {
    expect(await run(args("ada"), UPLOAD(path))).toMatchObject({ status: 0 });
    for (const name of [path, path.replace(".git", ""), `${path}/`])
      expect(await run(args("eve"), UPLOAD(name))).toMatchObject({ status: 128, out: "" });
    expect(await run(args("eve"), UPLOAD("r.git"))).toMatchObject({ status: 0 });
    expect(await run(args("ada"), { SSH_ORIGINAL_COMMAND: "git-receive-pack 'r.git'" })).toEqual({
      status: 128,
      out: "",
      err: "fatal: ada may read this repository, not write to it\n",
    });
    const nobody = ["--root", root, "--access", access];
    expect(await run(nobody, UPLOAD(path))).toMatchObject({ status: 128 });
  });

  it("lets nobody in without the rules, and does not say what is wrong with them", async () => {
    const bad = `${root}-bad`;
    writeFileSync(bad, "secret word\n");
    for (const file of [bad, `${root}-none`])
      expect(await run(["--root", root, "--access", file, "--user", "ada"], UPLOAD("r.git"))).toEqual({
        status: 128,
        out: "",
        err: "fatal: the access rules of this server cannot be read\n",
      });
  });
});

describe("xgit shell's environment", () => {
  it("passes on GIT_PROTOCOL if it is one, and nothing that could read or write elsewhere", async () => {
    const trace = `${root}-trace`;
    const env = {
      ...UPLOAD("r.git"),
      GIT_TRACE_PACKET: trace,
      GIT_TRACE2_EVENT: trace,
      GIT_OBJECT_DIRECTORY: "/nothing",
      GIT_CONFIG_COUNT: "x",
    };
    const two = await run(["--root", root], { ...env, GIT_PROTOCOL: "version=2" }, "");
    expect(two).toMatchObject({ status: 0, err: "" });
    expect(two.out).toMatch(/^000eversion 2\n/);
    const odd = await run(["--root", root], { ...env, GIT_PROTOCOL: "version=2\nx" });
    expect(odd.out).toMatch(EMPTY);
    expect(() => readFileSync(trace)).toThrow();
  });

  it("tells hooks and reflogs who it was", async () => {
    const work = temporaryDirectory("work");
    await git(["init", "-q", work]);
    await git(["commit", "-q", "--allow-empty", "-m", "x"], { cwd: work });
    const repository = `${root}/hooked.git`;
    await git(["init", "-q", "--bare", repository]);
    await git(["config", "core.logAllRefUpdates", "true"], { cwd: repository });
    const hook = `${repository}/hooks/post-receive`;
    writeFileSync(hook, `#!/bin/sh\necho "$REMOTE_USER $REMOTE_ADDR" >who\n`);
    chmodSync(hook, 0o755);
    const bin = new URL("../dist/bin.js", import.meta.url).pathname;
    // git's own client, with a script in ssh's place: what sshd does after it has let somebody in.
    const script = `${work}/ssh`;
    writeFileSync(
      script,
      `#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nSSH_CONNECTION="192.0.2.7 1 192.0.2.1 22" SSH_ORIGINAL_COMMAND="$1" GIT_COMMITTER_NAME= exec env -u GIT_COMMITTER_NAME -u GIT_COMMITTER_EMAIL "${process.execPath}" "${bin}" shell --user ada --root "${root}"\n`,
    );
    chmodSync(script, 0o755);
    await git(["push", "-q", "ssh://host/hooked.git", "HEAD:refs/heads/main"], {
      cwd: work,
      env: { GIT_SSH: script, GIT_SSH_VARIANT: "ssh" },
    });
    expect(readFileSync(`${repository}/who`, "utf8")).toBe("ada 192.0.2.7\n");
    expect(readFileSync(`${repository}/logs/refs/heads/main`, "utf8")).toContain("ada <ada@ssh.192.0.2.7>");
  });
});
