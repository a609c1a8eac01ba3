import { type DumbCall, type DumbContent, type DumbService, ServiceError } from "@x/server-core";
import { describe, expect, it } from "vitest";
import { parseRange } from "../src/byte-range.ts";
import { bytes, echo, handlerOf } from "./handler.ts";

const PACK = `/demo.git/objects/pack/pack-${"a".repeat(40)}.pack`;
const MODIFIED = "Sun, 09 Sep 2001 01:46:40 GMT";

/** Ten bytes under every name, and how often they were closed. */
function tenBytes(about: Partial<DumbContent> = {}) {
  const calls: DumbCall[] = [];
  const seen = { closed: 0, calls };
  const text = "0123456789";
  const dumb: DumbService = async (call) => {
    calls.push(call);
    return {
      size: 10,
      stamp: "s1",
      modifiedMs: 1_000_000_000_500,
      immutable: true,
      async *read(range) {
        yield bytes(text.slice(range?.start, range?.end));
        seen.closed++;
      },
      close: async () => void seen.closed++,
      ...about,
    };
  };
  return { dumb, seen };
}

async function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; about?: Partial<DumbContent> } = {},
) {
  const { dumb, seen } = tenBytes(options.about);
  const { handler, lines } = handlerOf(echo, { dumb, now: () => 1_000_000_000_000 });
  const { method = "GET", headers = {} } = options;
  const response = await handler(new Request(`http://h${path}`, { method, headers }));
  const text = await response.text();
  return { response, headers: Object.fromEntries(response.headers), text, seen, lines };
}

describe("files", () => {
  it("that somebody was shown are not for caches that others ask", async () => {
    const { headers } = await ask(PACK, { headers: { authorization: "Bearer x" } });
    expect(headers["cache-control"]).toBe("private, max-age=31536000, immutable");
  });

  it("that never change may be kept, and are known by a tag", async () => {
    const { response, headers, text, seen, lines } = await ask(PACK);
    expect([response.status, text, seen.closed]).toEqual([200, "0123456789", 1]);
    expect(headers).toEqual({
      "accept-ranges": "bytes",
      "cache-control": "public, max-age=31536000, immutable",
      "content-length": "10",
      "content-type": "application/x-git-packed-objects",
      etag: '"s1"',
      expires: "Mon, 09 Sep 2002 01:46:40 GMT",
      "last-modified": MODIFIED,
      "x-content-type-options": "nosniff",
    });
    expect(seen.calls[0]).toMatchObject({
      repository: "/demo.git",
      file: { kind: "pack", checksum: "a".repeat(40) },
      transport: "http",
    });
    expect(lines).toEqual([expect.objectContaining({ status: 200, bytesOut: 10, outcome: "ok" })]);
  });

  it.each([
    ["/demo.git/HEAD", "text/plain"],
    ["/demo.git/info/refs", "text/plain"],
    ["/demo.git/objects/info/packs", "text/plain; charset=utf-8"],
    ["/demo.git/objects/info/alternates", "text/plain"],
    ["/demo.git/objects/info/http-alternates", "text/plain"],
    [`/demo.git/objects/ab/${"c".repeat(38)}`, "application/x-git-loose-object"],
    [PACK.replace(/pack$/, "idx"), "application/x-git-packed-objects-toc"],
  ])("%s is %s", async (path, type) => {
    const immutable = path.includes("c".repeat(38)) || path.endsWith("idx");
    const { headers } = await ask(path, { about: { immutable } });
    expect(headers["content-type"]).toBe(type);
    expect(headers["cache-control"]).toBe(
      immutable ? "public, max-age=31536000, immutable" : "no-cache, max-age=0, must-revalidate",
    );
  });

  it("HEAD says how much there is and reads nothing", async () => {
    const { response, headers, text, seen } = await ask(PACK, { method: "HEAD" });
    expect([response.status, text, headers["content-length"], seen.closed]).toEqual([200, "", "10", 1]);
  });

  it.each([
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=99-100", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=3-1", 200, "0123456789", undefined],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["lines=0-1", 200, "0123456789", undefined],
    ["bytes=-", 200, "0123456789", undefined],
    ["bytes=0x1-2", 200, "0123456789", undefined],
    ["bytes=99999999999999999999-", 200, "0123456789", undefined],
  ])("Range: %s is %i", async (range, status, body, contentRange) => {
    const { response, headers, text, seen } = await ask(PACK, { headers: { range } });
    expect([response.status, text, headers["content-range"]]).toEqual([status, body, contentRange]);
    expect(headers["content-length"]).toBe(String(body.length));
    expect(seen.closed).toBe(1);
  });

  it.each<[Record<string, string>, number]>([
    [{ "if-none-match": '"s1"' }, 304],
    [{ "if-none-match": '"x", W/"s1"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"s2"' }, 200],
    [{ "if-none-match": '"s2"', "if-modified-since": MODIFIED }, 200],
    [{ "if-modified-since": MODIFIED }, 304],
    [{ "if-modified-since": "Sun, 09 Sep 2001 01:46:39 GMT" }, 200],
    [{ "if-modified-since": "yesterday" }, 200],
    [{ "if-range": '"s1"', range: "bytes=1-2" }, 206],
    [{ "if-range": '"s2"', range: "bytes=1-2" }, 200],
    [{ "if-range": 'W/"s1"', range: "bytes=1-2" }, 200],
    [{ "if-range": MODIFIED, range: "bytes=1-2" }, 206],
    [{ "if-range": "Sun, 09 Sep 2001 01:46:41 GMT", range: "bytes=1-2" }, 200],
  ])("%j is %i", async (headers, status) => {
    const { response, seen } = await ask(PACK, { headers });
    expect([response.status, seen.closed]).toEqual([status, 1]);
    expect(response.headers.get("etag")).toBe('"s1"');
  });

  it("that are made for the request have no tag, no parts, and maybe no length", async () => {
    const made = { stamp: undefined, modifiedMs: undefined, immutable: false };
    const { response, headers } = await ask("/demo.git/info/refs", {
      headers: { range: "bytes=1-2", "if-none-match": "*" },
      about: made,
    });
    expect([response.status, headers.etag, headers["accept-ranges"]]).toEqual([200, undefined, undefined]);
    const much = await ask("/demo.git/info/refs", { about: { ...made, size: undefined } });
    expect([much.headers["content-length"], much.text]).toEqual([undefined, "0123456789"]);
  });

  it("are 404 when they are not there, and without a service for them", async () => {
    const { handler } = handlerOf(echo, { dumb: async () => undefined });
    expect((await handler(new Request(`http://h${PACK}`))).status).toBe(404);
    const { handler: smart } = handlerOf(echo);
    expect((await smart(new Request(`http://h${PACK}`))).status).toBe(404);
    expect((await smart(new Request("http://h/demo.git/info/refs"))).status).toBe(403);
  });

  it.each([
    ["server-core/unauthenticated", 401],
    ["server-core/forbidden", 403],
    ["server-core/repository-not-found", 404],
    ["server-core/service-disabled", 403],
    ["server-core/internal", 500],
  ] as const)("%s is %i", async (code, status) => {
    const { handler } = handlerOf(echo, {
      dumb: async () => {
        throw new ServiceError(code, "no");
      },
    });
    const response = await handler(new Request(`http://h${PACK}`));
    expect(response.status).toBe(status);
    expect(response.headers.has("www-authenticate")).toBe(status === 401);
  });

  it("a file that breaks while it is sent breaks the answer", async () => {
    const about: Partial<DumbContent> = {
      async *read() {
        yield bytes("01");
        throw new Error("EIO");
      },
    };
    const { dumb } = tenBytes(about);
    const { handler, lines } = handlerOf(echo, { dumb });
    const response = await handler(new Request(`http://h${PACK}`));
    await expect(response.text()).rejects.toThrow();
    expect(lines).toEqual([expect.objectContaining({ outcome: "internal" })]);
  });

  it("a file that nobody begins to read is closed", async () => {
    const { dumb, seen } = tenBytes();
    const { handler, lines } = handlerOf(echo, { dumb });
    await (await handler(new Request(`http://h${PACK}`))).body?.cancel();
    expect(seen.closed).toBe(1);
    expect(lines).toEqual([expect.objectContaining({ outcome: "transport-http/gone", bytesOut: 0 })]);
    await expect.poll(() => lines.length).toBe(1);
  });

  it("says by which scheme it was asked", async () => {
    const { dumb, seen } = tenBytes();
    const { handler } = handlerOf(echo, { dumb });
    for (const scheme of ["http", "https"]) await (await handler(new Request(`${scheme}://h${PACK}`))).text();
    expect(seen.calls.map(({ transport }) => transport)).toEqual(["http", "https"]);
  });

  it("a reader that leaves closes the file", async () => {
    let left = false;
    const about: Partial<DumbContent> = {
      async *read() {
        try {
          for (;;) yield bytes("01");
        } finally {
          left = true;
        }
      },
    };
    const { dumb } = tenBytes(about);
    const { handler } = handlerOf(echo, { dumb });
    const reader = (await handler(new Request(`http://h${PACK}`))).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(left).toBe(true);
  });
});

describe("parseRange", () => {
  it("knows no part of nothing", () => {
    expect(parseRange("bytes=0-", 0)).toEqual({ kind: "none" });
    expect(parseRange("bytes=-5", 0)).toEqual({ kind: "none" });
    expect(parseRange(undefined, 0)).toEqual({ kind: "all" });
  });
});
