import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Daemon, startDaemon } from "./daemon-rig.ts";
import { packet, RawClient } from "./raw-client.ts";

const root = temporaryDirectory("connections");
const TOO_MANY = packet("ERR too many connections");
const HELLO = packet("git-upload-pack /big.git\0host=h\0\0version=2\0");
/** What does not fit into the buffers of sockets, and cannot be made smaller. Unit: bytes. */
const BLOB_BYTES = 30_000_000;
const SMALL_BYTES = 2_000_000;
let tip: string;
let smallTip: string;

/** A repository with nothing in it that deflates. @returns its only commit */
async function noisy(name: string, bytes: number): Promise<string> {
  const repository = await createTestRepository();
  const noise = Buffer.alloc(bytes);
  for (let at = 0, block = Buffer.from(name); at < bytes; at += block.length) {
    block = createHash("sha512").update(block).digest();
    block.copy(noise, at);
  }
  writeFileSync(join(repository.directory, "noise"), noise);
  const commit = await repository.commit("one");
  const target = join(root, `${name}.git`);
  await git(["clone", "-q", "--bare", repository.directory, target]);
  await git(["-C", target, "repack", "-adq"]); // what lies loose is put together whole
  return commit;
}

beforeAll(async () => {
  tip = await noisy("big", BLOB_BYTES);
  smallTip = await noisy("small", SMALL_BYTES);
});

const daemon = (...flags: string[]) => startDaemon(["--export-all", `--base-path=${root}`, ...flags]);
const fetchOf = (want: string) =>
  `${packet("command=fetch\n")}0001${packet("no-progress\n")}${packet(`want ${want}\n`)}${packet("done\n")}0000`;
const wholeClone = () => HELLO + fetchOf(tip);

async function lsRemoteMs({ url }: Daemon): Promise<number> {
  const started = performance.now();
  expect((await tryGit(["ls-remote", `${url}/big.git`])).status).toBe(0);
  return performance.now() - started;
}

function silent(port: number, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.on("error", () => {}).once("connect", () => resolve(socket));
  });
}

/** A clone whose reader stops at its first bytes. */
async function stalled(port: number): Promise<void> {
  const socket = await silent(port);
  let heard = "";
  await new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (!heard.includes("packfile")) return;
      socket.pause();
      resolve();
    });
    socket.write(wholeClone());
  });
}

/** Unit: bytes. */
function resident({ pid }: Daemon): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

describe("C1 connections that say nothing", () => {
  it("keep nobody out, be they 500, and are ended", async () => {
    const server = await daemon("--init-timeout=3");
    const sockets: Socket[] = [];
    for (let i = 0; i < 500; i++) sockets.push(await silent(server.port));
    expect(await lsRemoteMs(server)).toBeLessThan(2000);
    await Promise.all(
      sockets.map(async (socket) => {
        socket.resume();
        if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
      }),
    );
  });

  it("C2 a byte now and then does not help", async () => {
    const server = await daemon("--init-timeout=1");
    const client = new RawClient(server.url);
    const started = performance.now();
    let at = 0;
    const timer = setInterval(() => client.send(HELLO.charAt(at++)), 100);
    onTestFinished(() => clearInterval(timer));
    expect(await client.answer()).toBe(packet("ERR no request within 1000 ms"));
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe("C3 a client that stops reading", () => {
  it("holds far less than its answer, and is ended", async () => {
    const server = await daemon("--timeout=4");
    await git(["clone", "-q", "--bare", `${server.url}/big.git`, join(temporaryDirectory("warm"), "c")]);
    const before = resident(server);
    for (let i = 0; i < 20; i++) await stalled(server.port);
    await sleep(1000);
    expect(resident(server) - before).toBeLessThan((20 * BLOB_BYTES) / 3);
    await server.logged(/did not read its answer|Disconnected \(with error\)/);
    expect(await lsRemoteMs(server)).toBeLessThan(2000);
  });
});

describe("C4 more connections than there may be", () => {
  it("are told so; another address gets in", async () => {
    const server = await daemon("--max-connections=2");
    const running = [new RawClient(server.url).send(HELLO), new RawClient(server.url).send(HELLO)];
    for (const client of running) await client.until(/version 2/);
    expect(await new RawClient(server.url).send(HELLO).answer()).toBe(TOO_MANY);
    const other = await silent(server.port, "127.0.0.2");
    let heard = "";
    other.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    other.write(HELLO);
    while (!heard.includes("version 2")) await sleep(10);
    // The newest of the address that had most has made room.
    await (running[1] as RawClient).answer();
    expect((running[0] as RawClient).socket.destroyed).toBe(false);
  });
});

describe("C5 C6 many at once, and connections that are reset", () => {
  it("50 clones at once all end well", async () => {
    const server = await daemon("--max-connections=0");
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const hello = packet("git-upload-pack /small.git\0host=h\0\0version=2\0");
        const client = new RawClient(server.url).send(hello, fetchOf(smallTip)).finish();
        return (await client.answer()).length;
      }),
    );
    for (const length of answers) expect(length).toBeGreaterThan(SMALL_BYTES);
  });

  it("a reset at any byte harms nobody else", async () => {
    const server = await daemon();
    await lsRemoteMs(server);
    const files = server.openFiles();
    const talk = Buffer.from(wholeClone(), "latin1");
    let state = 7;
    const random = (below: number) => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
    for (let round = 0; round < 200; round++) {
      const socket = await silent(server.port);
      socket.write(talk.subarray(0, random(talk.length + 1)));
      await sleep(random(4));
      socket.resetAndDestroy();
    }
    expect(await lsRemoteMs(server)).toBeLessThan(2000);
    for (let tries = 0; server.openFiles() > files + 2 && tries < 100; tries++) await sleep(50);
    expect(server.openFiles()).toBeLessThanOrEqual(files + 2);
    expect(server.alive()).toBe(true);
    expect(server.log()).not.toMatch(/error:|internal/);
  });
});

describe("C8 SIGTERM", () => {
  it("lets a clone end that has begun, and takes no new ones", async () => {
    const server = await daemon();
    const client = new RawClient(server.url).send(wholeClone());
    await client.until(/packfile/);
    client.socket.pause();
    const ended = server.end();
    await sleep(300);
    expect((await tryGit(["ls-remote", `${server.url}/big.git`])).status).not.toBe(0);
    client.socket.resume();
    client.finish();
    expect((await client.answer()).length).toBeGreaterThan(BLOB_BYTES);
    expect(await ended).toBe(143);
  });
});
