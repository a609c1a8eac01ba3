import { Agent, get, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { type GitService, ServiceError } from "@x/server-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { createNodeHttpServer, type NodeHttpServer, type NodeServerLimits } from "../src/node.ts";
import { bytes, measure, randomNumbers } from "./handler.ts";

const UPLOAD = { "content-type": "application/x-git-upload-pack-request" };
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, ms = 3000): Promise<void> {
  for (const end = performance.now() + ms; !condition(); ) {
    if (performance.now() > end) throw new Error("waited in vain");
    await sleep(5);
  }
}

async function start(
  service: GitService,
  limits: NodeServerLimits = {},
): Promise<{ port: number; url: string; server: NodeHttpServer; lines: Record<string, unknown>[] }> {
  const lines: Record<string, unknown>[] = [];
  const keep = (fields: object) => void lines.push(fields as Record<string, unknown>);
  const handler = createFetchHandler({
    service,
    logger: { debug: keep, info: keep, warn: keep, error: keep },
  });
  const server = createNodeHttpServer({ handler, limits: { lingerTimeoutMs: 300, ...limits } });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  return { port, url: `http://127.0.0.1:${port}/demo.git`, server, lines };
}

/** A raw socket and what came back on it. */
function raw(
  port: number,
  text: string,
  reading = true,
): { socket: Socket; closed: Promise<void>; text: () => string } {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("error", () => {});
  if (reading)
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(Buffer.from(text, "latin1"));
  onTestFinished(() => void socket.destroy());
  return { socket, closed, text: () => received };
}

const post = (path: string, headers: string, body = "") =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-git-upload-pack-request\r\n${headers}\r\n${body}`;

describe("a server of node:http", () => {
  it("keeps within headersTimeoutMs, keepAliveTimeoutMs and maxHeaderBytes", async () => {
    const limits: NodeServerLimits = { headersTimeoutMs: 300, keepAliveTimeoutMs: 50, maxHeaderBytes: 2000 };
    const { port } = await start(async function* () {}, limits);
    const slow = raw(port, "GET /demo.git/HEAD HTTP/1.1\r\nHost:");
    const idle = raw(port, "GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
    const large = raw(port, `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(2000)}\r\n\r\n`);
    await Promise.all([slow.closed, idle.closed, large.closed]);
    expect(idle.text()).toMatch(/^HTTP\/1\.1 404 /);
    expect(large.text()).toMatch(/^HTTP\/1\.1 431 /);
    expect(slow.text()).toMatch(/^(?:$|HTTP\/1\.1 408 )/);
  }, 30_000);

  it("serves discovery and calls, and sees its client's address", async () => {
    let peer: string | undefined;
    const { url } = await start(async function* (call) {
      peer = call.peer.address;
      if (call.mode === "rpc") yield* call.input;
      else yield bytes("refs");
    });
    const found = await fetch(`${url}/info/refs?service=git-upload-pack`);
    expect(found.headers.get("content-type")).toBe("application/x-git-upload-pack-advertisement");
    expect(await found.text()).toBe("001e# service=git-upload-pack\n0000refs");
    const answer = await fetch(`${url}/git-upload-pack`, { method: "POST", headers: UPLOAD, body: "0000" });
    expect([answer.status, await answer.text()]).toEqual([200, "0000"]);
    expect(peer).toBe("127.0.0.1");
    const head = await fetch(`${url}/info/refs?service=git-upload-pack`, { method: "HEAD" });
    expect([head.status, head.headers.get("expires")]).toEqual([200, "Fri, 01 Jan 1980 00:00:00 GMT"]);
  });

  it.each([
    ["GET", "/a/%2e%2e/b/info/refs?service=git-upload-pack", 404],
    ["GET", "/..%2fb/info/refs?service=git-upload-pack", 404],
    ["GET", "/../b/info/refs?service=git-upload-pack", 404],
    ["GET", "/a\\b/info/refs?service=git-upload-pack", 404],
    ["GET", "//evil/a/info/refs?service=git-upload-pack", 404],
    ["GET", "/a//b/info/refs?service=git-upload-pack", 404],
    ["GET", "http://h/a/info/refs?service=git-upload-pack", 200],
    ["GET", "/%c3%a4/info/refs?service=git-upload-pack", 200],
    ["GET", "/\xc3\xa4/info/refs?service=git-upload-pack", 400],
    ["OPTIONS", "*", 404],
    ["TRACE", "/a/git-upload-pack", 405],
    ["PROPFIND", "/a/git-upload-pack", 405],
  ])("%s %s is %i", async (method, target, status) => {
    const { port } = await start(async function* () {
      yield bytes("x");
    });
    const client = raw(port, `${method} ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    await client.closed;
    expect(client.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it.each([
    ["a length that is none", "Content-Length: -1\r\n", 400],
    ["a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400],
    ["a length beyond belief", "Content-Length: 99999999999999999999\r\n", 400],
    ["a chunk that is none", "Transfer-Encoding: chunked\r\n", 400],
    ["a header without end", `X: ${"a".repeat(20_000)}\r\n`, 431],
  ])("H3 H4 H8 %s ends the connection", async (_, headers, status) => {
    const { port, url } = await start(measure);
    const client = raw(port, post("/a/git-upload-pack", headers, "-5\r\nhello"));
    await client.closed;
    expect(client.text()).toMatch(new RegExp(`^HTTP/1.1 (?:${status}|413) `));
    expect(
      (await fetch(`${url}/git-upload-pack`, { method: "POST", headers: UPLOAD, body: "12" })).status,
    ).toBe(200);
  });

  it("answers a body as long as it says, without waiting for the end of the connection", async () => {
    const { port } = await start(measure);
    const client = raw(port, post("/a/git-upload-pack", "Content-Length: 4\r\n", "0000"));
    await until(() => client.text().endsWith("\r\n1\r\n4\r\n0\r\n\r\n"));
    client.socket.write(post("/a/git-upload-pack", "Content-Length: 0\r\n"));
    await until(() => client.text().endsWith("\r\n1\r\n0\r\n0\r\n\r\n"));
    client.socket.write(
      post("/a/git-upload-pack", "Transfer-Encoding: chunked\r\n", "1;x=y\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
    );
    await until(() => client.text().endsWith("\r\n1\r\n3\r\n0\r\n\r\n"));
    expect(client.socket.closed).toBe(false);
  });

  it("H7 lets a client go on that waits for 100", async () => {
    const { port } = await start(measure);
    const client = raw(port, post("/a/git-upload-pack", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
    await until(() => client.text().startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    client.socket.write("0000");
    await until(() => client.text().endsWith("\r\n4\r\n0\r\n\r\n"));
  });

  it("inflates what stock git compresses", async () => {
    const { url } = await start(measure);
    const headers = { ...UPLOAD, "content-encoding": "gzip" };
    const body = gzipSync("0032want 1234567890123456789012345678901234567890\n".repeat(100));
    expect(await (await fetch(`${url}/git-upload-pack`, { method: "POST", headers, body })).text()).toBe(
      "5000",
    );
  });

  it("sends each chunk at once", async () => {
    const { url } = await start(async function* () {
      yield bytes("first");
      await sleep(300);
      yield bytes("second");
    });
    const started = performance.now();
    const response = await fetch(`${url}/git-upload-pack`, { method: "POST", headers: UPLOAD, body: "0000" });
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
    expect(performance.now() - started).toBeLessThan(250);
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("second");
  });

  it("cuts off an answer that broke, so that nobody takes it for whole", async () => {
    const { url } = await start(async function* () {
      yield bytes("first");
      await sleep(50);
      throw new ServiceError("server-core/aborted", "closing");
    });
    const response = await fetch(`${url}/git-upload-pack`, { method: "POST", headers: UPLOAD, body: "0000" });
    await expect(response.text()).rejects.toThrow();
  });
});

describe("clients that are slow, or gone", () => {
  it.each(["destroy", "resetAndDestroy"] as const)(
    "H9 aborts within a second of a %s, silent or not",
    async (leave) => {
      for (const silent of [true, false]) {
        let started = false;
        let ended = 0;
        const { port, lines } = await start(async function* (call) {
          try {
            started = true;
            for await (const _ of call.input);
            for (; !silent; await sleep(20)) yield bytes("progress");
            await new Promise((_, reject) =>
              call.signal.addEventListener("abort", () => reject(call.signal.reason)),
            );
          } finally {
            ended = performance.now();
          }
        });
        const client = raw(port, post("/a/git-upload-pack", "Content-Length: 4\r\n", "0000"));
        await until(() => started);
        await sleep(50);
        const left = performance.now();
        client.socket[leave]();
        await until(() => lines.length === 1 && ended > 0);
        expect(ended - left).toBeLessThan(1000);
        expect(lines[0]?.outcome).toMatch(/^(?:transport-http\/gone|server-core\/aborted)$/);
      }
    },
  );

  it("H9 tells the service that a body broke off", async () => {
    const { port, lines } = await start(measure);
    const client = raw(port, post("/a/git-upload-pack", "Content-Length: 1000\r\n", "0000"));
    await sleep(50);
    client.socket.destroy();
    await until(() => lines.length === 1, 1000);
    expect(lines[0]).toMatchObject({ outcome: "transport-http/gone", bytesIn: 4 });
  });

  it("C2 ends a body that stands still", async () => {
    const { port, lines } = await start(measure, { readIdleTimeoutMs: 100 });
    const client = raw(port, post("/a/git-upload-pack", "Content-Length: 1000\r\n", "0000"));
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1.1 408 /);
    expect(lines[0]).toMatchObject({ outcome: "transport-http/timeout" });
  });

  it("C3 makes nothing faster than it is read, and drops who does not read at all", async () => {
    let made = 0;
    let ended = false;
    const { port, lines } = await start(
      async function* () {
        try {
          for (; ; made++) yield new Uint8Array(65536);
        } finally {
          ended = true;
        }
      },
      { writeIdleTimeoutMs: 700 },
    );
    raw(port, post("/a/git-upload-pack", "Content-Length: 4\r\n", "0000"), false);
    await sleep(400);
    const before = made;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(300);
    await sleep(200);
    expect(made).toBe(before);
    await until(() => ended && lines.length === 1);
  });

  it("takes no more of a body than the service does", async () => {
    let go = () => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { port } = await start(async function* (call) {
      await wait;
      yield* measure(call);
    });
    const size = 9 * 1024 * 1024;
    const sent = httpRequest({ port, path: "/a/git-upload-pack", method: "POST", headers: UPLOAD });
    const answer = new Promise<IncomingMessage>((resolve) => sent.once("response", resolve));
    sent.end(new Uint8Array(size));
    await sleep(200);
    expect(sent.socket?.writableLength).toBeGreaterThan(1_000_000);
    go();
    let text = "";
    for await (const chunk of await answer) text += String(chunk);
    expect(text).toBe(String(size));
  });

  it("does not lose an early answer to a client that is still sending, and frees the connection", async () => {
    const { url, port, lines } = await start(measure);
    const body = new Uint8Array(9 * 1024 * 1024);
    for (let round = 0; round < 10; round++) {
      const response = await fetch(`${url}/git-upload-pack`, {
        method: "POST",
        headers: { "content-type": "x/y" },
        body,
      });
      expect(response.status).toBe(415);
      await response.text();
    }
    const stalled = raw(port, post("/nothing", "Content-Length: 1000000\r\n", "0000"));
    await stalled.closed;
    expect(stalled.text()).toMatch(/^HTTP\/1.1 404 /);
    expect(lines).toHaveLength(11);
  });

  it("C6 survives 200 resets at any byte", async () => {
    let open = 0;
    const { port, url } = await start(async function* (call) {
      open++;
      try {
        yield new Uint8Array(30_000);
        for await (const chunk of call.input) yield chunk;
      } finally {
        open--;
      }
    });
    const wire = post("/a/git-upload-pack", "Content-Length: 5000\r\n", "x".repeat(5000));
    const random = randomNumbers(11);
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        const client = raw(port, wire.slice(0, random(wire.length)), random(2) === 0);
        await sleep(random(50));
        client.socket.resetAndDestroy();
        await client.closed;
      }),
    );
    await until(() => open === 0);
    expect((await fetch(`${url}/info/refs?service=git-upload-pack`)).status).toBe(200);
  });
});

describe("close", () => {
  it("lets running requests end, and idle connections not", async () => {
    const { port, url, server } = await start(async function* () {
      yield bytes("a");
      await sleep(200);
      yield bytes("b");
    });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await new Promise<void>((resolve) => {
      get({ port, path: "/", agent }, (response) => response.resume().once("end", () => resolve()));
    });
    const response = await fetch(`${url}/git-upload-pack`, { method: "POST", headers: UPLOAD, body: "0000" });
    const started = performance.now();
    const closed = server.close({ graceMs: 5000 });
    expect(await response.text()).toBe("ab");
    await closed;
    expect(performance.now() - started).toBeLessThan(1500);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("cuts off what does not end in time", async () => {
    let aborted = false;
    const { url, server } = await start(async function* (call) {
      call.signal.addEventListener("abort", () => {
        aborted = true;
      });
      for (; ; await sleep(20)) yield bytes("a");
    });
    const response = await fetch(`${url}/git-upload-pack`, { method: "POST", headers: UPLOAD, body: "0000" });
    await server.close({ graceMs: 100 });
    await expect(response.text()).rejects.toThrow();
    await until(() => aborted);
  });
});
