import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";
import { describe, expect, it, onTestFinished } from "vitest";
import { listen } from "../src/node.ts";
import { createTestGitServer } from "../src/testing.ts";

async function start() {
  const app = createMemoryRepository();
  const first = await app.commit({ branch: "main", message: "first", files: { "README.md": "# hi\n" } });
  const tip = await app.commit({ branch: "main", message: "second", files: { large: "x".repeat(200_000) } });
  const server = createTestGitServer({
    repositories: repositoriesFrom(new Map([["team/app", app]])),
    services: ["git-upload-pack", "git-receive-pack"],
  });
  const listening = await listen(server, { http: {}, git: { port: 0 } });
  onTestFinished(() => listening.close());
  return { app, first, tip, server, url: listening.url };
}

const clone = () => `${temporaryDirectory("clone")}/c`;

describe("the requests of a test server", () => {
  it("say what was asked, over http", async () => {
    const { server, url, tip } = await start();
    await git(["clone", "-q", "--depth", "1", url("team/app"), clone()]);
    const base = { transport: "http", service: "git-upload-pack", repository: "team/app", version: 2 };
    expect(server.requests).toMatchObject([
      { ...base, method: "GET", target: "/team/app/info/refs?service=git-upload-pack", mode: "advertise" },
      { ...base, method: "POST", mode: "rpc", status: 200, outcome: "ok", credentials: "anonymous" },
      { ...base, method: "POST", mode: "rpc", status: 200, wants: [tip], depth: 1, outcome: "ok" },
    ]);
    expect(server.requests.at(-1)?.bytesOut).toBeGreaterThan(100);
    server.forget();
    expect(server.requests).toEqual([]);
    await tryGit(["ls-remote", `${url("team/missing").replace("//", "//ada:secret@")}`]);
    expect(server.requests).toMatchObject([
      { repository: "team/missing", status: 404, outcome: "server-core/repository-not-found" },
    ]);
    await fetch(`${url("team/app")}/config`);
    const put = await fetch(`${url("team/app")}/HEAD`, { method: "PUT" });
    expect(put.status).toBe(405);
    expect(server.requests[1]).not.toHaveProperty("service");
    expect(server.requests.slice(1)).toMatchObject([
      { method: "GET", target: "/team/app/config", status: 404, outcome: "refused" },
      { method: "PUT", status: 405, outcome: "refused" },
    ]);
    await (await fetch(`${url("team/app")}/HEAD`)).text();
    expect(server.requests.at(-1)).toMatchObject({ mode: "file", service: "git-upload-pack" });
  });

  it("say what was asked over git://, and by fetch", async () => {
    const { server, url, tip, first } = await start();
    const work = clone();
    await git(["-c", "protocol.version=0", "clone", "-q", url("team/app", "git"), work]);
    await git(["push", "-q", "origin", `${first}:refs/heads/old`], { cwd: work });
    expect(server.requests).toMatchObject([
      {
        transport: "git",
        service: "git-upload-pack",
        version: 0,
        mode: "duplex",
        wants: [tip],
        outcome: "ok",
      },
      {
        transport: "git",
        service: "git-receive-pack",
        repository: "team/app",
        commands: [{ ref: "refs/heads/old", oldId: "0".repeat(40), newId: first }],
        outcome: "ok",
      },
    ]);
    expect(server.requests[0]).not.toHaveProperty("status");
    const authorization = `Basic ${btoa("ada:secret")}`;
    const request = new Request("https://h/team/app.git/info/refs?service=git-upload-pack", {
      headers: { authorization },
    });
    await (await server.fetch(request)).text();
    expect(server.requests.at(-1)).toMatchObject({
      transport: "https",
      target: "/team/app.git/info/refs?service=git-upload-pack",
      repository: "team/app",
      credentials: "basic",
      user: "ada",
      status: 200,
    });
  });

  it("are told apart when they come at once", async () => {
    const { server, url } = await start();
    const names = Array.from({ length: 20 }, (_, i) => `missing-${i}`);
    await Promise.all(
      names.map((name) => fetch(`${url(name)}/info/refs?service=git-upload-pack`).then((r) => r.text())),
    );
    for (const { target, repository, status } of server.requests)
      expect([target?.split("/")[1], status]).toEqual([repository, 404]);
    expect(server.requests).toHaveLength(20);
  });
});

describe("faults", () => {
  it.each(["http", "git"])("cut an answer off over %s, once", async (scheme) => {
    const { server, url } = await start();
    const mode = scheme === "http" ? "rpc" : "duplex";
    server.fault({ when: { service: "git-upload-pack", transport: scheme, mode }, cutAfterBytes: 300 });
    const failed = await tryGit(["clone", "-q", url("team/app", scheme), clone()]);
    expect(failed.status).not.toBe(0);
    expect(failed.stderr).toMatch(/early EOF|unexpected disconnect|hung up|RPC failed|invalid index-pack/);
    const cut = server.requests.find(({ outcome }) => outcome === "server-core/aborted");
    expect(cut).toMatchObject({ bytesOut: 300, transport: scheme });
    await git(["clone", "-q", url("team/app", scheme), clone()]);
  });

  it("cut an answer on a connection that served before, so that the client knows", async () => {
    const { server, url } = await start();
    for (let i = 0; i < 5; i++) {
      server.fault({ when: { mode: "rpc" }, cutAfterBytes: 100 });
      expect((await tryGit(["ls-remote", url("team/app")])).status).toBe(128);
    }
    expect(server.requests.filter(({ outcome }) => outcome === "server-core/aborted")).toHaveLength(5);
  });

  it("cut a connection before a word", async () => {
    const { server, url } = await start();
    server.fault({ cutAfterBytes: 0, times: 2 });
    expect((await tryGit(["ls-remote", url("team/app", "git")])).status).toBe(128);
    expect((await fetch(`${url("team/app")}/info/refs?service=git-upload-pack`)).status).toBe(503);
    await git(["ls-remote", url("team/app", "git")]);
  });

  it.each([401, 403, 404, 413, 429, 500, 503] as const)("are a status: %d", async (status) => {
    const { server, url } = await start();
    const takeBack = server.fault({
      when: { repository: "team/app" },
      status,
      times: Number.POSITIVE_INFINITY,
      retryAfterMs: 7000,
    });
    for (const path of ["info/refs?service=git-upload-pack", "HEAD"]) {
      const answer = await fetch(`${url("team/app")}/${path}`);
      expect(answer.status).toBe(status);
      if (status === 429 || status === 503) expect(answer.headers.get("retry-after")).toBe("7");
    }
    expect((await tryGit(["ls-remote", url("team/app", "git")])).status).toBe(128);
    expect(server.requests.every(({ outcome }) => outcome.startsWith("server-core/"))).toBe(true);
    takeBack();
    await git(["ls-remote", url("team/app")]);
  });

  it("delay, and let go of who leaves meanwhile", async () => {
    const { server, url } = await start();
    server.fault({ when: { mode: "advertise" }, delayMs: 300 });
    const started = performance.now();
    await git(["ls-remote", url("team/app")]);
    expect(performance.now() - started).toBeGreaterThan(290);
    server.fault({ delayMs: 60_000 });
    const leaving = new AbortController();
    const asked = fetch(`${url("team/app")}/info/refs?service=git-upload-pack`, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 100);
    await expect(asked).rejects.toThrow();
    await expect.poll(() => server.requests.at(-1)?.outcome).toBe("left");
  });
});
