import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import {
  createTestRepository,
  git,
  type TestRepository,
  temporaryDirectory,
  tryGit,
} from "@tooling/test-kit";
import { createGitService, type Hooks } from "@x/server-core";
import { createRepositoryOpener, createWorkerPool, repositoriesUnder } from "@x/storage-fs";
import { createFetchHandler } from "@x/transport-http";
import { createNodeHttpServer } from "@x/transport-http/node";
import { createTcpGitServer } from "@x/transport-tcp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const root = temporaryDirectory("early");
const pool = createWorkerPool();
let source: TestRepository;
let packed = 0;
let hooks: Hooks = {};
const bases = new Map<string, string>();
const closers: (() => Promise<unknown>)[] = [() => pool.close()];

beforeAll(async () => {
  source = await createTestRepository({ objectFormat: "sha1" });
  await source.commit("one");
  await git(["branch", "small"], { cwd: source.directory });
  for (let i = 0; i < 4; i++) writeFileSync(`${source.directory}/big${i}`, randomBytes(16 * MIB));
  await git(["add", "."], { cwd: source.directory });
  await git(["commit", "-qm", "big"], { cwd: source.directory });
  await git(["init", "-q", "--bare", `${root}/r.git`]);
  const opener = createRepositoryOpener(pool);
  const directories = repositoriesUnder(root);
  const service = createGitService({
    repositories: async (call) => {
      const layout = await directories.find(call.repository);
      return layout && opener.open(layout);
    },
    services: ["git-upload-pack", "git-receive-pack"],
    hooks: {
      prePush: async (context) => hooks.prePush?.(context),
      preReceive: async (context) => hooks.preReceive?.(context),
    },
    logger: {
      debug: () => {},
      info: (fields) => {
        const { service: name, bytesIn } = fields as { service: string; bytesIn: number };
        if (name === "git-receive-pack") packed = bytesIn;
      },
      warn: () => {},
      error: () => {},
    },
  });
  const http = createNodeHttpServer({ handler: createFetchHandler({ service }), host: "127.0.0.1", port: 0 });
  const tcp = createTcpGitServer({ service, host: "127.0.0.1", port: 0 });
  const [httpAt, tcpAt] = [await http.listen(), await tcp.listen()];
  closers.unshift(
    () => http.close(),
    () => tcp.close(),
  );
  bases.set("http", `http://127.0.0.1:${httpAt.port}`).set("git", `git://127.0.0.1:${tcpAt.port}`);
});
afterAll(async () => {
  for (const close of closers) await close();
});

async function push(base: string, ...refs: string[]) {
  const { stderr, stdout, status } = await tryGit(
    ["push", "--porcelain", `${bases.get(base)}/r.git`, ...refs],
    {
      cwd: source.directory,
    },
  );
  return { status, stdout: stdout.replace(/^To .*\n/, ""), stderr };
}

describe.each(["git", "http"])("a push over %s", (base) => {
  it("of 64 MiB is refused before it is read, and the user sees why", async () => {
    hooks = {
      prePush: async ({ progress }) => {
        progress("quota of bob: 0\n");
        return "over quota";
      },
    };
    const refused = await push(base, "main:refs/heads/big");
    expect(refused.stdout).toContain("!\trefs/heads/main:refs/heads/big\t[remote rejected] (over quota)\n");
    expect(refused.stderr).toMatch(/^remote: quota of bob: 0 *$/m);
    expect(refused.status).toBe(1);
    // An HTTP client has to be let send what it began.
    if (base === "git") expect(packed).toBeLessThan(8 * MIB);
    expect(await git(["for-each-ref"], { cwd: `${root}/r.git` })).toBe("");
  }, 60_000);

  it("is refused in part", async () => {
    hooks = { prePush: async () => new Map([["refs/heads/b", "not b"]]) };
    const { stdout } = await push(base, `small:refs/heads/${base}-a`, "small:refs/heads/b");
    expect(stdout).toContain(`*\trefs/heads/small:refs/heads/${base}-a\t[new branch]\n`);
    expect(stdout).toContain("!\trefs/heads/small:refs/heads/b\t[remote rejected] (not b)\n");
    await git(["update-ref", "-d", `refs/heads/${base}-a`], { cwd: `${root}/r.git` });
  });

  it("gives its options to hooks", async () => {
    await git(["config", "receive.advertisePushOptions", "true"], { cwd: `${root}/r.git` });
    let seen: unknown;
    hooks = {
      preReceive: async ({ pushOptions }) => {
        seen = pushOptions;
        return undefined;
      },
    };
    const { status } = await push(
      base,
      "-o",
      "ci.skip",
      "-o",
      'say="a b"',
      "-o",
      "",
      `small:refs/heads/${base}-o`,
    );
    expect([status, seen]).toEqual([0, ["ci.skip", 'say="a b"', ""]]);
    await git(["update-ref", "-d", `refs/heads/${base}-o`], { cwd: `${root}/r.git` });
  });
});
