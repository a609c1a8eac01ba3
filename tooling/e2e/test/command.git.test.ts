import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { expectSound } from "./compare.ts";
import { copyRepository, grow, makeRich } from "./fixtures.ts";
import { packet, RawClient, request } from "./raw-client.ts";
import { BIN, startCommand, startServer } from "./server.ts";
import { TRANSPORTS, VERSIONS, wayTo } from "./way.ts";

const rich = `${temporaryDirectory("rich")}/repo.git`;
await makeRich(rich, "sha1");

function newRoot(): string {
  const root = temporaryDirectory("root");
  copyRepository(rich, `${root}/repo.git`);
  return root;
}

const FREE = ["--http-port", "0", "--git-port", "0"];

describe("xgit serve", () => {
  it("without a directory makes ./repositories with a demo, and prints lines that clone it", async () => {
    const cwd = temporaryDirectory("cwd");
    const server = await startCommand(FREE, `${cwd}/repositories`, { cwd });
    expect(server.greeting).toMatch(/^serving .*\/repositories, with a new demo repository$/m);
    expect(server.greeting).toMatch(/^pushes are allowed$/m);
    const lines = [...server.greeting.matchAll(/^ {2}git clone (\S+)$/gm)].map((match) => match[1] as string);
    expect(lines).toEqual([`${server.http}/demo.git`, `${server.git}/demo.git`]);
    for (const [i, url] of lines.entries()) {
      await git(["clone", "-q", url, `clone-${i}`], { cwd });
      await expectSound(`${cwd}/clone-${i}`);
      await git(["commit", "-q", "--allow-empty", "-m", "mine"], { cwd: `${cwd}/clone-${i}` });
      await git(["pull", "-q", "--rebase"], { cwd: `${cwd}/clone-${i}` });
      await git(["push", "-q"], { cwd: `${cwd}/clone-${i}` });
    }
    await expectSound(`${cwd}/repositories/demo.git`);
    await git(["gc", "-q"], { cwd: `${cwd}/repositories/demo.git` });
    expect(await server.end()).toBe(0);
    const again = await startCommand(FREE, `${cwd}/repositories`, { cwd });
    expect(again.greeting).not.toContain("new demo");
    expect(await again.end("SIGINT")).toBe(0);
  });

  it("takes a free port when the usual one is taken, and says so", async () => {
    const take = (port: number) =>
      new Promise<void>((resolve) => {
        const server = createServer();
        server.once("error", () => resolve()); // somebody else has it: as good
        server.listen(port, "127.0.0.1", () => resolve());
        onTestFinished(() => void server.close());
      });
    await Promise.all([take(8418), take(9418)]);
    const server = await startCommand([newRoot()], "");
    expect(server.greeting).toMatch(
      /^ {2}http:\/\/127\.0\.0\.1:\d+\/ \(port 8418 is taken, so this is a free one\)$/m,
    );
    expect(server.greeting).toMatch(
      /^ {2}git:\/\/127\.0\.0\.1:\d+\/ \(port 9418 is taken, so this is a free one\)$/m,
    );
    for (const url of [server.http, server.git])
      expect((await tryGit(["ls-remote", `${url}/repo.git`])).status).toBe(0);
    expect(await server.end()).toBe(0);
  });

  it("ends when a port that was asked for is taken", async () => {
    const first = await startServer(newRoot());
    const port = new URL(first.http).port;
    await expect(startCommand([newRoot(), "--http-port", port, "--git-port", "0"], "")).rejects.toThrow(
      `ended with 128: fatal: cannot listen on port ${port}: it is taken`,
    );
  });

  it("switches a transport off", async () => {
    const server = await startCommand([newRoot(), "--http-port", "off", "--git-port", "0"], "");
    expect(server.http).toBe("");
    expect((await tryGit(["ls-remote", `${server.git}/repo.git`])).status).toBe(0);
    const other = await startCommand([newRoot(), "--http-port", "0", "--git-port", "off"], "");
    expect(other.git).toBe("");
    expect((await tryGit(["ls-remote", `${other.http}/repo.git`])).status).toBe(0);
    await expect(startCommand([newRoot(), "--http-port", "off", "--git-port", "off"], "")).rejects.toThrow(
      "129",
    );
  });

  it("has pushes off outside loopback, unless they are enabled", async () => {
    const root = newRoot();
    const push = (base: string, ref: string) =>
      tryGit(["push", "-q", `${base}/repo.git`, `main:refs/heads/${ref}`], { cwd: rich });
    const closed = await startServer(root, "--host", "0.0.0.0");
    expect(closed.greeting).toContain("pushes are off");
    for (const base of [closed.http, closed.git]) {
      expect((await tryGit(["ls-remote", `${base}/repo.git`])).status).toBe(0);
      expect((await push(base, "no")).status).toBe(128);
    }
    const open = await startServer(root, "--host", "0.0.0.0", "--enable", "receive-pack");
    expect(open.greeting).toContain("pushes are allowed");
    expect((await push(open.http, "by-http")).status).toBe(0);
    expect((await push(open.git, "by-git")).status).toBe(0);
    const list = await git(["for-each-ref", "--format=%(refname:short)", "refs/heads/"], {
      cwd: `${root}/repo.git`,
    });
    expect(list.split("\n")).toEqual(["alias", "by-git", "by-http", "lonely", "main", "team/side"]);
  });

  it("makes repositories on push only when told to", async () => {
    const root = newRoot();
    const server = await startServer(root);
    const made = await startServer(root, "--create-on-push");
    for (const [i, scheme] of (["http", "git"] as const).entries()) {
      const push = (base: string, name: string) =>
        tryGit(["push", "-q", `${base}/${name}`, "main"], { cwd: rich });
      expect((await push(server[scheme], `new-${i}.git`)).status).toBe(128);
      expect((await push(made[scheme], `new-${i}.git`)).status).toBe(0);
      await expectSound(`${root}/new-${i}.git`);
      expect((await push(made.git, `../new-${i}.git`)).status).toBe(128);
      expect((await tryGit(["ls-remote", `${made[scheme]}/absent.git`])).status).toBe(128);
    }
    expect(readdirSync(root).sort()).toEqual(["new-0.git", "new-1.git", "repo.git"]);
  });

  it("logs one line for each request, and one for what a push did: none with --quiet, more with --verbose", async () => {
    const root = newRoot();
    const server = await startServer(root);
    await git([
      "-c",
      "protocol.version=2",
      "clone",
      "-q",
      "--mirror",
      `${server.git}/repo.git`,
      `${temporaryDirectory("c")}/c`,
    ]);
    await git(["push", "-q", `${server.git}/repo.git`, "main:refs/heads/logged"], { cwd: rich });
    await tryGit(["ls-remote", `${server.git}/absent.git`]);
    await tryGit(["ls-remote", `${server.http}/absent.git`]);
    await git(["-c", "protocol.version=0", "ls-remote", `${server.http}/repo.git`]);
    await server.logged(/http git-upload-pack \/repo.git/);
    expect(
      server
        .log()
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(/^\S+ (?:127.0.0.1 )?/, "").replace(/ (?:ms=)?\d+(?:ms)?(?= |$).*/, "")),
    ).toEqual([
      "git git-upload-pack /repo.git v2 ok",
      "info: push peer=127.0.0.1 transport=git repository=/repo.git outcome=ok",
      "git git-receive-pack /repo.git v0 ok",
      "git git-upload-pack /absent.git v2 server-core/repository-not-found",
      "http git-upload-pack /absent.git v2 server-core/repository-not-found",
      "http git-upload-pack /repo.git v0 ok",
    ]);
    const evil = new RawClient(server.git).send(request("git-upload-pack", "/\x1b[31m\x07evil"));
    await evil.answer();
    await server.logged(/bad-request-line/);
    await tryGit(["ls-remote", `${server.http}/a%0a2026-01-01T00:00:00Z%20faked`]);
    await server.logged(/faked/);
    expect(server.log()).not.toMatch(/^2026-01-01T00:00:00Z faked/m);
    expect(server.log().replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    const quiet = await startServer(root, "--quiet");
    await git(["ls-remote", `${quiet.http}/repo.git`]);
    await quiet.end();
    expect(quiet.log()).toBe("");
    const verbose = await startServer(root, "--verbose");
    await git(["ls-remote", `${verbose.http}/repo.git`]);
    await verbose.end();
    expect(verbose.log().split("\n").length).toBeGreaterThan(3);
  });

  it.each(["SIGTERM", "SIGINT"] as const)("%s: what runs is brought to its end, then 0", async (signal) => {
    const server = await startServer(newRoot());
    const client = new RawClient(server.git).send(request("git-upload-pack", "/repo.git"));
    await client.until(/0000$/);
    const ended = server.end(signal);
    const tip = await git(["rev-parse", "main"], { cwd: rich });
    await client.send(packet(`want ${tip} side-band-64k ofs-delta\n`), "0000", packet("done\n")).answer();
    expect(client.received).toMatch(/PACK/);
    expect(client.received).toMatch(/0000$/);
    expect(await ended).toBe(0);
    expect((await tryGit(["ls-remote", `${server.git}/repo.git`])).status).toBe(128);
  });

  it("the second signal ends it at once", async () => {
    const server = await startServer(newRoot());
    await new RawClient(server.git).send(request("git-upload-pack", "/repo.git")).until(/0000$/);
    const ended = server.end("SIGTERM");
    await expect.poll(async () => (await tryGit(["ls-remote", `${server.git}/repo.git`])).status).toBe(128);
    void server.end("SIGINT");
    expect(await ended).toBeGreaterThan(0);
  });

  it("a second process serves the same root: what one takes, the other gives", async () => {
    const root = newRoot();
    const [one, two] = await Promise.all([startServer(root), startServer(root)]);
    const work = `${temporaryDirectory("work")}/w`;
    await git(["clone", "-q", "--bare", rich, work]);
    for (let i = 0; i < 4; i++) {
      const [from, to] = i % 2 === 0 ? [one, two] : [two, one];
      const tip = await grow(work, "main", 1);
      await git(["push", "-q", `${from?.http}/repo.git`, "main"], { cwd: work });
      expect(await git(["ls-remote", `${to?.git}/repo.git`, "refs/heads/main"])).toBe(
        `${tip}\trefs/heads/main`,
      );
    }
  });
});

describe("xgit upload-pack and receive-pack behind ssh", () => {
  const root = newRoot();
  const bin = temporaryDirectory("bin");
  const script = (name: string, text: string) => {
    writeFileSync(`${bin}/${name}`, `#!/bin/sh\n${text}\n`);
    chmodSync(`${bin}/${name}`, 0o755);
    return `${bin}/${name}`;
  };
  // As a forced command has it: sshd hands the client's words over, a shell takes them apart.
  const forced = script(
    "forced",
    `eval "set -- $SSH_ORIGINAL_COMMAND"\nexec "${process.execPath}" "${BIN}" "\${1#git-}" "$2"`,
  );
  const ssh = script(
    "ssh",
    `while [ $# -gt 0 ]; do case "$1" in -o) case "$2" in SendEnv=*) ;; esac; shift 2;; -*) shift;; *) break;; esac; done\n` +
      `shift\nSSH_ORIGINAL_COMMAND="$*" exec sh "${forced}"`,
  );
  const env = { GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: "ssh" };

  it.each(VERSIONS)("clones, fetches and pushes: v%s", async (version) => {
    const protocol = ["-c", `protocol.version=${version}`];
    const url = `ssh://host${root}/repo.git`;
    const clone = `${temporaryDirectory("clone")}/c`;
    await git([...protocol, "clone", "-q", url, clone], { env });
    await expectSound(clone);
    await git(["commit", "-q", "--allow-empty", "-m", `v${version}`], { cwd: clone });
    await git([...protocol, "push", "-q", "origin", `HEAD:refs/heads/ssh-${version}`], { cwd: clone, env });
    await git([...protocol, "fetch", "-q", "origin"], { cwd: clone, env });
    expect(await git(["rev-parse", `origin/ssh-${version}`], { cwd: clone })).toBe(
      await git(["rev-parse", "HEAD"], { cwd: clone }),
    );
  });

  it("a missing repository is a fatal line and git's own words after it", async () => {
    const { status, stderr } = await tryGit(["ls-remote", `ssh://host${root}/none.git`], { env });
    expect(status).toBe(128);
    expect(stderr).toContain("none.git' does not appear to be a git repository\n");
    expect(stderr).toContain("fatal: Could not read from remote repository.");
  });

  it("ends when its client does, and leaves nothing", async () => {
    const child = spawn(process.execPath, [BIN, "receive-pack", `${root}/repo.git`], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdin.end(
      `${packet(`${"0".repeat(40)} ${"1".repeat(40)} refs/heads/x\0 report-status`)}0000PACK`,
      "latin1",
    );
    child.stdout.resume();
    await ended;
    expect(readdirSync(`${root}/repo.git/objects`).filter((name) => name.startsWith("tmp_"))).toEqual([]);
  });
});

describe("the other commands", () => {
  it.each([
    ["--help"],
    ["serve", "--help"],
    ["upload-pack", "--help"],
    ["receive-pack", "--help"],
    ["--version"],
  ])("%s %s", (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(args.includes("--version") ? /^xgit \d+\.\d+\.\d+\S*\n$/ : /^NAME\n {2}xgit/);
  });

  it.each([
    ["--nonsense"],
    ["nonsense"],
    ["serve", "--http-port", "70000"],
    ["serve", "--enable", "archive"],
    ["upload-pack"],
  ])("%s %s is refused with 129", (...args) => {
    const { status, stdout } = spawnSync(process.execPath, [BIN, ...args], { encoding: "utf8" });
    expect([status, stdout]).toEqual([129, ""]);
  });

  it("every transport of one server", async () => {
    const server = await startServer(newRoot());
    const lists = await Promise.all(
      TRANSPORTS.map((transport) => wayTo(server, transport, 2)).map((way) =>
        way.git(["ls-remote", way.url("repo.git")]),
      ),
    );
    expect(new Set(lists).size).toBe(1);
    expect(existsSync(`${server.root}/repo.git`)).toBe(true);
  });
});
