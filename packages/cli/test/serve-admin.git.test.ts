import { once } from "node:events";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { git, makeCertificate, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { FREE, newRoot, start, startWith } from "./serving.ts";
import { until } from "./terminal.ts";

const TOKEN = "a-token-for-metrics";

/** A server with an admin's port, and how to ask there. */
async function withAdmin(root: string, ...flags: string[]) {
  const server = await startWith({ XGIT_ADMIN_TOKEN: TOKEN }, root, ...FREE, "--admin-port", "0", ...flags);
  const url = / {2}(http:\S+)\/ for \/livez/.exec(server.terminal.out)?.[1] ?? "none";
  const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init);
  const metrics = async () =>
    (await ask("/metrics", { headers: { authorization: `Bearer ${TOKEN}` } })).text();
  /** The value of a series, its labels in any order. */
  const value = async (name: string, ...labels: string[]) => {
    const lines = (await metrics())
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const line = lines.find((one) => labels.every((label) => one.includes(label)));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  };
  return { ...server, ask, metrics, value };
}

describe("the admin's port", () => {
  it("says whether the server lives and is ready, and keeps figures to whoever has the token", async () => {
    const root = await newRoot();
    const { ask, terminal } = await withAdmin(root);
    expect(terminal.out).toMatch(/http:\/\/127\.0\.0\.1:\d+\/ for \/livez, \/readyz and \/metrics/);
    for (const path of ["/livez", "/readyz"]) {
      const reply = await ask(path);
      expect([reply.status, await reply.text()]).toEqual([200, "ok\n"]);
    }
    expect((await ask("/livez", { method: "HEAD" })).status).toBe(200);
    expect((await ask("/livez", { method: "POST" })).status).toBe(405);
    expect((await ask("/")).status).toBe(404);
    expect((await ask("/metrics/../livez/x")).status).toBe(404);
    const refused = await ask("/metrics");
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      401,
      'Bearer realm="metrics"',
    ]);
    expect((await ask("/metrics", { headers: { authorization: `Bearer ${TOKEN}x` } })).status).toBe(401);
    const shown = await ask("/metrics", { headers: { authorization: `bearer ${TOKEN}` } });
    expect([shown.status, shown.headers.get("content-type")]).toEqual([
      200,
      expect.stringContaining("text/plain"),
    ]);
    renameSync(root, `${root}.away`);
    const gone = await ask("/readyz");
    expect([gone.status, await gone.text()]).toEqual([503, "the repositories cannot be read: ENOENT\n"]);
    expect((await ask("/livez")).status).toBe(200);
    renameSync(`${root}.away`, root);
  });

  it("is off by default", async () => {
    const { terminal } = await start(await newRoot(), ...FREE);
    expect(terminal.out).not.toContain("/livez");
  });

  it("has figures of a clone and a push, and none that names a repository", async () => {
    const root = await newRoot();
    await git(["repack", "-adq"], { cwd: `${root}/demo.git` });
    const { http, git: plain, metrics, value } = await withAdmin(root);
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", `${http}/demo.git`, clone]);
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    await git(["push", "-q", `${plain}/demo.git`, "HEAD:refs/heads/more"], { cwd: clone });
    await tryGit(["ls-remote", `${plain}/missing.git`]);
    const labels = (service: string, transport: string) => [
      `service="git-${service}"`,
      `transport="${transport}"`,
    ];
    // Discovery, ls-refs and the fetch itself.
    expect(
      await value("xgit_requests_total", ...labels("upload-pack", "http"), 'outcome="ok"', 'version="2"'),
    ).toBe(3);
    expect(await value("xgit_requests_total", ...labels("receive-pack", "git"), 'outcome="ok"')).toBe(1);
    expect(await value("xgit_requests_total", 'outcome="server-core/repository-not-found"')).toBe(1);
    expect(await value("xgit_requests_in_flight", ...labels("receive-pack", "git"))).toBe(0);
    expect(await value("xgit_requests_queued")).toBe(0);
    expect(await value("xgit_packs_total", 'direction="sent"')).toBe(1);
    expect(await value("xgit_packs_total", 'direction="received"')).toBe(1);
    expect(await value("xgit_pack_objects_total", 'how="copied"')).toBe(3);
    expect(await value("xgit_pack_objects_total", 'how="made"')).toBe(0);
    expect(await value("xgit_pack_objects_total", 'how="received"')).toBe(1);
    expect(await value("xgit_pack_bytes_total", 'direction="sent"')).toBeGreaterThan(100);
    expect(await value("xgit_first_byte_seconds_count", ...labels("upload-pack", "http"))).toBe(3);
    for (const phase of ["negotiate", "count", "send"])
      expect([phase, await value("xgit_phase_duration_seconds_count", `phase="${phase}"`)]).toEqual([
        phase,
        1,
      ]);
    for (const phase of ["receive", "index", "connectivity", "publish", "refs"])
      expect([phase, await value("xgit_phase_duration_seconds_count", `phase="${phase}"`)]).toEqual([
        phase,
        1,
      ]);
    expect(await value("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
    expect(await value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(await metrics()).not.toMatch(/demo|missing/);
  });
});

describe("figures of other ways in", () => {
  it("tell https from http, and files from fetches", async () => {
    const { certificate, key } = makeCertificate("localhost");
    const tls = temporaryDirectory("tls");
    writeFileSync(`${tls}/c`, certificate);
    writeFileSync(`${tls}/k`, key);
    const flags = [
      "--https-port",
      "0",
      "--tls-certificate",
      `${tls}/c`,
      "--tls-key",
      `${tls}/k`,
      "--dumb-http",
    ];
    const root = await newRoot();
    await git(["repack", "-adq"], { cwd: `${root}/demo.git` });
    const { http, https, metrics, value, terminal } = await withAdmin(root, ...flags);
    const trusting = ["-c", "http.sslVerify=false"];
    await git([...trusting, "ls-remote", `${https}/demo.git`]);
    await git(["ls-remote", `${http}/demo.git`]);
    for (const transport of ["http", "https"])
      expect([
        transport,
        await value("xgit_requests_total", `transport="${transport}"`, 'version="2"', 'outcome="ok"'),
      ]).toEqual([transport, 2]);
    expect(terminal.err).toMatch(/ https git-upload-pack \/demo\.git v2 ok /);
    const clone = `${temporaryDirectory("clone")}/c`;
    await git([...trusting, "clone", "-q", "--bare", `${https}/demo.git`, clone], {
      env: { GIT_SMART_HTTP: "0" },
    });
    const dumb = ['transport="https"', 'version="dumb"'];
    expect(await value("xgit_requests_total", ...dumb, 'outcome="ok"')).toBeGreaterThan(3);
    expect(await value("xgit_requests_in_flight", 'transport="https"')).toBe(0);
    const pack = readdirSync(`${root}/demo.git/objects/pack`).find((name) => name.endsWith(".pack"));
    const before = (await value("xgit_bytes_total", 'transport="http"', 'direction="sent"')) ?? 0;
    const place = `${http}/demo.git/objects/pack/${pack}`;
    await (await fetch(place, { headers: { range: "bytes=0-9" } })).text();
    await (await fetch(place, { method: "HEAD" })).text();
    await (await fetch(`${place}x`)).text();
    expect(await value("xgit_bytes_total", 'transport="http"', 'direction="sent"')).toBe(before + 10);
    expect(await value("xgit_requests_total", 'transport="http"', 'version="dumb"', 'outcome="ok"')).toBe(2);
    expect(await metrics()).not.toMatch(/demo/);
  });

  it("count connections that were turned away, and why", async () => {
    const limits = [
      ...["http.limits.maxConnections=3", "http.limits.maxConnectionsPerAddress=2"],
      ...["git.limits.maxConnections=8", "git.limits.maxConnectionsPerAddress=2"],
    ].flatMap((limit) => ["--set", limit]);
    const { http, git: plain, value } = await withAdmin(await newRoot(), ...limits);
    const open = (url: string, localAddress = "127.0.0.1") =>
      new Promise<Socket>((resolve) => {
        const { hostname: host, port } = new URL(url.replace(/^git:/, "http:"));
        const socket = connect({ host, port: Number(port), localAddress }).on("error", () => {});
        socket.once("connect", () => resolve(socket));
        onTestFinished(() => void socket.destroy());
      });
    const refused = (transport: string, reason: string) =>
      value("xgit_connections_refused_total", `transport="${transport}"`, `reason="${reason}"`);
    for (let i = 0; i < 3; i++) await open(http);
    await expect.poll(() => refused("http", "address")).toBe(1);
    await open(http, "127.0.0.2");
    await open(http, "127.0.0.3");
    await expect.poll(() => refused("http", "full")).toBe(1);
    const asking = async () => {
      const socket = await open(plain);
      socket.write("0025git-upload-pack /demo.git\0host=h\0");
      return socket;
    };
    for (let i = 0; i < 2; i++) await once(await asking(), "data");
    await open(plain);
    await expect.poll(() => refused("git", "address")).toBe(1);
    expect(await refused("git", "displaced")).toBeUndefined();
  });
});

describe("the record of pushes", () => {
  it("has a line for each push in a file: who, from where, each ref and its fate", async () => {
    const root = await newRoot();
    const file = `${temporaryDirectory("audit")}/audit.jsonl`;
    const { http, terminal } = await start(root, ...FREE, "--audit-file", file);
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", `${http}/demo.git`, clone]);
    const before = (await git(["rev-parse", "HEAD"], { cwd: clone })).trim();
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    const after = (await git(["rev-parse", "HEAD"], { cwd: clone })).trim();
    writeFileSync(`${root}/demo.git/hooks/update`, '#!/bin/sh\n[ "$1" != refs/heads/no ]\n', { mode: 0o755 });
    await tryGit(["push", "-q", "origin", "HEAD:main", "HEAD:refs/heads/n\u00e4u", "HEAD:refs/heads/no"], {
      cwd: clone,
    });
    const lines = () =>
      readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object);
    await until(() => readFileSync(file, "utf8").includes("\n"));
    const zero = "0".repeat(40);
    expect(lines()).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        event: "push",
        peer: "127.0.0.1",
        transport: "http",
        repository: "/demo.git",
        outcome: "ok",
        ms: expect.any(Number),
        objects: 1,
        refs: [
          { ref: "refs/heads/main", old: before, new: after, outcome: "done" },
          { ref: "refs/heads/n\u00e4u", old: zero, new: after, outcome: "done" },
          { ref: "refs/heads/no", old: zero, new: after, outcome: "refused", error: "hook declined" },
        ],
      },
    ]);
    expect(terminal.err).not.toContain("info: push");
    // Whoever rotates the file moves it away and sends SIGHUP.
    renameSync(file, `${file}.1`);
    terminal.hangUp();
    await until(() => terminal.err.includes("info: reloaded"));
    await git(["push", "-q", "origin", ":refs/heads/n\u00e4u"], { cwd: clone });
    await until(() => readFileSync(file, "utf8").includes("\n"));
    expect(lines()).toMatchObject([
      { refs: [{ ref: "refs/heads/n\u00e4u", old: after, new: zero, outcome: "done" }] },
    ]);
    expect(readFileSync(`${file}.1`, "utf8").trim().split("\n")).toHaveLength(1);
  });

  it("goes to the log when no file is named, and nowhere when it is off", async () => {
    const root = await newRoot();
    const push = (base: string, ref: string) =>
      git(["push", "-q", `${base}/demo.git`, `HEAD:${ref}`], { cwd: `${root}/demo.git` });
    const { http, terminal } = await start(root, ...FREE);
    await push(http, "refs/heads/a");
    await until(() => terminal.err.includes("info: push"));
    expect(terminal.err).toMatch(
      /info: push peer=127\.0\.0\.1 transport=http repository=\/demo\.git outcome=ok ms=\d+ .*refs\/heads\/a/,
    );
    const off = await start(root, ...FREE, "--set", "audit.enabled=false");
    await push(off.http, "refs/heads/b");
    await until(() => off.terminal.err.includes("git-receive-pack"));
    expect(off.terminal.err).not.toContain("info: push");
  });

  it("refuses to start without its file", async () => {
    const { status, terminal } = await start(await newRoot(), ...FREE, "--audit-file", "/no/such/file");
    expect(await status).toBe(128);
    expect(terminal.err).toMatch(/^fatal: \/no\/such\/file: ENOENT/);
  });
});

describe("SIGHUP", () => {
  it("takes over the log's level, opens the log anew, and says what takes a start", async () => {
    const root = await newRoot();
    const directory = temporaryDirectory("config");
    const [config, log] = [`${directory}/x.toml`, `${directory}/log`];
    writeFileSync(config, 'log.level = "error"\n');
    const { http, terminal } = await start(root, ...FREE, "--config", config, "--log-file", log);
    await git(["ls-remote", `${http}/demo.git`]);
    expect(readFileSync(log, "utf8")).toBe("");
    writeFileSync(config, 'log.level = "info"\nfsck = "off"\n');
    rmSync(log);
    terminal.hangUp();
    await until(() => readFileSync(log, "utf8").includes("info: reloaded"));
    expect(readFileSync(log, "utf8")).toContain(
      'warn: these settings count from the next start on keys=["fsck"]',
    );
    await git(["ls-remote", `${http}/demo.git`]);
    await until(() => readFileSync(log, "utf8").includes("git-upload-pack"));
    writeFileSync(config, "nonsense");
    terminal.hangUp();
    await until(() => readFileSync(log, "utf8").includes("error: the config was not reloaded"));
    expect((await tryGit(["ls-remote", `${http}/demo.git`])).status).toBe(0);
  });
});
