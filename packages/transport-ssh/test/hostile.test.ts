import { createServer } from "node:net";
import type { GitService } from "@x/server-core";
import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";
import { ADA, bytes, echo, exec, listen, logIn, MALLORY, raw, run, start, until } from "./rig.ts";

const COMMAND = "git-upload-pack '/demo.git'";

/** Makes without end, and counts. */
function endless(): { service: GitService; made: () => number; ended: () => boolean } {
  let made = 0;
  let ended = false;
  const service: GitService = async function* () {
    try {
      for (;;) {
        made += 65_536;
        yield new Uint8Array(65_536);
      }
    } finally {
      ended = true;
    }
  };
  return { service, made: () => made, ended: () => ended };
}

/** Never says anything, and never ends by itself. */
const silent: GitService = async function* (call) {
  yield bytes("x");
  for await (const _ of call.input);
};

describe("time", () => {
  it("C1 is short for who says nothing", async () => {
    const { port, lines } = await start(echo, { handshakeTimeoutMs: 200 });
    const started = performance.now();
    expect(await raw(port).closed).toMatch(/^SSH-2.0-xgit\r\n/);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(lines).toEqual([expect.objectContaining({ outcome: "transport-ssh/timeout" })]);
  });

  it("C2 is as short for who says it a byte at a time", async () => {
    const { port } = await start(echo, { handshakeTimeoutMs: 300 });
    const { socket, closed } = raw(port);
    const text = "SSH-2.0-slow\r\n";
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++ % text.length] as string), 20);
    await closed;
    clearInterval(timer);
  });

  it("is short for who does not log in", async () => {
    const { port, lines } = await start(echo, { authTimeoutMs: 200 });
    const started = performance.now();
    const never = logIn(port, { privateKey: undefined, authHandler: () => undefined });
    await expect(never).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(3000);
    expect(lines[0]).toMatchObject({ reason: "the client did not log in within 200 ms" });
  });

  it("is up for a connection without a command", async () => {
    const { port } = await start(echo, { idleTimeoutMs: 300 });
    const client = await logIn(port);
    const closed = new Promise((resolve) => client.once("close", resolve));
    client.on("error", () => {});
    await run(client, COMMAND);
    const started = performance.now();
    await closed;
    expect(performance.now() - started).toBeGreaterThan(250);
  });

  it("is up for a client that the service waits for, later for one that pushes", async () => {
    const { port } = await start(silent, { readIdleTimeoutMs: 200, receivePackIdleTimeoutMs: 900 });
    const client = await logIn(port);
    for (const [command, ms] of [
      [COMMAND, 200],
      ["git-receive-pack 'x'", 900],
    ] as const) {
      const started = performance.now();
      const channel = await exec(client, command);
      let stderr = "";
      channel.resume();
      channel.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      await new Promise((resolve) => channel.once("close", resolve));
      expect(stderr).toBe(`fatal: the client did not send anything for ${ms} ms\n`);
      expect(performance.now() - started).toBeGreaterThan(ms - 20);
    }
  });

  it.each([
    [COMMAND, { slowGraceMs: 600, receivePackSlowGraceMs: 60_000 }],
    ["git-receive-pack 'x'", { slowGraceMs: 60_000, receivePackSlowGraceMs: 600 }],
  ])("C2 is up for a client that sends a byte now and then, after %s", async (command, grace) => {
    const limits = { readIdleTimeoutMs: 200, receivePackIdleTimeoutMs: 200, minBytesPerSecond: 1000 };
    const { port, lines } = await start(silent, { ...limits, ...grace });
    const channel = await exec(await logIn(port), command);
    const heard = listen(channel);
    const timer = setInterval(() => channel.write("x"), 50);
    const started = performance.now();
    const { stderr, status } = await heard;
    clearInterval(timer);
    expect([stderr, status]).toEqual(["fatal: the client sent less than 1000 bytes a second\n", 128]);
    expect(performance.now() - started).toBeGreaterThan(450);
    expect(performance.now() - started).toBeLessThan(2500);
    expect(lines).toEqual([
      expect.objectContaining({ message: "connection", outcome: "transport-ssh/timeout" }),
    ]);
  });

  it("C2 is not up for one that sends enough, nor while the service does not ask", async () => {
    const slow: GitService = async function* (call) {
      let bytesIn = 0;
      for await (const { length } of call.input) {
        bytesIn += length;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      yield bytes(String(bytesIn));
    };
    const limits = { readIdleTimeoutMs: 400, slowGraceMs: 300, minBytesPerSecond: 1000 };
    const { port } = await start(slow, limits);
    const channel = await exec(await logIn(port), COMMAND);
    const heard = listen(channel);
    for (let i = 0; i < 12; i++) {
      channel.write("x".repeat(200));
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    channel.end();
    expect(await heard).toMatchObject({ stdout: "2400", status: 0 });
  });

  it("is up for a client that does not answer any more", async () => {
    const { port } = await start(silent, { keepaliveMs: 50 });
    const client = await logIn(port);
    client.on("error", () => {});
    const channel = await exec(client, COMMAND);
    channel.resume();
    client._sock.pause();
    const stopped = performance.now();
    await until(() => client._sock.bytesRead > 0 && performance.now() - stopped > 600);
    client._sock.resume();
    await new Promise((resolve) => client.once("close", resolve));
  });
});

describe("C3 a client that does not read", () => {
  it.each([
    ["keeps its window", 0],
    ["opens its window wide", 2 ** 32 - 2 ** 22],
  ])("and %s holds little, and is dropped", async (_, window) => {
    const { service, made, ended } = endless();
    const { port } = await start(service, { writeIdleTimeoutMs: 700, maxQueuedBytes: 262_144 });
    const client = await logIn(port);
    client.on("error", () => {});
    const channel = await exec(client, COMMAND);
    if (window > 0) client._protocol.channelWindowAdjust(channel.outgoing.id, window);
    await new Promise((resolve) => setTimeout(resolve, 50));
    client._sock.pause();
    let before = -1;
    while (before !== made()) {
      before = made();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What it has taken before, 2 MiB of window and what the kernel buffers of the two sockets hold.
    expect(made() - client._sock.bytesRead).toBeLessThan(12 * 1024 * 1024);
    expect(ended()).toBe(false);
    await until(ended);
  });

  it("while it lets keys be exchanged without end, holds little too", async () => {
    const { service, made, ended } = endless();
    const { port } = await start(service, { writeIdleTimeoutMs: 700 });
    const client = await logIn(port);
    client.on("error", () => {});
    const channel = await exec(client, COMMAND);
    client._protocol.channelWindowAdjust(channel.outgoing.id, 2 ** 32 - 2 ** 22);
    channel.resume();
    await until(() => made() > 1e6);
    // The client asks for new keys, and then says nothing more.
    client._protocol.rekey();
    client._sock.write = () => true;
    let before = -1;
    while (before !== made()) {
      before = made();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const heap = process.memoryUsage().arrayBuffers;
    expect(heap).toBeLessThan(64 * 1024 * 1024);
    await until(ended);
  });
});

describe("a client that breaks the rules", () => {
  it.each([0, 1, 1023])("by packets of %d bytes is dropped, before they are made", async (packetSize) => {
    const { service, made } = endless();
    const { port, lines } = await start(service);
    const client = await logIn(port);
    client.on("error", () => {});
    const closed = new Promise((resolve) => client.once("close", resolve));
    const id = client._chanMgr.add(() => {});
    client._protocol.session(id, 2 ** 31, packetSize);
    await new Promise((resolve) => setTimeout(resolve, 100));
    client._protocol.exec(0, COMMAND, true);
    await closed;
    expect(made()).toBe(0);
    expect(lines[0]).toMatchObject({ reason: "the client takes too little at a time" });
  });

  it("by more than its window is dropped", async () => {
    const { port } = await start(async function* (call) {
      yield bytes("x");
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    });
    const client = await logIn(port);
    client.on("error", () => {});
    const channel = await exec(client, COMMAND);
    let closed = false;
    client.once("close", () => {
      closed = true;
    });
    const chunk = Buffer.alloc(32_000);
    for (let i = 0; i < 1000 && !closed; i++) {
      client._protocol.channelData(channel.outgoing.id, chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => closed);
  });

  it("by too many keys is dropped", async () => {
    const { port, lines } = await start(echo, { maxAuthAttempts: 3 });
    const keys = Array.from({ length: 6 }, () => ssh2.utils.generateKeyPairSync("ed25519").private);
    const attempts = keys.map((key) => ({ type: "publickey", username: "git", key }));
    const never = logIn(port, { privateKey: undefined, authHandler: [...attempts] });
    await expect(never).rejects.toThrow();
    expect(lines).toEqual([expect.objectContaining({ reason: "too many keys were tried" })]);
  });

  it("by too many channels gets no more of them", async () => {
    const { port } = await start(silent, { maxSessions: 3 });
    const client = await logIn(port);
    const channels = await Promise.all([1, 2, 3].map(() => exec(client, COMMAND)));
    await expect(exec(client, COMMAND)).rejects.toThrow();
    channels[0]?.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await exec(client, COMMAND);
  });

  it("by asking and asking without listening is dropped", async () => {
    const { port } = await start(silent, { maxQueuedBytes: 100_000, writeIdleTimeoutMs: 300 });
    const client = await logIn(port);
    client.on("error", () => {});
    let closed = false;
    client._sock.once("close", () => {
      closed = true;
    });
    client._sock.pause();
    // Once the server takes no more, the questions stay here.
    while (!closed && client._sock.writableLength < 4e6) {
      for (let k = 0; k < 500; k++) client._protocol.session(k, 1, 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // A paused socket does not see the end; writing does.
    const timer = setInterval(() => client._sock.write("x"), 50);
    await until(() => closed);
    clearInterval(timer);
  });
});

describe("C4 connections", () => {
  it("above the limit are told so, and one that ends makes room", async () => {
    const { port, lines } = await start(echo, { maxConnections: 2 });
    const first = await logIn(port);
    await logIn(port);
    expect(await raw(port).closed).toBe("too many connections\r\n");
    expect(lines[0]).toMatchObject({ outcome: "transport-ssh/too-many-connections" });
    first.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await logIn(port);
  });

  it.each([
    ["full", { maxConnections: 1 }],
    ["address", { maxConnectionsPerAddress: 1 }],
    ["early", { maxUnauthenticated: 1 }],
    ["early-address", { maxUnauthenticatedPerAddress: 1 }],
  ] as const)("that are turned away are told of: %s", async (reason, limits) => {
    const told: object[] = [];
    const connectionRefused = (labels: object) => void told.push(labels);
    const { port } = await start(echo, limits, undefined, { connectionRefused });
    const { socket } = raw(port);
    await new Promise((resolve) => socket.once("data", resolve));
    await raw(port).closed;
    expect(told).toEqual([{ transport: "ssh", reason }]);
  });

  it("of one address have a share", async () => {
    const { port } = await start(echo, { maxConnectionsPerAddress: 1 });
    await logIn(port);
    expect(await raw(port).closed).toBe("too many connections\r\n");
  });

  it("of one address that do not log in have a share", async () => {
    const { port } = await start(echo, { maxUnauthenticatedPerAddress: 2 });
    const early = [raw(port), raw(port)];
    await Promise.all(early.map(({ socket }) => new Promise((resolve) => socket.once("data", resolve))));
    expect(await raw(port).closed).toBe("too many connections\r\n");
    early[0]?.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const client = await logIn(port);
    // Whoever has logged in takes no such place any more.
    await new Promise((resolve) => raw(port).socket.once("data", resolve));
    expect(await run(client, COMMAND, { input: "x" })).toMatchObject({ stdout: "x" });
  });

  it("that do not log in leave room for those that have", async () => {
    const { port } = await start(echo, { maxUnauthenticated: 1 });
    const client = await logIn(port);
    const { socket } = raw(port);
    await new Promise((resolve) => socket.once("data", resolve));
    expect(await raw(port).closed).toBe("too many connections\r\n");
    expect(await run(client, COMMAND, { input: "x" })).toMatchObject({ stdout: "x" });
  });
});

describe("C6 what comes in", () => {
  it.each([
    "GET / HTTP/1.1\r\n\r\n",
    "\0".repeat(100_000),
    "SSH-1.5-old\r\n",
    `SSH-2.0-x\r\n${"\xff".repeat(4096)}`,
  ])("may be junk (%#)", async (junk) => {
    const { port } = await start(echo, { handshakeTimeoutMs: 500 });
    const { socket, closed } = raw(port);
    socket.write(junk, "latin1");
    await closed;
    expect(await run(await logIn(port), COMMAND, { input: "fine" })).toMatchObject({ stdout: "fine" });
  });

  it("may break off at any byte", async () => {
    const { port } = await start(echo);
    // A real conversation through a proxy that resets both sides after some bytes.
    for (let i = 0; i < 30; i++) {
      let left = 1 + i * 180;
      const proxy = createServer((near) => {
        const far = raw(port).socket;
        const end = () => {
          near.resetAndDestroy();
          far.resetAndDestroy();
        };
        near.on("error", end).on("close", end);
        far.on("close", end);
        near.on("data", (chunk) => {
          far.write(chunk.subarray(0, left));
          left -= chunk.length;
          if (left <= 0) end();
        });
        far.on("data", (chunk) => near.write(chunk));
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      const address = proxy.address() as { port: number };
      await logIn(address.port)
        .then((client) => {
          client.on("error", () => {});
          return Promise.race([
            run(client, COMMAND, { input: "x".repeat(2000) }),
            new Promise((resolve) => client.once("close", resolve)),
          ]).finally(() => client.destroy());
        })
        .catch(() => {});
      await new Promise((resolve) => proxy.close(resolve));
    }
    expect(await run(await logIn(port), COMMAND, { input: "fine" })).toMatchObject({ stdout: "fine" });
  });

  it("is refused from a key that is not known, with nothing run", async () => {
    let calls = 0;
    const { port } = await start((call) => {
      calls++;
      return echo(call);
    });
    await expect(logIn(port, { privateKey: MALLORY.private })).rejects.toThrow();
    await logIn(port, { privateKey: ADA.private });
    expect(calls).toBe(0);
  });
});
