import { encodePackets } from "@x/pktline";
import { type GitService, type ServiceCall, ServiceError, type ServiceErrorCode } from "@x/server-core";
import { describe, expect, it } from "vitest";
import { createTcpGitServer } from "../src/index.ts";
import { Client, request, sleep, start, until } from "./wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Says `ready`, then gives back what it reads. */
const echo: GitService = async function* (call) {
  yield bytes("ready ");
  yield* call.input;
};

function failing(error: unknown, first?: string): GitService {
  return async function* () {
    if (first !== undefined) yield bytes(first);
    throw error;
  };
}

const errPacket = (text: string) => new TextDecoder().decode(encodePackets([bytes(`ERR ${text}`)]));

describe("createTcpGitServer", () => {
  it("hands the request to the service, and its bytes back", async () => {
    let seen: ServiceCall | undefined;
    const { port, lines } = await start(async function* (call) {
      seen = call;
      yield* echo(call);
    });
    const client = new Client(port).send(request("/a/b.git")).send("0000 more");
    await until(() => client.text.length === 15);
    client.socket.end();
    expect(await client.answer()).toBe("ready 0000 more");
    expect(seen).toMatchObject({
      service: "git-upload-pack",
      repository: "/a/b.git",
      version: 2,
      mode: "duplex",
      transport: "git",
      peer: { address: "127.0.0.1" },
    });
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({
      peer: "127.0.0.1",
      transport: "git",
      service: "git-upload-pack",
      repository: "/a/b.git",
      version: 2,
      outcome: "ok",
      bytesOut: 15,
    });
  });

  it.each<[string, number]>([
    ["host=h\0", 0],
    ["host=h\0\0version=1\0", 1],
    ["host=h\0\0version=1\0version=2\0version=7\0", 2],
    ["host=h\0\0version=two\0__proto__=1\0", 0],
  ])("takes the version from %j", async (tail, version) => {
    const { port } = await start(async function* (call) {
      yield bytes(String(call.version));
    });
    const client = new Client(port).send(request("/a", "git-upload-pack", tail));
    expect(await client.answer()).toBe(String(version));
  });

  it("serves a client that has shut its writing side", async () => {
    const { port } = await start(async function* (call) {
      for await (const _ of call.input);
      await sleep(50);
      yield bytes("still here");
    });
    const client = new Client(port).send(request());
    client.socket.end();
    expect(await client.answer()).toBe("still here");
    expect(client.error).toBeUndefined();
  });

  it("takes a request that comes byte by byte", async () => {
    const { port } = await start(echo);
    const client = new Client(port);
    client.socket.setNoDelay(true);
    for (const byte of request()) {
      client.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    client.socket.end("x");
    expect(await client.answer()).toBe("ready x");
  });

  it("ignores what comes after the service has ended", async () => {
    const { port, lines } = await start(async function* () {
      yield bytes("done");
    });
    const client = new Client(port).send(request()).send("0000".repeat(1000));
    expect(await client.answer()).toBe("done");
    expect(client.error).toBeUndefined();
    await until(() => lines.length === 1);
  });

  it("does not lose its last bytes to a client that is still sending", async () => {
    const report = "x".repeat(100_000);
    const { port } = await start(async function* () {
      yield bytes(report);
    });
    for (let round = 0; round < 20; round++) {
      const client = new Client(port).send(request());
      client.send(new Uint8Array(1_000_000));
      expect((await client.answer()).length).toBe(report.length);
      expect(client.error).toBeUndefined();
    }
  });

  it("cuts off a client that never stops sending", async () => {
    const limits = { maxLingerBytes: 1_000_000, lingerTimeoutMs: 5000 };
    const { port, lines } = await start(failing(new Error("x")), limits);
    const started = performance.now();
    const client = new Client(port).send(request());
    const more = () => {
      while (client.socket.writable && client.socket.write(Buffer.alloc(65536)));
    };
    client.socket.on("drain", more);
    more();
    await client.closed;
    await until(() => lines.length === 1);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("errors of the service", () => {
  const denied = "access denied or repository not exported: /demo.git";
  it.each<[ServiceErrorCode, string]>([
    ["server-core/repository-not-found", denied],
    ["server-core/service-disabled", denied],
    ["server-core/repository-unusable", "why"],
    ["server-core/protocol", "why"],
    ["server-core/refused", "why"],
    ["server-core/limit-exceeded", "why"],
    ["server-core/internal", "internal server error"],
  ])("%s becomes an ERR packet", async (code, text) => {
    const { port, lines } = await start(failing(new ServiceError(code, "why")));
    expect(await new Client(port).send(request()).answer()).toBe(errPacket(text));
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ outcome: code, reason: "why", repository: "/demo.git" });
  });

  it("says nothing of what was reported already", async () => {
    const error = new ServiceError("server-core/refused", "why", { reported: true });
    const { port, lines } = await start(failing(error, "said"));
    expect(await new Client(port).send(request()).answer()).toBe("said");
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ outcome: "server-core/refused" });
  });

  it.each([
    ["an Error", new Error("secret path")],
    ["no Error at all", "secret"],
    ["nothing", undefined],
  ])("says no more than it must of %s", async (_, thrown) => {
    const { port, lines } = await start(failing(thrown));
    expect(await new Client(port).send(request()).answer()).toBe(errPacket("internal server error"));
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ outcome: "internal" });
  });

  it("survives a service that throws before it starts", async () => {
    const { port } = await start(() => {
      throw new Error("at once");
    });
    expect(await new Client(port).send(request()).answer()).toBe(errPacket("internal server error"));
  });

  it("keeps control characters out of the answer", async () => {
    const { port } = await start(failing(new ServiceError("server-core/protocol", "a\nb\u001b[2J\0c")));
    expect(await new Client(port).send(request()).answer()).toBe(errPacket("a?b?[2J?c"));
  });

  it("echoes at most 256 bytes of a path, and no half character", async () => {
    const { port } = await start(failing(new ServiceError("server-core/repository-not-found", "")));
    const answer = await new Client(port).send(request(`/${"ä".repeat(1000)}`)).answer();
    expect(Buffer.from(answer, "latin1").toString("utf8")).toBe(
      `0131ERR access denied or repository not exported: /${"ä".repeat(127)}`,
    );
  });
});

describe("close", () => {
  it("lets a running request end", async () => {
    const { port, server } = await start(async function* () {
      yield bytes("a");
      await sleep(200);
      yield bytes("b");
    });
    const client = new Client(port).send(request());
    await until(() => client.text === "a");
    await server.close({ graceMs: 5000 });
    expect(await client.answer()).toBe("ab");
  });

  it("aborts what does not end in time, and tells it", async () => {
    let aborted = false;
    const { port, server } = await start(async function* (call) {
      yield bytes("a");
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      aborted = true;
      throw new ServiceError("server-core/aborted", "called off");
    });
    const client = new Client(port).send(request());
    await until(() => client.text === "a");
    await server.close({ graceMs: 50 });
    expect(aborted).toBe(true);
    expect(await client.answer()).toBe(`a${errPacket("the server is shutting down")}`);
  });

  it("does not wait for a service that never ends, nor for a client that never asks", async () => {
    const { port, server } = await start(async function* () {
      yield bytes("a");
      await new Promise(() => {});
    });
    const stuck = new Client(port).send(request());
    await until(() => stuck.text === "a");
    const idle = new Client(port);
    await until(() => idle.socket.readyState === "open");
    const started = performance.now();
    await server.close({ graceMs: 100 });
    expect(performance.now() - started).toBeLessThan(3000);
    await Promise.all([stuck.closed, idle.closed]);
  });

  it("takes no more connections, and frees the port", async () => {
    const { port, server } = await start(echo);
    await server.close();
    const client = new Client(port);
    await client.closed;
    expect(client.error?.code).toBe("ECONNREFUSED");
    const again = createTcpGitServer({ service: echo, port });
    expect(await again.listen()).toMatchObject({ host: "127.0.0.1", port });
    const third = createTcpGitServer({ service: echo, port });
    await expect(third.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await third.close();
    await again.close();
  });
});
