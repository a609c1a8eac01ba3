import { Duplex, PassThrough } from "node:stream";
import { encodePackets } from "@x/pktline";
import type { GitService, RefusalLabels } from "@x/server-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTcpGitServer, serveConnection } from "../src/index.ts";
import { Client, request, sleep, start, until } from "./wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const TOO_MANY = new TextDecoder().decode(encodePackets([bytes("ERR too many connections")]));

/** Says `ready`, then waits for its client to go. */
const holding: GitService = async function* (call) {
  yield bytes("ready");
  for await (const _ of call.input);
};

/** A client whose call has begun. */
async function running(port: number, from?: string): Promise<Client> {
  const client = new Client(port, from === undefined ? {} : { from }).send(request());
  await until(() => client.text.startsWith("ready"));
  return client;
}

describe("connections", () => {
  it("refuses one more of the same address in words", async () => {
    const { port } = await start(holding, { maxConnections: 2 });
    await running(port);
    await running(port);
    expect(await new Client(port).send(request()).answer()).toBe(TOO_MANY);
  });

  it("keeps room for another address", async () => {
    const { port } = await start(holding, { maxConnections: 8 });
    for (let i = 0; i < 7; i++) await running(port);
    expect(await new Client(port).send(request()).answer()).toBe(TOO_MANY);
    await running(port, "127.0.0.2");
  });

  it("ends the newest of the address with most for one that has none", async () => {
    const { port, lines } = await start(holding, { maxConnections: 3, maxConnectionsPerAddress: 3 });
    const first = await running(port);
    await running(port);
    const newest = await running(port);
    await running(port, "127.0.0.2");
    expect(await newest.answer()).toBe(`ready${TOO_MANY}`);
    expect(first.socket.destroyed).toBe(false);
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ outcome: "transport-tcp/too-many-connections" });
  });

  it("tells of those that it turns away", async () => {
    const told: RefusalLabels[] = [];
    const metrics = { connectionRefused: (labels: RefusalLabels) => void told.push(labels) };
    const limits = { maxConnections: 4, maxConnectionsPerAddress: 3 };
    const { port } = await start(holding, limits, { metrics });
    for (let i = 0; i < 3; i++) await running(port);
    await new Client(port).send(request()).answer();
    await running(port, "127.0.0.2");
    await running(port, "127.0.0.3");
    await new Client(port, { from: "127.0.0.2" }).send(request()).answer();
    expect(told.map(({ transport, reason }) => [transport, reason])).toEqual([
      ["git", "address"],
      ["git", "displaced"],
      ["git", "full"],
    ]);
  });

  it("lets nobody who says nothing stand in the way", async () => {
    const { port } = await start(holding, { maxConnections: 4 });
    const silent = Array.from({ length: 40 }, () => new Client(port));
    await Promise.all(silent.map((client) => until(() => !client.socket.connecting)));
    for (let i = 0; i < 4; i++) await running(port);
    expect(await new Client(port).send(request()).answer()).toBe(TOO_MANY);
  });

  it("counts the addresses of an IPv6 network as one", async () => {
    const { port } = await start(
      holding,
      { maxConnections: 16, maxConnectionsPerAddress: 1 },
      { host: "::1" },
    );
    const client = new Client(port, { host: "::1" }).send(request());
    await until(() => client.text === "ready");
    expect(await new Client(port, { host: "::1" }).send(request()).answer()).toBe(TOO_MANY);
  });
});

describe("slow clients", () => {
  it("ends one that sends a byte now and then", async () => {
    const { port, lines } = await start(holding, {
      readIdleTimeoutMs: 200,
      slowGraceMs: 600,
      minBytesPerSecond: 1000,
    });
    const client = await running(port);
    const timer = setInterval(() => client.send("x"), 50);
    onTestFinished(() => clearInterval(timer));
    const started = performance.now();
    expect(await client.answer()).toContain("ERR the client sent less than 1000 bytes a second");
    expect(performance.now() - started).toBeLessThan(1500);
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ outcome: "transport-tcp/timeout" });
  });

  it("lets one go on that sends enough", async () => {
    const { port } = await start(holding, {
      readIdleTimeoutMs: 200,
      slowGraceMs: 300,
      minBytesPerSecond: 1000,
    });
    const client = await running(port);
    for (let i = 0; i < 20; i++) {
      client.send("x".repeat(100));
      await sleep(50);
    }
    client.socket.end();
    expect(await client.answer()).toBe("ready");
  });

  it("gives a push more time", async () => {
    const { port } = await start(holding, {
      readIdleTimeoutMs: 100,
      slowGraceMs: 100,
      receivePackIdleTimeoutMs: 5000,
      receivePackSlowGraceMs: 5000,
    });
    const client = new Client(port).send(request("/a", "git-receive-pack"));
    await sleep(500);
    client.socket.end();
    expect(await client.answer()).toBe("ready");
  });
});

describe("a client that leaves without a word", () => {
  it("is told from one that only sends no more, by the next byte sent to it", async () => {
    let doubted = false;
    let left = 0;
    const silent: GitService = async function* (call) {
      yield bytes("ready");
      while (call.mayBeGone?.() !== true) await sleep(20);
      doubted = true;
      const started = performance.now();
      while (!call.signal.aborted) {
        yield bytes(".");
        await sleep(50);
      }
      left = performance.now() - started;
    };
    const { port, lines } = await start(silent);
    const client = await running(port);
    expect(doubted).toBe(false);
    client.socket.destroy();
    await until(() => lines.length === 1);
    expect(doubted).toBe(true);
    expect(left).toBeLessThan(500);
    expect(lines[0]).toMatchObject({ outcome: "transport-tcp/gone" });
  });
});

describe("addresses", () => {
  it("listens on several, IPv6 too", async () => {
    const server = createTcpGitServer({
      service: holding,
      port: 0,
      addresses: [{ host: "127.0.0.1" }, { host: "::1" }, { host: "127.0.0.3" }],
    });
    onTestFinished(() => server.close());
    const { host, port, addresses } = await server.listen();
    expect(addresses.map((address) => address.host)).toEqual(["127.0.0.1", "::1", "127.0.0.3"]);
    expect({ host, port }).toEqual(addresses[0]);
    for (const address of addresses) {
      const client = new Client(address.port, { host: address.host }).send(request());
      await until(() => client.text === "ready");
      client.socket.destroy();
    }
  });

  it("opens all or none", async () => {
    const { port } = await start(holding);
    const addresses = [{ host: "127.0.0.2", port: 0 }, { port }];
    const server = createTcpGitServer({ service: holding, addresses });
    await expect(server.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await server.close();
  });

  it("does with those that can be had, if it is told of the others", async () => {
    const { port } = await start(holding);
    const failed: unknown[] = [];
    const onAddressFailure = (address: object, error: Error) => failed.push({ ...address, error });
    const server = createTcpGitServer({
      service: holding,
      addresses: [{ port }, { host: "127.0.0.2", port: 0 }],
      onAddressFailure,
    });
    onTestFinished(() => server.close());
    expect(await server.listen()).toMatchObject({ host: "127.0.0.2" });
    expect(failed).toMatchObject([{ port, error: { code: "EADDRINUSE" } }]);
    const none = createTcpGitServer({ service: holding, port, onAddressFailure });
    await expect(none.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("serveConnection", () => {
  it("serves what somebody else has accepted", async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const echo: GitService = async function* (call) {
      yield bytes(`${call.repository} ${call.peer.address} `);
      yield* call.input;
    };
    input.end(Buffer.concat([request("/a"), Buffer.from("more")]));
    const connection = Duplex.from({ readable: input, writable: output });
    await serveConnection(connection, { peer: { address: "192.0.2.7" } }, { service: echo });
    expect(output.read()?.toString()).toBe("/a 192.0.2.7 more");
  });
});
