import type { ServiceCall } from "@x/server-core";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";
import { describe, expect, it } from "vitest";
import { createGitServer, type GitServerOptions } from "../src/index.ts";

const app = createMemoryRepository();
const tip = await app.commit({ branch: "main", message: "first", files: { "README.md": "# hi\n" } });
const make = (options: Partial<GitServerOptions> = {}) =>
  createGitServer({ repositories: repositoriesFrom(new Map([["app", app]])), ...options });
const refs = (service = "git-upload-pack", base = "") =>
  new Request(`http://localhost${base}/app.git/info/refs?service=${service}`);
const call = (rest: Partial<ServiceCall> = {}): ServiceCall => ({
  service: "git-upload-pack",
  repository: "app",
  version: 0,
  mode: "advertise",
  transport: "test",
  peer: {},
  input: (async function* () {})(),
  signal: new AbortController().signal,
  ...rest,
});

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

describe("a server", () => {
  it("answers requests, and calls of other transports", async () => {
    const server = make();
    const answer = await server.fetch(refs());
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(`${tip} refs/heads/main`);
    expect(await bytesOf(server.service(call()))).toBeGreaterThan(100);
  });

  it("takes no pushes unless it is told to", async () => {
    expect((await make().fetch(refs("git-receive-pack"))).status).toBe(403);
    const services = ["git-upload-pack", "git-receive-pack"] as const;
    expect((await make({ services }).fetch(refs("git-receive-pack"))).status).toBe(200);
  });

  it("asks who may do what, and hands on who it is", async () => {
    const seen: unknown[] = [];
    const server = make({
      authorize: async ({ repository, service, credentials, peer }) => {
        seen.push([repository, service, credentials.kind, peer.address]);
        return service === "git-upload-pack" ? { granted: true } : { granted: false, reason: "credentials" };
      },
    });
    const deno = { remoteAddr: { hostname: "10.0.0.2" } };
    expect((await server.fetch(refs(), deno)).status).toBe(200);
    const denied = await server.fetch(refs("git-receive-pack"));
    expect(denied.status).toBe(401);
    expect(denied.headers.get("www-authenticate")).toMatch(/^Basic /);
    expect(seen).toEqual([
      ["/app.git", "git-upload-pack", "anonymous", "10.0.0.2"],
      ["/app.git", "git-receive-pack", "anonymous", undefined],
    ]);
  });

  it("takes options of HTTP", async () => {
    const server = make({ http: { basePath: "/git" } });
    expect((await server.fetch(refs("git-upload-pack", "/git"))).status).toBe(200);
    expect((await server.fetch(refs())).status).toBe(404);
    expect(() => make({ http: { basePath: "git/../x" } })).not.toThrow();
  });
});

describe("a server that closes", () => {
  it("answers nothing new", async () => {
    const server = make();
    await server.close();
    const answer = await server.fetch(refs());
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    await expect(bytesOf(server.service(call()))).rejects.toMatchObject({ code: "server-core/aborted" });
    const file = { ...call(), file: { kind: "head" } as const };
    await expect(server.dumb(file)).rejects.toMatchObject({ code: "server-core/aborted" });
    expect(
      await server.answer({
        method: "GET",
        target: "/",
        header: () => undefined,
        body: undefined,
        signal: call().signal,
        peer: {},
      }),
    ).toMatchObject({ status: 503 });
  });

  it("waits for what runs", async () => {
    const server = make();
    const iterator = server.service(call())[Symbol.asyncIterator]();
    await iterator.next();
    let closed = false;
    const closing = server.close({ graceMs: 60_000 }).then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(closed).toBe(false);
    while (!(await iterator.next()).done);
    await closing;
    expect(closed).toBe(true);
  });

  it("calls off what takes too long", async () => {
    const server = make();
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const duplex = bytesOf(server.service(call({ mode: "duplex", input: silent })));
    duplex.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    await server.close({ graceMs: 10 });
    await expect(duplex).rejects.toMatchObject({ code: "server-core/aborted" });
  });
});
