import { type GitService, ServiceError } from "@x/server-core";
import { describe, expect, it } from "vitest";
import { Client, randomNumbers, request, sleep, start, until } from "./wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const hello: GitService = async function* () {
  yield bytes("hello");
};

/** A fresh client is served: the process lives, and so does everybody else's connection. */
async function expectAlive(port: number): Promise<void> {
  expect(await new Client(port).send(request()).answer()).toBe("hello");
}

describe("first bytes that are no request", () => {
  it.each([
    ["F1 an impossible length", "0003"],
    ["F2 letters that are no digits", "zzzz"],
    ["F2 a sign", "-001"],
    ["F2 another sign", "+0ff"],
    ["F2 a space", " 0ff"],
    ["F2 a prefix", "0x1f"],
    ["F2 a digit that is none", "00g1"],
    ["F3 the longest number", "ffff"],
    ["F3 one above the limit", "fff4"],
    ["F5 an empty packet", "0004"],
    ["F6 a delimiter", "0001"],
    ["F6 a response end", "0002"],
    ["a flush", "0000"],
    ["F10 HTTP", "GET / HTTP/1.0\r\n\r\n"],
    ["F10 TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"],
    ["F10 SSH", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["another service's packet", "000bwant xy"],
    ["P5 a line feed in the path", "001dgit-upload-pack /a\n/b\0\0\0\0\0"],
    ["a lone line feed", "0005\n"],
  ])("%s is answered and closed at once", async (_, text) => {
    const { port, lines } = await start(hello);
    const started = performance.now();
    const client = new Client(port).send(text);
    expect(await client.answer()).toMatch(/^00..ERR (?:protocol error|bad request line): [ -~]+$/);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(client.error).toBeUndefined();
    await until(() => lines.length === 1);
    expect(lines[0]?.outcome).toMatch(
      /^(?:pktline\/bad-length|pktline\/too-long|transport-tcp\/bad-request-line)$/,
    );
    await expectAlive(port);
  });

  it("F4 a packet that is cut short is told so", async () => {
    const { port } = await start(hello);
    const client = new Client(port).send("fff0git-upload");
    client.socket.end();
    expect(await client.answer()).toMatch(/^00..ERR protocol error: /);
  });

  it("F4 a packet that stalls ends with the init timeout, F7 and so does one that dribbles", async () => {
    const { port, lines } = await start(hello, { initTimeoutMs: 300 });
    const stalled = new Client(port).send("fff0git-upload");
    const silent = new Client(port);
    const dribbling = new Client(port);
    const line = request();
    let at = 0;
    const timer = setInterval(() => dribbling.socket.writable && dribbling.send(line.slice(at, ++at)), 50);
    const started = performance.now();
    for (const client of [stalled, silent, dribbling])
      expect(await client.answer()).toMatch(/^00..ERR no request within 300 ms$/);
    clearInterval(timer);
    expect(performance.now() - started).toBeLessThan(2000);
    await until(() => lines.length === 3);
    expect(lines.map((fields) => fields.outcome)).toEqual(Array(3).fill("transport-tcp/timeout"));
    await expectAlive(port);
  });

  it("a request line above the limit is refused", async () => {
    const { port } = await start(hello, { maxRequestLineBytes: 100 });
    expect(await new Client(port).send(request(`/${"a".repeat(200)}`)).answer()).toMatch(
      /^00..ERR the request line exceeds maxRequestLineBytes \(100\)$/,
    );
  });

  it("nothing at all ends quietly", async () => {
    const { port, lines } = await start(hello);
    const client = new Client(port);
    client.socket.end();
    expect(await client.answer()).toBe("");
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ outcome: "transport-tcp/gone" });
  });
});

describe("P1 paths and services that are none", () => {
  const missing: GitService = () => {
    throw new ServiceError("server-core/repository-not-found", "");
  };

  it.each(["/../x", "/a/../b", "//a", "/./a", "/a/.", "/a/..", "/a//", "a", "a/b", "/a\\..\\b", "../x", "."])(
    "%s never reaches the service, and reads like a repository that is missing",
    async (path) => {
      const { port } = await start(hello);
      const refused = await new Client(port).send(request(path)).answer();
      expect(refused.slice(4)).toBe(`ERR access denied or repository not exported: ${path}`);
      const other = await start(missing);
      expect(await new Client(other.port).send(request(path)).answer()).toBe(refused);
    },
  );

  it.each([
    ["/a/", "/a"],
    ["/a/b/", "/a/b"],
    ["/", "/"],
    ["~u/x", "~u/x"],
    ["/..a/b..", "/..a/b.."],
    ["/%2e%2e/x", "/%2e%2e/x"],
  ])("%s is asked for as %s", async (path, repository) => {
    const { port } = await start(async function* (call) {
      yield bytes(call.repository);
    });
    expect(await new Client(port).send(request(path)).answer()).toBe(repository);
  });

  it.each(["git-upload-archive-x", "git-shell", "git-daemon"])("%s is not served", async (service) => {
    const { port } = await start(hello);
    expect(await new Client(port).send(request("/a", service)).answer()).toMatch(
      /ERR access denied .*: \/a$/,
    );
  });
});

describe("P6 the host", () => {
  it("goes nowhere", async () => {
    const { port } = await start(async function* (call) {
      yield bytes(JSON.stringify([call.repository, Object.keys(call)]));
    });
    const answer = await new Client(port).send(request("/a", "git-upload-pack", "host=../../etc\0")).answer();
    expect(answer).not.toContain("etc");
  });
});

describe("clients that are slow, many, or gone", () => {
  it("C3 makes nothing faster than it is read", async () => {
    let made = 0;
    let release = () => {};
    const over = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port } = await start(async function* () {
      try {
        for (; made < 1000; made++) yield new Uint8Array(65536);
      } finally {
        release();
      }
    });
    const client = new Client(port, { reading: false }).send(request());
    await until(() => made > 0);
    await sleep(300);
    const before = made;
    // The kernel's two socket buffers may hold some megabytes; the server holds one chunk.
    expect(before).toBeLessThan(300);
    await sleep(200);
    expect(made).toBe(before);
    let received = 0;
    client.socket.on("data", (chunk) => {
      received += chunk.length;
    });
    client.socket.once("end", () => client.socket.end());
    await over;
    await client.closed;
    expect(received).toBe(1000 * 65536);
  });

  it("C3 drops a client that does not read for the write-idle timeout", async () => {
    let ended = false;
    const { port, lines } = await start(
      async function* () {
        try {
          for (;;) yield new Uint8Array(65536);
        } finally {
          ended = true;
        }
      },
      { writeIdleTimeoutMs: 200 },
    );
    new Client(port, { reading: false }).send(request());
    await until(() => lines.length === 1);
    expect(ended).toBe(true);
    expect(lines[0]).toMatchObject({
      outcome: "transport-tcp/timeout",
      reason: "the client did not read its answer for 200 ms",
    });
  });

  it("C2 drops a client that says nothing for the read-idle timeout, a pushing one later", async () => {
    const { port, lines } = await start(
      async function* (call) {
        for await (const chunk of call.input) yield chunk;
      },
      { readIdleTimeoutMs: 150, receivePackIdleTimeoutMs: 600 },
    );
    const started = performance.now();
    const fetching = new Client(port).send(request());
    const pushing = new Client(port).send(request("/a", "git-receive-pack"));
    expect(await fetching.answer()).toMatch(/ERR the client did not send anything for 150 ms$/);
    expect(performance.now() - started).toBeLessThan(500);
    expect(await pushing.answer()).toMatch(/ERR the client did not send anything for 600 ms$/);
    await until(() => lines.length === 2);
    expect(lines.map((fields) => fields.outcome)).toEqual(Array(2).fill("transport-tcp/timeout"));
  });

  it("gives a pushing client no more room than the service takes", async () => {
    let go = () => {};
    const started = new Promise<void>((resolve) => {
      go = resolve;
    });
    let taken = 0;
    const { port } = await start(async function* (call) {
      await started;
      for await (const chunk of call.input) taken += chunk.length;
      yield bytes("thanks");
    });
    const client = new Client(port).send(request());
    const size = 64 * 1024 * 1024;
    client.socket.write(new Uint8Array(size));
    client.socket.end();
    await sleep(300);
    expect(client.socket.writableLength).toBeGreaterThan(size / 2);
    go();
    expect(await client.answer()).toBe("thanks");
    expect(taken).toBe(size);
  });

  it("C4 turns away one connection too many, with a word", async () => {
    const { port, lines } = await start(
      async function* (call) {
        yield bytes("in");
        yield* call.input;
      },
      { maxConnections: 2 },
    );
    const guests = [new Client(port).send(request()), new Client(port).send(request())];
    await until(() => guests.every((guest) => guest.text === "in"));
    const third = new Client(port).send(request());
    expect(await third.answer()).toBe("001cERR too many connections");
    expect(third.error).toBeUndefined();
    guests[0]?.socket.end();
    await guests[0]?.closed;
    await until(() => lines.length === 2);
    const fourth = new Client(port).send(request());
    await until(() => fourth.text === "in");
    expect(lines.map((fields) => fields.outcome).sort()).toEqual([
      "ok",
      "transport-tcp/too-many-connections",
    ]);
  });

  it.each(["destroy", "resetAndDestroy"] as const)(
    "aborts within a second of a client's %s",
    async (leave) => {
      let aborted = 0;
      let ended = 0;
      const { port, lines } = await start(async function* (call) {
        call.signal.addEventListener("abort", () => {
          aborted = performance.now();
        });
        try {
          for (;;) {
            yield bytes("progress");
            await sleep(20);
          }
        } finally {
          ended = performance.now();
        }
      });
      const client = new Client(port).send(request());
      await until(() => client.text.length > 0);
      const left = performance.now();
      client.socket[leave]();
      await until(() => aborted > 0 && ended > 0 && lines.length === 1);
      expect(Math.max(aborted, ended) - left).toBeLessThan(1000);
      expect(lines[0]).toMatchObject({ outcome: "transport-tcp/gone" });
    },
  );

  it("aborts a silent service when the connection is reset", async () => {
    const { port, lines } = await start(async function* (call) {
      yield bytes("a");
      await new Promise((_, reject) =>
        call.signal.addEventListener("abort", () => reject(call.signal.reason)),
      );
    });
    const client = new Client(port).send(request());
    await until(() => client.text === "a");
    client.socket.resetAndDestroy();
    await until(() => lines.length === 1, 1000);
    expect(lines[0]).toMatchObject({ outcome: "transport-tcp/gone" });
  });

  it("C6 survives 200 resets at any byte", async () => {
    let open = 0;
    const { port, lines } = await start(async function* (call) {
      open++;
      try {
        yield new Uint8Array(30_000);
        for await (const chunk of call.input) yield chunk;
      } finally {
        open--;
      }
    });
    const wire = new Uint8Array([...request(), ...new Uint8Array(5000)]);
    const random = randomNumbers(11);
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        const client = new Client(port, { reading: random(2) === 0 });
        await new Promise((resolve) => client.socket.once("connect", resolve));
        client.send(wire.subarray(0, random(wire.length)));
        await sleep(random(50));
        client.socket.resetAndDestroy();
        await client.closed;
      }),
    );
    await until(() => lines.length === 200, 10_000);
    expect(open).toBe(0);
    const last = new Client(port).send(request()).send("end");
    await until(() => last.text.endsWith("end"));
  });
});
