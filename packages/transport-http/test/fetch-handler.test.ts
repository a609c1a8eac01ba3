import { encodePackets, PktLineError } from "@x/pktline";
import { type ServiceCall, ServiceError, type ServiceErrorCode } from "@x/server-core";
import { describe, expect, it } from "vitest";
import type { FetchHandler } from "../src/index.ts";
import { type Body, bytes, discovery, echo, handlerOf, measure, pieces, post } from "./handler.ts";

const NO_CACHE = {
  "cache-control": "no-cache, max-age=0, must-revalidate",
  expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  pragma: "no-cache",
};

const hello = () => pieces([bytes("hello"), bytes(" world")]);

describe("discovery", () => {
  it.each([
    ["git-upload-pack", undefined, 0, "001e# service=git-upload-pack\n0000hello world"],
    ["git-upload-pack", "version=1", 1, "001e# service=git-upload-pack\n0000hello world"],
    ["git-upload-pack", "version=2", 2, "hello world"],
    ["git-receive-pack", undefined, 0, "001f# service=git-receive-pack\n0000hello world"],
    ["git-receive-pack", "version=2", 2, "001f# service=git-receive-pack\n0000hello world"],
  ])("of %s with %s", async (service, header, version, body) => {
    let call: ServiceCall | undefined;
    const { handler, lines } = handlerOf((given) => {
      call = given;
      return hello();
    });
    const response = await handler(discovery(service, header), { peer: { address: "10.0.0.1" } });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...NO_CACHE,
      "content-type": `application/x-${service}-advertisement`,
    });
    expect(await response.text()).toBe(body);
    expect(call).toMatchObject({
      service,
      version,
      repository: "/demo.git",
      mode: "advertise",
      transport: "http",
    });
    expect(call?.peer).toEqual({ address: "10.0.0.1" });
    expect(lines).toEqual([
      expect.objectContaining({
        peer: "10.0.0.1",
        service,
        version,
        status: 200,
        outcome: "ok",
        bytesOut: body.length,
      }),
    ]);
  });

  it("has the prefix for a service that says nothing", async () => {
    const { handler } = handlerOf(() => pieces([]));
    expect(await (await handler(discovery())).text()).toBe("001e# service=git-upload-pack\n0000");
  });

  it("answers HEAD like GET, without a body, and lets the service go", async () => {
    let ended = false;
    const { handler, lines } = handlerOf(async function* () {
      try {
        yield bytes("a");
        yield bytes("b");
      } finally {
        ended = true;
      }
    });
    const response = await handler(discovery("git-upload-pack", undefined, "HEAD"));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-git-upload-pack-advertisement");
    expect(response.body).toBeNull();
    expect(ended).toBe(true);
    expect(lines).toHaveLength(1);
  });

  it("believes the raw target, not the URL", async () => {
    const { handler } = handlerOf(hello);
    const request = new Request("http://host/a/%2e%2e/demo.git/info/refs?service=git-upload-pack");
    expect(request.url).toBe("http://host/demo.git/info/refs?service=git-upload-pack");
    const rawTarget = "/a/%2e%2e/demo.git/info/refs?service=git-upload-pack";
    expect((await handler(request, { rawTarget })).status).toBe(404);
  });
});

describe("a call", () => {
  it("gives the body to the service and its bytes back", async () => {
    const { handler, lines } = handlerOf(echo);
    const response = await handler(post("0000 and more"));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...NO_CACHE,
      "content-type": "application/x-git-upload-pack-result",
    });
    expect(await response.text()).toBe("0000 and more");
    expect(lines).toEqual([expect.objectContaining({ outcome: "ok", bytesIn: 13, bytesOut: 13 })]);
  });

  it("H7 answers the probe 0000 with 200 and nothing", async () => {
    for (const service of ["git-upload-pack", "git-receive-pack"]) {
      const { handler } = handlerOf(async function* (call) {
        for await (const chunk of call.input) if (new TextDecoder().decode(chunk) !== "0000") yield chunk;
      });
      const response = await handler(post("0000", { service }));
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
    }
  });

  it("takes an absent body for an empty one", async () => {
    const { handler } = handlerOf(measure);
    expect(await (await handler(post(null))).text()).toBe("0");
  });

  it.each([
    ["none", undefined],
    ["text/plain", "text/plain"],
    ["the other service's", "application/x-git-receive-pack-request"],
    ["one with a parameter", "application/x-git-upload-pack-request; charset=utf-8"],
    ["another case", "Application/X-Git-Upload-Pack-Request"],
    ["a form", "application/x-www-form-urlencoded"],
  ])("H5 refuses a content type: %s", async (_, type) => {
    const { handler, lines } = handlerOf(echo);
    const request = post(bytes("x"));
    request.headers.delete("content-type");
    if (type !== undefined) request.headers.set("content-type", type);
    expect((await handler(request)).status).toBe(415);
    expect(lines).toEqual([expect.objectContaining({ status: 415, outcome: "refused" })]);
  });

  it.each([
    ["GET", "/a/git-upload-pack", 405, "POST"],
    ["DELETE", "/a/info/refs", 405, "GET, HEAD"],
    ["GET", "/a/info/refs", 403, null],
    ["GET", "/a/HEAD", 404, null],
    ["GET", "/a/info/refs?service=git-x&service=git-y", 400, null],
    ["GET", "/a/info/refs?service=git-upload-archive", 403, null],
  ])("%s %s is %i", async (method, target, status, allow) => {
    const { handler, lines } = handlerOf(hello);
    const response = await handler(new Request(`http://host${target}`, { method }));
    expect(response.status).toBe(status);
    expect(response.headers.get("allow")).toBe(allow);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe(NO_CACHE["cache-control"]);
    expect(await response.text()).toMatch(/^[ -~]+\n$/);
    expect(lines).toEqual([expect.objectContaining({ status, target, outcome: "refused" })]);
  });
});

describe("request bodies", () => {
  const gzipped = async (data: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
    const stream = new Response(data).body?.pipeThrough(new CompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const send = async (handler: FetchHandler, body: Body, encoding: string, headers = {}) => {
    const response = await handler(post(body, { headers: { "content-encoding": encoding, ...headers } }));
    return [response.status, await response.text()] as const;
  };

  it.each(["gzip", "x-gzip", "GZIP"])("%s is inflated", async (encoding) => {
    const { handler, lines } = handlerOf(echo);
    const body = await gzipped("0000 hello");
    expect(await send(handler, body, encoding)).toEqual([200, "0000 hello"]);
    expect(lines).toEqual([expect.objectContaining({ bytesIn: body.length, bytesOut: 10 })]);
  });

  it("gzip is inflated however it is cut", async () => {
    const { handler } = handlerOf(measure);
    const body = await gzipped("a".repeat(100_000));
    const cut = pieces(Array.from(body, (byte) => Uint8Array.of(byte)));
    expect(await send(handler, cut, "gzip")).toEqual([200, "100000"]);
  });

  it("H2 one gzip member is a body, and what comes behind it makes a bad one", async () => {
    const member = await gzipped("0000 hello");
    for (const more of [await gzipped("x"), await gzipped(""), Uint8Array.of(1)]) {
      const body = new Uint8Array([...member, ...more]);
      for (const sent of [body, pieces(Array.from(body, (byte) => Uint8Array.of(byte)))])
        expect(await send(handlerOf(measure).handler, sent, "gzip")).toEqual([
          400,
          "the body is not a whole gzip stream\n",
        ]);
    }
  });

  it("others get their turn while much comes out of little", async () => {
    const { handler } = handlerOf(measure);
    const body = await gzipped(new Uint8Array(30 * 1024 * 1024));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    expect(await send(handler, body, "gzip")).toEqual([200, String(30 * 1024 * 1024)]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  it.each(["deflate", "br", "gzip, gzip", "zstd", "gzip;q=1", "x"])("H2 %s is refused", async (encoding) => {
    const { handler } = handlerOf(echo);
    expect((await send(handler, "x", encoding))[0]).toBe(415);
  });

  it("H2 a gzip stream that is cut, damaged or none is a bad request", async () => {
    const { handler, lines } = handlerOf(measure);
    const body = await gzipped(crypto.getRandomValues(new Uint8Array(20_000)));
    const damaged = body.slice();
    damaged.fill(0, 5000, 6000);
    for (const bad of [
      body.subarray(0, 9000),
      body.subarray(0, 5),
      body.subarray(0, -1),
      damaged,
      bytes("0000"),
    ]) {
      const [status, text] = await send(handler, bad, "gzip");
      expect([status, text]).toEqual([400, "the body is not a whole gzip stream\n"]);
    }
    expect(lines.every((line) => line.outcome === "transport-http/bad-body")).toBe(true);
  });

  it("H1 a gzip bomb is cut off while it streams", async () => {
    const { handler } = handlerOf(measure, { limits: { maxInflatedBytes: 1_000_000 } });
    const body = await gzipped(new Uint8Array(64 * 1024 * 1024));
    let given = 0;
    const counted = pieces(
      (function* () {
        for (let at = 0; at < body.length; at += 512) {
          given = at;
          yield body.slice(at, at + 512);
        }
      })(),
    );
    expect(await send(handler, counted, "gzip")).toEqual([
      413,
      "the request body exceeds maxInflatedBytes (1000000 bytes)\n",
    ]);
    expect(given).toBeLessThan(body.length / 2);
  });

  it.each(["identity", "gzip"])("%s bodies are limited on the wire, for fetches", async (encoding) => {
    const { handler } = handlerOf(measure, { limits: { maxFetchRequestBytes: 50_000 } });
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    const body = encoding === "gzip" ? await gzipped(noise) : noise;
    const text = "the request body exceeds maxFetchRequestBytes (50000 bytes)\n";
    expect(await send(handler, pieces([body.subarray(0, 30_000), body.subarray(30_000)]), encoding)).toEqual([
      413,
      text,
    ]);
    const push = () => post(body, { service: "git-receive-pack", headers: { "content-encoding": encoding } });
    expect(await (await handler(push())).text()).toBe("60000");
    const { handler: other } = handlerOf(measure, { limits: { maxPushRequestBytes: 50_000 } });
    const refused = await other(push());
    expect([refused.status, await refused.text()]).toEqual([
      413,
      "the request body exceeds maxPushRequestBytes (50000 bytes)\n",
    ]);
  });

  it("a body that announces too much is refused unread", async () => {
    const { handler } = handlerOf(() => {
      throw new Error("not reached");
    });
    for (const length of ["10485761", "99999999999999999999", "Infinity"]) {
      const request = post(new ReadableStream(), { headers: { "content-length": length } });
      expect((await handler(request)).status).toBe(413);
    }
  });

  it("a gzip body that breaks, too", async () => {
    const { handler, lines } = handlerOf(measure);
    const body = await gzipped("hello");
    let given = false;
    const breaking = new ReadableStream({
      pull(controller) {
        if (given) controller.error(new Error("reset"));
        else controller.enqueue(body.subarray(0, 8));
        given = true;
      },
    });
    expect((await send(handler, breaking, "gzip"))[0]).toBe(400);
    expect(lines).toEqual([expect.objectContaining({ outcome: "transport-http/gone" })]);
  });

  it("a fault of the body is told even when the service answers all the same", async () => {
    const { handler } = handlerOf(
      async function* (call) {
        try {
          for await (const _ of call.input);
        } catch {
          yield bytes("never mind");
        }
      },
      { limits: { maxFetchRequestBytes: 10 } },
    );
    const response = await handler(post("0123456789a"));
    expect([response.status, await response.text()]).toEqual([
      413,
      "the request body exceeds maxFetchRequestBytes (10 bytes)\n",
    ]);
  });

  it("a body that breaks is told as what it is, not as bad gzip", async () => {
    const { handler, lines } = handlerOf(measure);
    const breaking = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
    expect((await handler(post(breaking))).status).toBe(400);
    expect(lines).toEqual([expect.objectContaining({ outcome: "transport-http/gone" })]);
  });

  it("the rest of a body is let go when the service has ended", async () => {
    let cancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => {
        cancelled = true;
      },
    });
    const { handler } = handlerOf(async function* (call) {
      await call.input[Symbol.asyncIterator]().next();
      yield bytes("enough");
    });
    expect(await (await handler(post(endless))).text()).toBe("enough");
    expect(cancelled).toBe(true);
  });
});

describe("errors of the service", () => {
  it.each<[ServiceErrorCode, number, string]>([
    ["server-core/repository-not-found", 404, "Repository not found\n"],
    ["server-core/service-disabled", 403, "Service not enabled: git-upload-pack\n"],
    ["server-core/repository-unusable", 500, "why ?[2J\n"],
    ["server-core/protocol", 400, "why ?[2J\n"],
    ["server-core/refused", 403, "why ?[2J\n"],
    ["server-core/limit-exceeded", 413, "why ?[2J\n"],
    ["server-core/aborted", 503, "The request was called off\n"],
    ["server-core/internal", 500, "Internal server error\n"],
  ])("%s before the first byte is %i", async (code, status, text) => {
    const { handler, lines } = handlerOf(() => {
      throw new ServiceError(code, "why \u001b[2J");
    });
    for (const request of [discovery(), post("0000")]) {
      const response = await handler(request);
      expect([response.status, await response.text()]).toEqual([status, text]);
    }
    const head = await handler(discovery("git-upload-pack", undefined, "HEAD"));
    expect([head.status, await head.text()]).toEqual([status, ""]);
    expect(lines[0]).toMatchObject({ status, outcome: code, repository: "/demo.git" });
  });

  it.each([
    ["an Error", new Error("secret"), 500],
    ["a text", "secret", 500],
    ["nothing", undefined, 500],
    ["a framing error", new PktLineError("pktline/bad-length", "bad length"), 400],
  ])("%s thrown before the first byte", async (_, thrown, status) => {
    const { handler } = handlerOf(() => {
      throw thrown;
    });
    const response = await handler(discovery());
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain("secret");
  });

  it("one that was reported stays a 200 with its body", async () => {
    const { handler, lines } = handlerOf(async function* () {
      yield bytes("000aERR no");
      throw new ServiceError("server-core/refused", "no", { reported: true });
    });
    const response = await handler(post("0000"));
    expect([response.status, await response.text()]).toEqual([200, "000aERR no"]);
    expect(lines).toEqual([
      expect.objectContaining({ status: 200, outcome: "server-core/refused", reason: "no" }),
    ]);
  });

  it.each([
    [new ServiceError("server-core/protocol", "why"), "why"],
    [new Error("secret"), "internal server error"],
  ])("%s after the first byte becomes an ERR packet", async (thrown, text) => {
    const { handler } = handlerOf(async function* () {
      yield bytes("0000");
      throw thrown;
    });
    const body = await (await handler(post("0000"))).text();
    expect(body).toBe(`0000${new TextDecoder().decode(encodePackets([`ERR ${text}`]))}`);
  });

  it("an abort after the first byte breaks the body off: nobody may take it for whole", async () => {
    const { handler } = handlerOf(async function* () {
      yield bytes("0000");
      throw new ServiceError("server-core/aborted", "closing");
    });
    await expect((await handler(post("0000"))).text()).rejects.toThrow("closing");
  });
});

describe("the reader's pace", () => {
  it("nothing is made before it is asked for, and nothing after it is left", async () => {
    let made = 0;
    let signal: AbortSignal | undefined;
    let ended = false;
    const { handler, lines } = handlerOf(async function* (call) {
      signal = call.signal;
      try {
        for (;;) {
          made++;
          yield new Uint8Array(10);
        }
      } finally {
        ended = true;
      }
    });
    const response = await handler(post("0000"));
    expect(made).toBe(1);
    const reader = response.body?.getReader();
    for (let i = 0; i < 5; i++) await reader?.read();
    expect(made).toBe(5);
    await reader?.cancel("enough");
    expect(signal?.aborted).toBe(true);
    expect(ended).toBe(true);
    expect(lines).toEqual([expect.objectContaining({ outcome: "server-core/aborted", bytesOut: 50 })]);
  });

  it("an abort of the request reaches the service, also before its first byte", async () => {
    const controller = new AbortController();
    const { handler } = handlerOf(async function* (call) {
      await new Promise((_, reject) =>
        call.signal.addEventListener("abort", () => reject(call.signal.reason)),
      );
      yield bytes("never");
    });
    const answer = handler(post("0000", { signal: controller.signal }));
    controller.abort(new ServiceError("server-core/aborted", "gone"));
    expect((await answer).status).toBe(503);
  });

  it("chunks are passed on, not copied", async () => {
    const chunk = new Uint8Array(65536);
    const { handler } = handlerOf(() => pieces([new Uint8Array(1), chunk]));
    const reader = (await handler(post("0000"))).body?.getReader();
    await reader?.read();
    expect((await reader?.read())?.value).toBe(chunk);
  });
});
