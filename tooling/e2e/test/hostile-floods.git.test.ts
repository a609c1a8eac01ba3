import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectSound, leftoversIn, refsOf } from "./compare.ts";
import { grow, makeRich } from "./fixtures.ts";
import { httpRequest, packet, parseAnswer, RawClient, request } from "./raw-client.ts";
import { startServer } from "./server.ts";

const MIB = 1024 * 1024;
const root = temporaryDirectory("root");
const repository = `${root}/repo.git`;
await makeRich(repository, "sha1");
await git(["config", "receive.advertisePushOptions", "true"], { cwd: repository });
await git(["config", "receive.certNonceSeed", "seed"], { cwd: repository });
const server = await startServer(root);
const zero = "0".repeat(40);
const source = `${temporaryDirectory("source")}/s.git`;
await git(["clone", "-q", "--bare", repository, source]);
const tip = await grow(source, "main", 4);
const base = await git(["rev-parse", "main"], { cwd: repository });
const made = await git(["pack-objects", "-q", "--revs", `${source}/made`], {
  cwd: source,
  input: `${tip}\n^${base}\n`,
});
const pack = readFileSync(`${source}/made-${made}.pack`);
const refs = await refsOf(repository);
const EMPTY = Buffer.from("5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e", "hex");
const CAPABILITIES = "\0report-status side-band-64k object-format=sha1";
/** One push that starts the worker threads: what they take to begin with is nobody's attack. */
await cut(pack.subarray(0, 40));

let resting = 0;
/** The most that was seen of it since the test began. Unit: bytes. */
let most = 0;
let watch: NodeJS.Timeout;
beforeEach(() => {
  resting = server.residentBytes();
  most = resting;
  watch = setInterval(() => {
    most = Math.max(most, server.residentBytes());
  }, 20);
});

/** What must hold after anything. */
afterEach(async () => {
  clearInterval(watch);
  expect(server.alive()).toBe(true);
  const started = performance.now();
  expect((await tryGit(["ls-remote", `${server.git}/repo.git`], { timeoutMs: 10_000 })).status).toBe(0);
  expect(performance.now() - started).toBeLessThan(5000);
  await expect.poll(() => leftoversIn(root), { timeout: 10_000 }).toEqual([]);
  expect(await refsOf(repository)).toEqual(refs);
  expect((most - resting) / MIB).toBeLessThan(128);
}, 30_000);

/** A connection at which the refs have been announced. */
async function announced(): Promise<RawClient> {
  const client = new RawClient(server.git).send(request("git-receive-pack", "/repo.git"));
  await client.until(/0000$/);
  return client;
}

/** Pushes a head and a pack's beginning, then hangs up. */
async function cut(bytes: Uint8Array): Promise<void> {
  const client = await announced();
  await client
    .send(packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`), "0000", bytes)
    .finish()
    .answer();
}

/** Sends `piece(i)` until the server ends the connection, or `count` are through. @returns what came after the announcement */
async function flood(
  head: string,
  count: number,
  piece: (i: number) => string,
  tail = "0000",
): Promise<string> {
  const client = await announced();
  const at = client.received.length;
  client.send(head);
  let batch = "";
  for (let i = 0; i < count && !client.socket.destroyed && !client.hasMoreThan(at); i++) {
    batch += piece(i);
    if (batch.length < 65_536) continue;
    if (!client.socket.write(Buffer.from(batch, "latin1")))
      await Promise.race([
        once(client.socket, "drain"),
        once(client.socket, "end"),
        once(client.socket, "close"),
      ]).catch(() => {});
    batch = "";
  }
  if (!client.socket.destroyed && client.socket.writable) client.send(batch, tail, EMPTY).finish();
  return (await client.answer()).slice(at);
}

/** A client that goes on sending may lose the answer to the end of its connection; the log has it in any case. */
async function expectCut(why: RegExp, ...args: Parameters<typeof flood>): Promise<void> {
  const before = server.log().length;
  const said = await flood(...args);
  expect(said).not.toMatch(/\bok refs/);
  await expect.poll(() => server.log().slice(before)).toMatch(why);
}

const idOf = (i: number) => createHash("sha1").update(`${i}`).digest("hex");

describe("floods", () => {
  it.each([
    [
      "100,000 commands",
      100_000,
      (i: number) => packet(`${zero} ${base} refs/heads/evil-${i}`),
      /maxCommandBytes/,
    ],
    [
      "1,000,000 commands",
      1_000_000,
      (i: number) => packet(`${zero} ${base} refs/heads/evil-${i}`),
      /maxCommandBytes/,
    ],
    [
      "commands with capabilities",
      30_000,
      (i: number) => packet(`${zero} ${base} refs/heads/${i}\0 a${i} b${i}`),
      /maxCommandBytes/,
    ],
    [
      "endless shallow lines",
      1_000_000,
      (i: number) => packet(`shallow ${idOf(i)}`),
      /maxCommandBytes|maxShallows/,
    ],
  ])(
    "%s are cut off",
    async (_, count, line, why) => {
      await expectCut(why, packet(`${zero} ${base} refs/heads/evil${CAPABILITIES}`), count, line);
    },
    30_000,
  );

  it("20,000 commands for one ref are refused, each of them", async () => {
    const line = packet(`${zero} ${base} refs/heads/evil`);
    const said = await flood(packet(`${zero} ${base} refs/heads/evil${CAPABILITIES}`), 20_000, () => line);
    expect(said.match(/ng refs\/heads\/evil /g)?.length).toBeGreaterThan(19_000);
  }, 30_000);

  it("20,000 commands with an untrue old value are refused", async () => {
    const said = await flood(packet(`${tip} ${base} refs/heads/evil${CAPABILITIES}`), 20_000, (i) =>
      packet(`${tip} ${base} refs/heads/evil-${i}`),
    );
    expect(said.match(/ng refs\/heads\/evil/g)?.length).toBeGreaterThan(19_000);
  }, 60_000);

  const options = packet(`${zero} ${base} refs/heads/evil${CAPABILITIES} push-options`);
  it("push options are cut off, by number and by size", async () => {
    await expectCut(/maxPushOptions/, `${options}0000`, 100_000, (i) => packet(`option-${i}`));
    await expectCut(/maxPushOptionBytes/, `${options}0000`, 100, () => packet("x".repeat(65_000)));
    await expectCut(/maxPushOptions/, `${options}0000`, 10_000_000, () => "0004");
  }, 30_000);

  it("a certificate is cut off, full or of nothing", async () => {
    const head = packet(`push-cert${CAPABILITIES}`);
    await expectCut(/maxPushCertBytes/, head, 10_000, () => packet("x".repeat(60_000)));
    await expectCut(/maxPushCertBytes/, head, 10_000_000, () => "0004");
  }, 30_000);

  it("empty packets where commands are expected end it", async () => {
    expect(await flood("", 1000, () => "0004")).toMatch(/ERR protocol error/);
  });
});

describe("packs that do not end", () => {
  const command = `${packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`)}0000`;
  async function connected(transport: "git" | "http"): Promise<RawClient> {
    if (transport === "git") return (await announced()).send(command);
    const head = "POST /repo.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999";
    const type = "Content-Type: application/x-git-receive-pack-request";
    return new RawClient(server.http).send(`${head}\r\n${type}\r\n\r\n${command}`);
  }

  /** A pack with one entry, so far, whose stream goes on and on. @returns what of it was sent, in bytes */
  async function endless(client: RawClient, head: Uint8Array, piece: Uint8Array, ms: number) {
    client.send(head);
    const until = performance.now() + ms;
    let bytes = 0;
    for (; performance.now() < until && !client.socket.destroyed; bytes += piece.length)
      if (!client.socket.write(piece))
        await Promise.race([once(client.socket, "drain").catch(() => {}), sleep(50)]);
    client.socket.resetAndDestroy();
    return bytes;
  }
  /** A pack that says to have one object: a blob of 2 GiB. */
  const one = Buffer.from("5041434b0000000200000001b0808080407801", "hex");

  it.each(["git", "http"] as const)(
    "of empty blocks, or of zeros, are written and forgotten (%s)",
    async (transport) => {
      const nothing = Buffer.alloc(60_000, Buffer.from([0, 0, 0, 0xff, 0xff]));
      expect(await endless(await connected(transport), one, nothing, 2000)).toBeGreaterThan(64 * MIB);
      const stored = Buffer.concat([Buffer.from([0, 0xff, 0xff, 0, 0]), Buffer.alloc(65_535)]);
      expect(await endless(await connected(transport), one, stored, 1000)).toBeGreaterThan(16 * MIB);
    },
    30_000,
  );

  it("a byte at a time take nothing from others", async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => announced()));
    for (const client of clients)
      client.send(packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`), "0000");
    for (let at = 0; at < 30; at++) {
      for (const client of clients) client.send(pack.subarray(at, at + 1));
      await sleep(50);
    }
    const started = performance.now();
    expect((await tryGit(["ls-remote", `${server.git}/repo.git`])).status).toBe(0);
    expect(performance.now() - started).toBeLessThan(3000);
    for (const client of clients) client.socket.resetAndDestroy();
  }, 30_000);

  it("50 that stand still do not keep others from pushing, and cost little", async () => {
    const clients: RawClient[] = [];
    for (let i = 0; i < 50; i++) clients.push(await announced());
    for (const client of clients)
      client.send(
        packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`),
        "0000",
        pack.subarray(0, pack.length / 2),
      );
    await sleep(500);
    const started = performance.now();
    const client = await announced();
    const at = client.received.length;
    client.send(packet(`${zero} ${tip} refs/heads/good${CAPABILITIES}`), "0000", pack).finish();
    expect((await client.answer()).slice(at)).toContain("ok refs/heads/good");
    expect(performance.now() - started).toBeLessThan(5000);
    for (const each of clients) each.socket.resetAndDestroy();
    await git(["update-ref", "-d", "refs/heads/good"], { cwd: repository });
  }, 60_000);
});

it("200 connections that are cut, one after each so many bytes", async () => {
  const whole = Buffer.concat([
    Buffer.from(request("git-receive-pack", "/repo.git"), "latin1"),
    Buffer.from(`${packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`)}0000`, "latin1"),
    pack.subarray(0, -1),
  ]);
  for (let i = 0; i < 200; i++) {
    const client = new RawClient(server.git).send(whole.subarray(0, Math.floor((whole.length * i) / 200)));
    if (i % 3 === 0) await sleep(2);
    if (i % 2 === 0) client.socket.resetAndDestroy();
    else
      client
        .finish()
        .answer()
        .catch(() => {});
  }
  await sleep(300);
  await expect
    .poll(() => server.openFiles().filter((name) => /tmp_objdir|tmp_pack/.test(name)), { timeout: 10_000 })
    .toEqual([]);
}, 60_000);

describe("over http", () => {
  const TYPE = { "Content-Type": "application/x-git-receive-pack-request" };
  const head = `${packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`)}0000`;
  const post = async (headers: Record<string, string>, body: Uint8Array) => {
    const sent = httpRequest("POST", "/repo.git/git-receive-pack", { ...TYPE, ...headers }, body);
    return parseAnswer(await new RawClient(server.http).send(sent).answer());
  };

  it("gzip bombs end at what they may inflate to", async () => {
    const bomb = gzipSync(Buffer.alloc(300 * MIB));
    const answer = await post({ "Content-Encoding": "gzip" }, bomb);
    expect([answer.status, answer.body]).toEqual([200, expect.stringMatching(/^00[0-9a-f]{2}ERR /)]);
    const inPack = Buffer.concat([
      Buffer.from(head, "latin1"),
      Buffer.from("5041434b0000000200000001", "hex"),
      // 512 MiB of a blob, stored: it compresses once more.
      Buffer.from([0xb0, 0x80, 0x80, 0x80, 0x10, 0x78, 0x01]),
      ...Array.from({ length: 2000 }, () =>
        Buffer.concat([Buffer.from([0, 0xff, 0xff, 0, 0]), Buffer.alloc(65_535)]),
      ),
    ]);
    const second = await post({ "Content-Encoding": "gzip" }, gzipSync(inPack));
    expect(second.body).not.toMatch(/\bok refs/);
    expect([200, 413]).toContain(second.status);
  }, 60_000);

  it("wrong types and encodings are refused", async () => {
    const body = Buffer.concat([Buffer.from(head, "latin1"), pack]);
    for (const type of [
      "",
      "text/plain",
      "application/x-git-upload-pack-request",
      "application/x-git-receive-pack-result",
      `${TYPE["Content-Type"]}; charset=utf-8`,
    ])
      expect((await post({ "Content-Type": type }, body)).status, type).toBe(415);
    for (const encoding of ["br", "deflate", "gzip, gzip", "compress", "zstd"])
      expect((await post({ "Content-Encoding": encoding }, body)).status, encoding).toBe(415);
    expect((await post({ "Content-Encoding": "gzip" }, gzipSync(body).subarray(0, -9))).body).not.toMatch(
      /\bok refs/,
    );
    expect((await post({ "Content-Encoding": "gzip" }, body)).status).toBeGreaterThanOrEqual(200);
  });

  const raw = async (text: string, ...more: (string | Uint8Array)[]) => {
    const client = new RawClient(server.http).send(
      `POST /repo.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE["Content-Type"]}\r\n${text}\r\n`,
      ...more,
    );
    return parseAnswer(
      await Promise.race([client.answer(), sleep(1000).then(() => client.finish().answer())]),
    );
  };

  it.each([
    ["a negative chunk", "Transfer-Encoding: chunked\r\n", "-1\r\nabc\r\n0\r\n\r\n"],
    ["a chunk beyond counting", "Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\nabc"],
    ["a chunk that is no number", "Transfer-Encoding: chunked\r\n", "xyz\r\nabc\r\n0\r\n\r\n"],
    ["a chunk that ends early", "Transfer-Encoding: chunked\r\n", "10\r\nabc"],
    [
      "an extension of a megabyte",
      "Transfer-Encoding: chunked\r\n",
      `4;${"x".repeat(MIB)}\r\n0000\r\n0\r\n\r\n`,
    ],
    ["two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n", "00000"],
    ["length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "4\r\n0000\r\n0\r\n\r\n"],
    ["a negative length", "Content-Length: -4\r\n", "0000"],
    ["a length beyond counting", "Content-Length: 99999999999999999999\r\n", "0000"],
    ["chunks within chunks", "Transfer-Encoding: chunked, chunked\r\n", "4\r\n0000\r\n0\r\n\r\n"],
    ["another coding of the transfer", "Transfer-Encoding: gzip, chunked\r\n", "4\r\n0000\r\n0\r\n\r\n"],
  ])("%s", async (_, headers, body) => {
    const answer = await raw(headers, body);
    expect(answer.body).not.toMatch(/\bok refs/);
    if (answer.status === 200) expect(answer.body).toMatch(/^$|^00[0-9a-f]{2}ERR |^0000/);
    else expect(answer.status === 0 || answer.status >= 400).toBe(true);
  });

  it("chunks of one byte each are a pack like any other", async () => {
    const body = Buffer.concat([Buffer.from(head, "latin1"), pack]);
    const chunks = [...body.subarray(0, -1)].map((byte) => Buffer.from([0x31, 13, 10, byte, 13, 10]));
    const answer = await raw(
      "Transfer-Encoding: chunked\r\nConnection: close\r\n",
      ...chunks.slice(0, 300),
      Buffer.concat(chunks.slice(300)),
      "0\r\n\r\n",
    );
    expect(answer.body).toMatch(/unpack /);
    expect(answer.body).not.toMatch(/\bok refs/);
  });
});

describe("hooks that misbehave", () => {
  const directory = `${repository}/hooks`;
  const hook = (name: string, script: string) => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}/${name}`, `#!/bin/sh\n${script}\n`);
    chmodSync(`${directory}/${name}`, 0o755);
  };
  afterEach(() => {
    for (const name of ["pre-receive", "update", "post-receive"])
      rmSync(`${directory}/${name}`, { force: true });
  });
  const push = async () => {
    const client = await announced();
    const at = client.received.length;
    client.send(packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`), "0000", pack).finish();
    return { client, said: async () => (await client.answer()).slice(at) };
  };

  it.each([
    ["is killed", "kill -9 $$"],
    ["reads nothing", "exit 1"],
    ["closes everything and fails", "exec <&- >&- 2>&-; exit 7"],
    ["leaves a child that holds its output, and fails", "sleep 1 & exit 1"],
    ["is not there for its interpreter", "exit 1", "#!/no/such/shell"],
    ["writes what is no text", "head -c 100000 /dev/urandom; exit 1"],
    ["writes 100 MB and fails", "head -c 100000000 /dev/zero | tr '\\0' 'x'; exit 1"],
    ["writes 100 MB of lines to standard error", "yes 2>/dev/null | head -c 100000000 >&2; exit 1"],
  ])(
    "pre-receive %s",
    async (_, script, shebang = "#!/bin/sh") => {
      hook("pre-receive", script);
      if (shebang !== "#!/bin/sh") writeFileSync(`${directory}/pre-receive`, `${shebang}\n${script}\n`);
      const said = await (await push()).said();
      expect(said).toMatch(/ng refs\/heads\/evil /);
      expect(said).not.toMatch(/ok refs/);
      expect(said.length).toBeLessThan(6 * MIB);
    },
    60_000,
  );

  it("whose output nobody reads waits, and goes with its client", async () => {
    hook("pre-receive", "head -c 100000000 /dev/zero | tr '\\0' 'x'; sleep 60; exit 1");
    const { client } = await push();
    client.socket.pause();
    await sleep(2000);
    client.socket.resetAndDestroy();
    await expect.poll(() => leftoversIn(root), { timeout: 10_000 }).toEqual([]);
  }, 30_000);

  it("that does not read 20,000 lines", async () => {
    hook("pre-receive", "exec <&-; echo read nothing; exit 1");
    const said = await flood(packet(`${zero} ${base} refs/heads/evil${CAPABILITIES}`), 20_000, (i) =>
      packet(`${zero} ${base} refs/heads/evil-${i}`),
    );
    expect(said.match(/pre-receive hook declined/g)?.length).toBeGreaterThan(19_000);
  }, 60_000);
});

describe("in the end", () => {
  it("a good push is taken, and all is sound", async () => {
    const client = await announced();
    const at = client.received.length;
    client.send(packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`), "0000", pack).finish();
    expect((await client.answer()).slice(at)).toContain("ok refs/heads/evil");
    await expectSound(repository);
    await git(["update-ref", "-d", "refs/heads/evil"], { cwd: repository });
  });
});
