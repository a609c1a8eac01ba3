import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { packet, parseAnswer, RawClient, request } from "./raw-client.ts";
import { startServer } from "./server.ts";

/** A directory with one bare repository whose pack has more bytes than any buffer on the way takes. */
async function newRoot(megabytes = 0): Promise<string> {
  const root = temporaryDirectory("root");
  const work = `${temporaryDirectory("work")}/w`;
  await git(["init", "-q", "-b", "main", work]);
  writeFileSync(`${work}/file`, "one\n");
  for (let i = 0; i < megabytes; i++) writeFileSync(`${work}/${i}`, randomBytes(1024 * 1024));
  await git(["add", "."], { cwd: work });
  await git(["commit", "-q", "-m", "first"], { cwd: work });
  await git(["clone", "-q", "--bare", work, `${root}/demo.git`]);
  return root;
}

/** A clone over git:// that has had its first bytes, and reads no more until it is told to. */
async function pausedClone(
  base: string,
  id: string,
): Promise<{ socket: Socket; rest: () => Promise<Buffer> }> {
  const { hostname, port } = new URL(base.replace(/^git:/, "http:"));
  const socket = connect({ host: hostname, port: Number(port) }).on("error", () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(request("git-upload-pack", "/demo.git"));
  let received = Buffer.alloc(0);
  const collect = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  };
  socket.on("data", collect);
  while (!received.toString("latin1").endsWith("0000")) await once(socket, "data");
  received = Buffer.alloc(0);
  socket.write(`${packet(`want ${id} side-band-64k ofs-delta\n`)}0000${packet("done\n")}`);
  while (!received.includes("PACK")) await once(socket, "data");
  socket.pause();
  return {
    socket,
    async rest() {
      const closed = once(socket, "close");
      socket.resume();
      await closed;
      return received;
    },
  };
}

const tipOf = async (root: string) => (await git(["rev-parse", "main"], { cwd: `${root}/demo.git` })).trim();

/** A clone with a commit that the server does not have. */
async function readyToPush(root: string): Promise<string> {
  const clone = `${temporaryDirectory("clone")}/c`;
  await git(["clone", "-q", `${root}/demo.git`, clone]);
  await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
  return clone;
}

describe("an end by signal", () => {
  it("lets a clone come to its end, and nobody new in", async () => {
    const root = await newRoot(24);
    const server = await startServer(root);
    const clone = await pausedClone(server.git, await tipOf(root));
    const ended = server.end();
    await expect
      .poll(async () => (await tryGit(["ls-remote", `${server.git}/demo.git`])).status, { timeout: 5000 })
      .not.toBe(0);
    expect(server.alive()).toBe(true);
    const bytes = await clone.rest();
    expect(bytes.subarray(-4).toString()).toBe("0000");
    expect(bytes.length).toBeGreaterThan(24 * 1024 * 1024);
    expect(await ended).toBe(0);
  }, 60_000);

  it("does not wait for a reader who reads no more for longer than it was told to", async () => {
    const root = await newRoot(24);
    const server = await startServer(root, "--set", "graceMs=1000");
    await pausedClone(server.git, await tipOf(root));
    const started = performance.now();
    expect(await server.end()).toBe(0);
    expect(performance.now() - started).toBeLessThan(15_000);
  }, 60_000);

  it("lets a push come to its end", async () => {
    const root = await newRoot();
    const clone = await readyToPush(root);
    const mark = `${temporaryDirectory("mark")}/begun`;
    writeFileSync(`${root}/demo.git/hooks/pre-receive`, `#!/bin/sh\n: > ${mark}\nsleep 2\n`, { mode: 0o755 });
    const server = await startServer(root);
    const push = tryGit(["push", "-q", `${server.http}/demo.git`, "HEAD:refs/heads/more"], { cwd: clone });
    await begun(mark);
    const ended = server.end();
    expect(await push).toMatchObject({ status: 0 });
    expect(await ended).toBe(0);
    const more = (await git(["rev-parse", "more"], { cwd: `${root}/demo.git` })).trim();
    expect(more).toBe((await git(["rev-parse", "HEAD"], { cwd: clone })).trim());
  }, 60_000);

  it("tears no push that takes too long", async () => {
    const root = await newRoot();
    const clone = await readyToPush(root);
    const mark = `${temporaryDirectory("mark")}/begun`;
    writeFileSync(`${root}/demo.git/hooks/pre-receive`, `#!/bin/sh\n: > ${mark}\nexec sleep 60\n`, {
      mode: 0o755,
    });
    const server = await startServer(root, "--set", "graceMs=500");
    const push = tryGit(["push", "-q", `${server.http}/demo.git`, "HEAD:refs/heads/more"], { cwd: clone });
    await begun(mark);
    const started = performance.now();
    expect(await server.end()).toBe(0);
    expect(performance.now() - started).toBeLessThan(30_000);
    expect((await push).status).not.toBe(0);
    expect((await tryGit(["rev-parse", "--verify", "-q", "more"], { cwd: `${root}/demo.git` })).status).toBe(
      1,
    );
    expect(await git(["fsck", "--strict"], { cwd: `${root}/demo.git` })).toBe("");
    const left = readdirSync(`${root}/demo.git/objects`).filter((name) => /tmp|incoming/.test(name));
    expect(left).toEqual([]);
  }, 60_000);
});

async function begun(mark: string): Promise<void> {
  await expect.poll(() => existsSync(mark), { timeout: 20_000 }).toBe(true);
}

describe("many clones at once", () => {
  const cloneAll = async (url: string, count: number) => {
    const directory = temporaryDirectory("clones");
    const clones = Array.from({ length: count }, (_, i) =>
      tryGit(["clone", "-q", "--bare", url, `${directory}/${i}`]),
    );
    return Promise.all(clones);
  };

  it("all succeed, however few packs are made at a time", async () => {
    const server = await startServer(await newRoot(), "--set", "limits.maxPacks=1");
    const results = await cloneAll(`${server.http}/demo.git`, 50);
    expect(results.filter(({ status }) => status !== 0)).toEqual([]);
  }, 120_000);

  it("succeed, or hear that the server is busy, and are counted", async () => {
    const flags = ["--set", "limits.maxPacks=1", "--set", "limits.maxQueuedPacks=0", "--admin-port", "0"];
    const server = await startServer(await newRoot(2), ...flags);
    const results = [
      ...(await cloneAll(`${server.http}/demo.git`, 15)),
      ...(await cloneAll(`${server.git}/demo.git`, 15)),
    ];
    const failed = results.filter(({ status }) => status !== 0);
    for (const { stderr } of failed) expect(stderr).toMatch(/the server is busy|503/);
    expect(failed.length).toBeLessThan(results.length);
    const [, admin] = /(http:\S+)\/ for \/livez/.exec(server.greeting) ?? [];
    const page = await (await fetch(`${admin}/metrics`)).text();
    const shed = [...page.matchAll(/^xgit_requests_shed_total\{.*\} (\d+)$/gm)].map((match) =>
      Number(match[1]),
    );
    expect(shed.reduce((sum, count) => sum + count, 0)).toBe(failed.length);
    expect(page).toContain("xgit_requests_queued 0");
  }, 120_000);
});

describe("pushes at once", () => {
  const BUSY = ["--set", "limits.maxPushes=1", "--set", "limits.maxQueuedPushes=0"];
  const TYPE = "Content-Type: application/x-git-receive-pack-request";
  const head = (length: number) =>
    `POST /demo.git/git-receive-pack HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${TYPE}\r\nContent-Length: ${length}\r\n\r\n`;

  it("above what may be taken in are told to come back, over any transport, and go through later", async () => {
    const root = await newRoot();
    const server = await startServer(root, ...BUSY, "--admin-port", "0");
    const clone = await readyToPush(root);
    const id = (await git(["rev-parse", "HEAD"], { cwd: clone })).trim();
    const command = packet(`${"0".repeat(40)} ${id} refs/heads/stalled\0report-status side-band-64k`);
    const beginning = `${command}0000PACK`;
    const stalled = new RawClient(server.http).send(head(beginning.length + 100), beginning);
    const push = (base: string) =>
      tryGit(["push", "-q", `${base}/demo.git`, "HEAD:refs/heads/more"], { cwd: clone });
    await expect.poll(async () => (await push(server.http)).stderr, { timeout: 10_000 }).toMatch(/HTTP 503/);
    expect((await push(server.git)).stderr).toContain(
      "the server is busy: too many pushes are being taken in",
    );
    const late = new RawClient(server.http).send(head(beginning.length), beginning);
    const { status, head: lines } = parseAnswer(await late.answer());
    expect([status, lines]).toEqual([503, expect.stringMatching(/\r\nretry-after: \d+\r\n/i)]);
    // What brings no pack is not kept waiting, and neither is a fetch.
    expect(await tryGit(["ls-remote", `${server.http}/demo.git`])).toMatchObject({ status: 0 });
    stalled.socket.destroy();
    await expect.poll(async () => (await push(server.http)).status, { timeout: 10_000 }).toBe(0);
    const [, admin] = /(http:\S+)\/ for \/livez/.exec(server.greeting) ?? [];
    const page = await (await fetch(`${admin}/metrics`)).text();
    expect(page).toMatch(/^xgit_requests_shed_total\{service="git-receive-pack",transport="http"\} \d+$/m);
    expect(await git(["for-each-ref", "refs/heads/stalled"], { cwd: `${root}/demo.git` })).toBe("");
  }, 60_000);
});

describe("archives at once", () => {
  it("take the places of packs, and are told to come back where there is none", async () => {
    const busy = ["--set", "limits.maxPacks=1", "--set", "limits.maxQueuedPacks=0"];
    const root = await newRoot(24);
    const server = await startServer(root, ...busy, "--enable", "upload-archive");
    const words = `${packet("argument main\n")}0000`;
    const ask = (): RawClient =>
      new RawClient(server.http).send(
        "POST /demo.git/git-upload-archive HTTP/1.1\r\nHost: h\r\nConnection: close\r\n",
        `Content-Type: application/x-git-upload-archive-request\r\nContent-Length: ${words.length}\r\n\r\n`,
        words,
      );
    const unread = new RawClient(server.git).send(request("git-upload-archive", "/demo.git"), words);
    await unread.until(/pax_global_header/);
    unread.socket.pause();
    const { status, head } = parseAnswer(await ask().answer());
    expect([status, head]).toEqual([503, expect.stringMatching(/\r\nretry-after: \d+\r\n/i)]);
    const archive = [
      "archive",
      "-o",
      `${temporaryDirectory("a")}/a.tar`,
      `--remote=${server.git}/demo.git`,
      "main",
    ];
    expect((await tryGit(archive)).stderr).toContain("the server is busy: too many packs are being made");
    // Whoever does not read gives the place up before long.
    await expect.poll(async () => (await tryGit(archive)).status, { timeout: 15_000, interval: 500 }).toBe(0);
    unread.socket.destroy();
  }, 60_000);
});
