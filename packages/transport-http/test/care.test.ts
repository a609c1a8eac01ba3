import { connect, type Socket } from "node:net";
import type { GitService } from "@x/server-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { createNodeHttpServer, type NodeServerLimits } from "../src/node.ts";
import { bytes, measure } from "./handler.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function start(service: GitService, limits: NodeServerLimits) {
  const lines: { fields: object; message: string }[] = [];
  const keep = (fields: object, message: string) => void lines.push({ fields, message });
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  const handler = createFetchHandler({ service, logger });
  const server = createNodeHttpServer({ handler, logger, limits });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  return { port, lines };
}

/** A raw socket and what came back on it. */
function raw(port: number, text = ""): { socket: Socket; closed: Promise<number>; text: () => string } {
  const started = performance.now();
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  const closed = new Promise<number>((resolve) =>
    socket.once("close", () => resolve(performance.now() - started)),
  );
  if (text !== "") socket.write(Buffer.from(text, "latin1"));
  onTestFinished(() => void socket.destroy());
  return { socket, closed, text: () => received };
}

const get = (headers = "") =>
  `GET /a/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
const post = (headers: string) =>
  `POST /a/git-upload-pack HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-git-upload-pack-request\r\n${headers}\r\n`;

const hello: GitService = async function* () {
  yield bytes("hello");
};

describe("connections", () => {
  it("C1 one that says nothing is closed at the deadline for heads, and others are served meanwhile", async () => {
    const { port } = await start(hello, { headersTimeoutMs: 300 });
    const silent = Array.from({ length: 50 }, () => raw(port));
    await sleep(50);
    const served = raw(port, get("Connection: close\r\n"));
    expect(await served.closed).toBeLessThan(250);
    expect(served.text()).toMatch(/^HTTP\/1.1 200 /);
    for (const ms of await Promise.all(silent.map(({ closed }) => closed))) {
      expect(ms).toBeGreaterThan(250);
      expect(ms).toBeLessThan(3000);
    }
  });

  it("C1 C2 a head that drips in is late as a whole", async () => {
    const { port } = await start(hello, { headersTimeoutMs: 300 });
    const client = raw(port);
    const timer = setInterval(() => client.socket.write("G"), 40);
    onTestFinished(() => clearInterval(timer));
    expect(await client.closed).toBeLessThan(3000);
    expect(client.text()).toMatch(/^(?:HTTP\/1.1 4\d\d |$)/);
  });

  it("one that waits for its next request is closed in time", async () => {
    const { port } = await start(hello, { keepAliveTimeoutMs: 200 });
    const client = raw(port, get());
    expect(await client.closed).toBeLessThan(3000);
    expect(client.text()).toMatch(/^HTTP\/1.1 200 /);
  });

  it("C4 above the limit are told to come back, and served when there is room", async () => {
    const { port, lines } = await start(hello, { maxConnections: 4, maxConnectionsPerAddress: 4 });
    const holders = Array.from({ length: 4 }, () => raw(port));
    await sleep(100);
    for (const text of ["", get(), post("Content-Length: 4\r\n")]) {
      const late = raw(port, text);
      expect(await late.closed).toBeLessThan(2500);
      expect(late.text()).toMatch(/^HTTP\/1.1 503 /);
      expect(late.text()).toContain("Retry-After: 5\r\n");
      expect(late.text()).toMatch(/\r\n\r\nToo many connections\n$/);
    }
    expect(lines.filter(({ message }) => message === "a connection was turned away")).toHaveLength(3);
    for (const { socket } of holders) socket.destroy();
    await sleep(100);
    const served = raw(port, get("Connection: close\r\n"));
    await served.closed;
    expect(served.text()).toMatch(/^HTTP\/1.1 200 /);
  });

  it("C4 one address has a share and no more", async () => {
    const { port } = await start(hello, { maxConnections: 100, maxConnectionsPerAddress: 2 });
    const holders = [raw(port), raw(port)];
    await sleep(100);
    const late = raw(port, get());
    await late.closed;
    expect(late.text()).toMatch(/^HTTP\/1.1 503 /);
    expect(holders.every(({ socket }) => !socket.destroyed)).toBe(true);
  });

  it("C4 those that wait for a next request make room", async () => {
    const { port } = await start(hello, { maxConnections: 2, maxConnectionsPerAddress: 2 });
    const parked = [raw(port, get()), raw(port, get())];
    await sleep(150);
    expect(parked.every(({ text }) => text().startsWith("HTTP/1.1 200 "))).toBe(true);
    const turnedAway = raw(port, get("Connection: close\r\n"));
    await turnedAway.closed;
    expect(turnedAway.text()).toMatch(/^HTTP\/1.1 503 /);
    await Promise.all(parked.map(({ closed }) => closed));
    const served = raw(port, get("Connection: close\r\n"));
    await served.closed;
    expect(served.text()).toMatch(/^HTTP\/1.1 200 /);
  });

  it("H8 heads of many lines, or of long ones, are 431", async () => {
    const { port } = await start(hello, { maxHeaderBytes: 8192 });
    for (const headers of ["X: y\r\n".repeat(10_000), `X: ${"a".repeat(9000)}\r\n`]) {
      const client = raw(port, get(headers));
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1.1 431 /);
    }
  });
});

describe("clients of HTTP/1.0", () => {
  it("get their answer up to the end of the connection", async () => {
    const { port } = await start(hello, {});
    const client = raw(port, "GET /a/info/refs?service=git-upload-pack HTTP/1.0\r\n\r\n");
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(client.text()).not.toMatch(/transfer-encoding/i);
    expect(client.text()).toMatch(/\r\n\r\n001e# service=git-upload-pack\n0000hello$/);
  });

  it("are told of a bad request where others are told which methods there are", async () => {
    const { port } = await start(hello, {});
    const old = raw(port, "PUT /a/git-upload-pack HTTP/1.0\r\n\r\n");
    await old.closed;
    expect(old.text()).toMatch(/^HTTP\/1.1 400 /);
    expect(old.text()).not.toMatch(/\r\nallow:/i);
    const later = raw(port, "PUT /a/git-upload-pack HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    await later.closed;
    expect(later.text()).toMatch(/^HTTP\/1.1 405 /);
    expect(later.text()).toMatch(/\r\nallow: POST\r\n/i);
  });
});

describe("bodies", () => {
  it("C2 that bring too little for too long are ended, however steadily they drip", async () => {
    const { port, lines } = await start(measure, {
      minBodyRate: 1000,
      rateWindowMs: 300,
      readIdleTimeoutMs: 5000,
    });
    const client = raw(port, post("Content-Length: 1000000\r\n"));
    const timer = setInterval(() => client.socket.write("0"), 20);
    onTestFinished(() => clearInterval(timer));
    for (const end = performance.now() + 3000; client.text() === "" && performance.now() < end; )
      await sleep(20);
    expect(client.text()).toMatch(/^HTTP\/1.1 408 /);
    expect(client.text()).toContain("less than 1000 bytes per second");
    expect(lines.map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ outcome: "transport-http/timeout" }),
    );
  });

  it("that are fast enough on average may pause, and a service that is slow is not the client's fault", async () => {
    const slow: GitService = async function* (call) {
      let length = 0;
      for await (const chunk of call.input) {
        length += chunk.length;
        await sleep(60);
      }
      yield bytes(String(length));
    };
    const { port } = await start(slow, { minBodyRate: 1000, rateWindowMs: 200, readIdleTimeoutMs: 5000 });
    const client = raw(port, post("Content-Length: 40000\r\nConnection: close\r\n"));
    for (let i = 0; i < 10; i++) {
      client.socket.write("0".repeat(4000));
      await sleep(50);
    }
    await client.closed;
    expect(client.text()).toMatch(/\r\n\r\n5\r\n40000\r\n0\r\n\r\n$/);
  });

  it("H4 in ten thousand chunks of one byte are read in time that grows with their length alone", async () => {
    const { port } = await start(measure, {});
    const client = raw(port, post("Transfer-Encoding: chunked\r\nConnection: close\r\n"));
    client.socket.write(`${"1;x=y\r\n0\r\n".repeat(10_000)}0\r\n\r\n`);
    expect(await client.closed).toBeLessThan(5000);
    expect(client.text()).toMatch(/\r\n5\r\n10000\r\n0\r\n\r\n$/);
  });
});

describe("a listener behind something that has read the body", () => {
  it.each([
    ["bytes", Buffer.from("0000"), 200, "4"],
    ["none of it", undefined, 500, "transport-http/body-taken"],
    ["text", "0000", 500, "transport-http/body-taken"],
    ["an object", {}, 500, "transport-http/body-taken"],
  ])("and left %s", async (_, body, status, text) => {
    const { createServer } = await import("node:http");
    const { toNodeListener } = await import("../src/node.ts");
    const listener = toNodeListener(createFetchHandler({ service: measure }));
    const server = createServer((message, reply) => {
      message.resume();
      message.once("end", () => listener(Object.assign(message, { body }), reply));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const response = await fetch(`http://127.0.0.1:${port}/a/git-upload-pack`, {
      method: "POST",
      headers: { "content-type": "application/x-git-upload-pack-request", "content-encoding": "gzip" },
      body: "0000",
    });
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(text)]);
  });
});
