import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterEach, describe, expect, it } from "vitest";
import { makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";

const MIB = 1024 * 1024;
const root = temporaryDirectory("root");
await makeRich(`${root}/repo.git`, "sha1");
const server = await startServer(root, "--dumb-http", "--enable", "receive-pack");
const { port: PORT } = new URL(server.http);
const port = Number(PORT);
const tip = await git(["rev-parse", "main"], { cwd: `${root}/repo.git` });
// What the first requests take is nobody's attack.
await git(["clone", "-q", "--bare", `${server.http}/repo.git`, `${temporaryDirectory("clone")}/c`]);
const resting = server.residentBytes();

/** Sends bytes as they are and gives all that came back, once the connection is closed or answered. */
function exchange(
  pieces: readonly (string | Buffer)[],
  options: { readonly waitMs?: number; readonly half?: boolean } = {},
): Promise<{ readonly text: string; readonly ms: number }> {
  return new Promise((resolve) => {
    const started = performance.now();
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, ms: performance.now() - started });
    };
    const timer = setTimeout(end, options.waitMs ?? 5000);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.once("close", end);
    for (const piece of pieces)
      socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    if (options.half) socket.end();
  });
}

const head = (line: string, headers: readonly string[] = []) =>
  `${[`${line} HTTP/1.1`, "Host: h", "Connection: close", ...headers].join("\r\n")}\r\n\r\n`;
const post = (service: string, headers: readonly string[]) =>
  head(`POST /repo.git/${service}`, [`Content-Type: application/x-${service}-request`, ...headers]);
const statusOf = (text: string) =>
  Number(/^HTTP\/1\.1 (\d{3}) /.exec(text.replace(/^HTTP\/1.1 100.*?\r\n\r\n/s, ""))?.[1]);

/** R0: it lives, answers, and has given back what it took. */
afterEach(async () => {
  expect(server.alive()).toBe(true);
  const started = performance.now();
  expect((await tryGit(["ls-remote", `${server.http}/repo.git`], { timeoutMs: 10_000 })).status).toBe(0);
  expect(performance.now() - started).toBeLessThan(5000);
  await expect.poll(() => (server.residentBytes() - resting) / MIB, { timeout: 30_000 }).toBeLessThan(64);
  expect(await git(["rev-parse", "main"], { cwd: `${root}/repo.git` })).toBe(tip);
}, 40_000);

describe("xgit serve over http", () => {
  it.each(["git-upload-pack", "git-receive-pack"])("H1 a gzip bomb to %s dies early", async (service) => {
    const bomb = gzipSync(Buffer.alloc(256 * MIB), { level: 9 });
    const packets = gzipSync(
      Buffer.from("0032want 1234567890123456789012345678901234567890\n".repeat(1_500_000)),
      { level: 9 },
    );
    for (const body of [bomb, packets]) {
      const headers = ["Content-Encoding: gzip", `Content-Length: ${body.length}`];
      const { text, ms } = await exchange([post(service, headers), body], { waitMs: 15_000 });
      // Not one of its bytes made sense, or there were too many of them: said with a status, or in a packet.
      expect([200, 400, 413]).toContain(statusOf(text));
      if (statusOf(text) === 200) expect(text).toMatch(/ERR |unpack /);
      expect(ms).toBeLessThan(15_000);
    }
  });

  it.each([
    ["truncated", gzipSync("0000").subarray(0, 12), "gzip", 400],
    ["two members", Buffer.concat([gzipSync("0000"), gzipSync("x")]), "gzip", 400],
    ["garbage behind it", Buffer.concat([gzipSync("0032want"), Buffer.from("garbage")]), "x-gzip", 400],
    ["none", Buffer.from("0000"), "gzip", 400],
    ["deflate", Buffer.from("0000"), "deflate", 415],
    ["br", Buffer.from("0000"), "br", 415],
    ["gzip twice", gzipSync(gzipSync("0000")), "gzip, gzip", 415],
  ])("H2 a body of gzip, %s", async (_, body, encoding, status) => {
    const headers = [`Content-Encoding: ${encoding}`, `Content-Length: ${body.length}`];
    const { text, ms } = await exchange([post("git-upload-pack", headers), body]);
    // A service that has its answer before the body turns bad is believed.
    expect([status, ...(status === 400 ? [200] : [])]).toContain(statusOf(text));
    expect(ms).toBeLessThan(4000);
  });

  it.each([
    ["99999999999999999999", 400],
    ["-1", 400],
    ["0x10", 400],
    ["99999999999", 413],
  ])("H3 Content-Length: %s", async (length, status) => {
    const { text } = await exchange([post("git-upload-pack", [`Content-Length: ${length}`]), "0000"]);
    expect([status, 413]).toContain(statusOf(text));
  });

  it("H3 H4 lengths that contradict each other, and chunks that are none, end the connection", async () => {
    for (const headers of [
      ["Content-Length: 4", "Transfer-Encoding: chunked"],
      ["Content-Length: 4", "Content-Length: 5"],
      ["Transfer-Encoding: chunked", "Content-Length: 4"],
    ])
      expect(
        statusOf((await exchange([post("git-upload-pack", headers), "4\r\n0000\r\n0\r\n\r\n"])).text),
      ).toBe(400);
    for (const body of [
      "-5\r\nhello\r\n",
      "zz\r\n",
      `1;${"x".repeat(MIB)}\r\na\r\n`,
      `${"f".repeat(20)}\r\n`,
    ]) {
      const { text, ms } = await exchange([post("git-upload-pack", ["Transfer-Encoding: chunked"]), body]);
      expect([400, 413]).toContain(statusOf(text));
      expect(ms).toBeLessThan(4000);
    }
  });

  it("H5 H6 H8 the wrong type, the wrong method, and too much of a head", async () => {
    const wrong = head("POST /repo.git/git-upload-pack", ["Content-Type: text/plain", "Content-Length: 4"]);
    expect(statusOf((await exchange([wrong, "0000"])).text)).toBe(415);
    const put = (await exchange([head("PUT /repo.git/git-upload-pack")])).text;
    expect([statusOf(put), /\r\nallow: POST\r\n/i.test(put)]).toEqual([405, true]);
    const list = (await exchange([head("DELETE /repo.git/info/refs?service=git-upload-pack")])).text;
    expect([statusOf(list), /\r\nallow: GET, HEAD\r\n/i.test(list)]).toEqual([405, true]);
    for (const headers of [
      [`X: ${"a".repeat(20_000)}`],
      Array.from({ length: 10_000 }, (_, i) => `X${i}: y`),
    ])
      expect(statusOf((await exchange([head("GET /repo.git/HEAD", headers)])).text)).toBe(431);
  });

  it("H7 a probe gets an empty answer, with and without Expect", async () => {
    for (const service of ["git-upload-pack", "git-receive-pack"])
      for (const more of [[], ["Expect: 100-continue"]]) {
        const { text } = await exchange([post(service, ["Content-Length: 4", ...more]), "0000"]);
        expect(statusOf(text)).toBe(200);
        expect(text).toContain(`content-type: application/x-${service}-result`);
        expect(text).toMatch(/\r\n\r\n(?:0\r\n\r\n)?$/);
      }
  });

  it.each([
    "/%2e%2e/repo.git",
    "/%2E./repo.git",
    "/..%2frepo.git",
    "/%252e%252e/repo.git",
    "/repo.git%00",
    "/repo.git%0a",
    "/a\\..\\repo.git",
    "//repo.git",
    "/./repo.git",
    "/x/../repo.git",
    "/repo.git;x",
    "/%c0%ae%c0%ae/repo.git",
    "//evil.example/repo.git",
    "/etc",
  ])("P2 %s is nowhere", async (path) => {
    for (const tail of ["/info/refs?service=git-upload-pack", "/HEAD", "/info/refs"])
      expect(statusOf((await exchange([head(`GET ${path}${tail}`)])).text)).toBe(404);
  });

  it("C1 C6 hundreds that say nothing, and resets at any byte, leave it as it was", async () => {
    const silent = Array.from({ length: 300 }, () => connect(port, "127.0.0.1").on("error", () => {}));
    await sleep(300);
    const started = performance.now();
    expect((await tryGit(["ls-remote", `${server.http}/repo.git`])).status).toBe(0);
    expect(performance.now() - started).toBeLessThan(2000 * 2);
    for (const socket of silent) socket.destroy();
    const whole =
      post("git-upload-pack", ["Content-Length: 60"]) +
      "0032want 1234567890123456789012345678901234567890\n0000";
    for (let at = 0; at < whole.length; at += 3) {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      socket.write(whole.slice(0, at));
      if (at % 2 === 0) await sleep(1);
      socket.resetAndDestroy();
    }
  });

  it("C3 a hundred clones that nobody reads hold little, and others are served", async () => {
    const packet = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;
    const body = `${packet("command=fetch")}0001${packet("no-progress")}${packet(`want ${tip}`)}${packet("done")}0000`;
    const request =
      post("git-upload-pack", ["Git-Protocol: version=2", `Content-Length: ${body.length}`]) + body;
    const sockets = Array.from({ length: 100 }, () => {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      socket.pause();
      socket.write(request);
      return socket;
    });
    await sleep(1500);
    expect((server.residentBytes() - resting) / MIB).toBeLessThan(300);
    await git(["clone", "-q", "--bare", `${server.http}/repo.git`, `${temporaryDirectory("clone")}/c`]);
    for (const socket of sockets) socket.destroy();
  });
});
