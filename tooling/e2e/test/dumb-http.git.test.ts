import { readdirSync, readFileSync, statSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { createGitServices } from "@x/server-core";
import { createRepositoryOpener, createWorkerPool, repositoriesUnder } from "@x/storage-fs";
import { createFetchHandler } from "@x/transport-http";
import { createNodeHttpServer, type NodeHttpServer } from "@x/transport-http/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "./server.ts";

const pool = createWorkerPool();
let server: NodeHttpServer;
let root = "";
let url = "";

beforeAll(async () => {
  root = temporaryDirectory("dumb");
  const opener = createRepositoryOpener(pool);
  const repositories = repositoriesUnder(root);
  const { service, dumb } = createGitServices({
    repositories: async (call) => {
      const layout = await repositories.find(call.repository);
      return layout && opener.open(layout);
    },
  });
  server = createNodeHttpServer({ handler: createFetchHandler({ service, dumb }) });
  url = `http://127.0.0.1:${(await server.listen()).port}`;
});

afterAll(async () => {
  await server.close();
  await pool.close();
});

const DUMB = { GIT_SMART_HTTP: "0" };

describe.each(["sha1", "sha256"] as const)("a dumb client, %s", (objectFormat) => {
  async function made(name: string) {
    const source = await createTestRepository({ objectFormat });
    await source.commit("one", { file: "1\n", other: "x".repeat(10_000) });
    await source.git("tag", "-a", "-m", "t", "v1");
    const directory = `${root}/${objectFormat}-${name}.git`;
    await git(["clone", "-q", "--bare", source.directory, directory]);
    await git(["repack", "-adq"], { cwd: directory });
    return { source, directory, remote: `${url}/${objectFormat}-${name}.git` };
  }

  it("clones packs, and fetches what is loose", async () => {
    const { source, directory, remote } = await made("plain");
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", remote, clone], { env: DUMB });
    await source.commit("two");
    await git(["-c", "transfer.unpackLimit=1000", "fetch", "-q", source.directory, "main:main"], {
      cwd: directory,
    });
    await git(["fetch", "-q", "origin"], { cwd: clone, env: DUMB });
    expect(await git(["rev-parse", "origin/main", "v1"], { cwd: clone })).toBe(
      await source.git("rev-parse", "main", "v1"),
    );
    expect(await git(["fsck", "--full"], { cwd: clone })).toBe("");
  });

  it("sees no ref that is hidden, and nothing that is none of its business", async () => {
    const { source, directory, remote } = await made("hiding");
    await git(["update-ref", "refs/secret/x", await source.git("rev-parse", "main")], { cwd: directory });
    await git(["config", "transfer.hideRefs", "refs/secret"], { cwd: directory });
    const seen = await git(["ls-remote", remote], { env: DUMB });
    expect(seen).toContain("refs/heads/main");
    expect(seen).not.toContain("secret");
    for (const path of [
      "config",
      "packed-refs",
      "refs/heads/main",
      "hooks/update.sample",
      "description",
      "objects/info/commit-graph",
    ])
      for (const tail of [path, path.replace("/", "/./"), `objects/../${path}`])
        expect((await fetch(`${remote}/${tail}`)).status, tail).toBe(404);
  });

  it("goes on with a pack where it stopped", async () => {
    const { directory, remote } = await made("parts");
    const name = readdirSync(`${directory}/objects/pack`).find((file) => file.endsWith(".pack")) ?? "";
    const whole = readFileSync(`${directory}/objects/pack/${name}`);
    const place = `${remote}/objects/pack/${name}`;
    const first = await fetch(place, { headers: { range: "bytes=0-99" } });
    expect(first.status).toBe(206);
    const etag = first.headers.get("etag") ?? "";
    const rest = await fetch(place, { headers: { range: "bytes=100-", "if-range": etag } });
    expect(rest.headers.get("content-range")).toBe(`bytes 100-${whole.length - 1}/${whole.length}`);
    const parts = [await first.arrayBuffer(), await rest.arrayBuffer()].map((part) => Buffer.from(part));
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
    expect((await fetch(place, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await fetch(place, { method: "HEAD" })).headers.get("content-length")).toBe(
      String(statSync(`${directory}/objects/pack/${name}`).size),
    );
  });

  it("is refused where the repository says so, while smart ones are not", async () => {
    const { directory, remote } = await made("off");
    await git(["config", "http.getanyfile", "false"], { cwd: directory });
    const refused = await tryGit(["ls-remote", remote], { env: DUMB });
    expect([refused.status === 0, refused.stderr]).toEqual([false, expect.stringContaining("403")]);
    expect(await git(["ls-remote", remote])).toContain("refs/heads/main");
    await git(["config", "http.uploadpack", "false"], { cwd: directory });
    expect((await tryGit(["ls-remote", remote])).stderr).toContain("403");
  });

  it("follows alternates that are told as HTTP has them", async () => {
    const { directory, remote } = await made("lender");
    const borrower = `${root}/${objectFormat}-borrower.git`;
    await git(["clone", "-q", "--bare", "--shared", directory, borrower]);
    const env = { ...DUMB };
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${borrower}/objects/info/http-alternates`, `/${objectFormat}-lender.git/objects\n`);
    const clone = `${temporaryDirectory("clone")}/c`;
    const follow = ["-c", "http.followRedirects=true"]; // git follows alternates no further than that
    await git([...follow, "clone", "-q", remote.replace("lender", "borrower"), clone], { env });
    expect(await git(["fsck", "--full"], { cwd: clone })).toBe("");
  });
});

describe("xgit serve", () => {
  it("serves dumb clients where it is told to", async () => {
    const directory = temporaryDirectory("serve");
    const source = await createTestRepository();
    await source.commit("one");
    await git(["clone", "-q", "--bare", source.directory, `${directory}/r.git`]);
    const off = await startServer(directory);
    const refused = await tryGit(["ls-remote", `${off.http}/r.git`], { env: DUMB });
    expect([refused.status === 0, refused.stderr]).toEqual([false, expect.stringContaining("403")]);
    await off.end();
    const on = await startServer(directory, "--dumb-http");
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", `${on.http}/r.git`, clone], { env: DUMB });
    expect(await git(["rev-parse", "HEAD"], { cwd: clone })).toBe(await source.git("rev-parse", "HEAD"));
    expect(await on.end()).toBe(0);
  });
});
