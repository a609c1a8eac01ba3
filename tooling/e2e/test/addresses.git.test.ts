import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { httpRequest, packet, parseAnswer, RawClient, request } from "./raw-client.ts";
import { type Server, startCommand } from "./server.ts";
import { type Key, makeKey, sshCommand } from "./ssh-rig.ts";

const root = temporaryDirectory("root");
const outside = temporaryDirectory("outside");
const ran = join(outside, "ran");
let source = "";
let server: Server;
let key: Key;
let sshUrl = "";

const bare = async (path: string) => {
  await git(["clone", "-q", "--bare", source, path]);
  return path;
};
const script = (path: string, text: string) => writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });

beforeAll(async () => {
  const made = await createTestRepository();
  await made.commit("one");
  source = made.directory;
  await bare(join(root, "open.git"));
  const secret = await bare(join(outside, "secret.git"));
  const sibling = `${root}_evil`;
  mkdirSync(sibling);
  await bare(join(sibling, "next.git"));
  symlinkSync(secret, join(root, "link.git"));
  symlinkSync(join(sibling, "next.git"), join(root, "sibling.git"));
  mkdirSync(join(root, "pointer"));
  writeFileSync(join(root, "pointer", ".git"), `gitdir: ${secret}\n`);
  writeFileSync(join(root, "pointer.git"), `gitdir: ${secret}\n`);
  for (const part of ["objects", "refs"]) {
    const at = await bare(join(root, `${part}-outside.git`));
    renameSync(join(at, part), join(outside, part));
    symlinkSync(join(outside, part), join(at, part));
  }
  await git(["init", "-q", "--bare", join(root, "common.git")]);
  writeFileSync(join(root, "common.git", "commondir"), `${secret}\n`);
  const borrowing = join(root, "borrowing.git");
  await git(["clone", "-q", "--bare", "--shared", secret, borrowing]);
  const hostile = await bare(join(root, "hostile.git"));
  mkdirSync(join(outside, "hooks"));
  script(join(outside, "hooks", "pre-receive"), `touch ${ran}`);
  script(join(outside, "hook"), `touch ${ran}; exec "$@"`);
  writeFileSync(
    join(outside, "included"),
    "[transfer]\n\thideRefs = refs/heads\n[receive]\n\tdenyDeletes = true\n",
  );
  for (const [name, value] of [
    ["core.hooksPath", join(outside, "hooks")],
    ["uploadpack.packObjectsHook", join(outside, "hook")],
    ["core.fsmonitor", join(outside, "hook")],
    ["core.worktree", outside],
    ["core.sshCommand", join(outside, "hook")],
    ["core.alternateRefsCommand", join(outside, "hook")],
    ["hook.x.command", join(outside, "hook")],
    ["hook.x.event", "pre-receive"],
    ["include.path", join(outside, "included")],
    ["filter.x.clean", join(outside, "hook")],
    ["tar.own.command", join(outside, "hook")],
    ["tar.own.remote", "true"],
    ["gpg.program", join(outside, "hook")],
  ] as const)
    await git(["config", name, value], { cwd: hostile });
  const unknown = await bare(join(root, "unknown.git"));
  await git(["config", "core.repositoryFormatVersion", "1"], { cwd: unknown });
  await git(["config", "extensions.tomorrow", "true"], { cwd: unknown });
  key = makeKey("ada");
  const flags = ["--http-port", "0", "--git-port", "0", "--ssh-port", "0", "--ssh-keys", `${key.path}.pub`];
  const more = ["--dumb-http", "--create-on-push", "--enable", "upload-archive", "--enable", "receive-pack"];
  const env = { XDG_STATE_HOME: temporaryDirectory("state"), HOME: temporaryDirectory("home") };
  server = await startCommand([root, ...flags, ...more], root, { env });
  sshUrl = /ssh:\/\/git@127\.0\.0\.1:\d+/.exec(server.greeting)?.[0] ?? "";
}, 60_000);

const env = () => ({ GIT_SSH_COMMAND: sshCommand(key) });
const ways = () => [server.http, server.git, sshUrl];

/** What a raw client of each way is told; of http the status, of git:// the packet. */
async function told(name: string, service = "git-upload-pack"): Promise<readonly [number, string]> {
  const target = `/${encodeURI(name)}/info/refs?service=${service}`;
  const overHttp = parseAnswer(await new RawClient(server.http).send(httpRequest("GET", target)).answer());
  const overGit = await new RawClient(server.git)
    .send(request(service, `/${name}`), "0000")
    .finish()
    .answer();
  return [overHttp.status, overGit];
}

const MISSING = (name: string): readonly [number, string] => [
  404,
  packet(`ERR access denied or repository not exported: /${name}`),
];

describe("xgit serve finds nothing outside its root", () => {
  it.each([
    "link.git",
    "sibling.git",
    "pointer",
    "pointer.git",
    "objects-outside.git",
    "refs-outside.git",
    "common.git",
    "nowhere.git",
    "open.git/objects",
    "open.git/refs/heads",
  ])("P3 P4 by %s, over any way", async (name) => {
    // Where a push may make what is not there, a name that is fit for it is asked for nothing.
    for (const service of ["git-upload-pack", "git-receive-pack"])
      if (service === "git-upload-pack" || name !== "nowhere.git")
        expect([service, await told(name, service)]).toEqual([service, MISSING(name)]);
    const over = await tryGit(["ls-remote", `${sshUrl}/${name}`], { env: env() });
    expect([over.status, over.stderr]).toEqual([
      128,
      expect.stringContaining(`'/${name}' does not appear to be a git repository`),
    ]);
    for (const file of ["HEAD", "info/refs", "objects/info/packs"]) {
      const answer = await new RawClient(server.http).send(httpRequest("GET", `/${name}/${file}`)).answer();
      expect(parseAnswer(answer).status).toBe(404);
    }
  });

  it("P4 by no alternate, unless it is told to look there", async () => {
    for (const service of ["git-upload-pack", "git-receive-pack"])
      expect(await told("borrowing.git", service)).toEqual(MISSING("borrowing.git"));
    expect((await tryGit(["ls-remote", `${sshUrl}/borrowing.git`], { env: env() })).status).toBe(128);
    const lender = join(outside, "secret.git", "objects");
    expect(server.log()).toContain(
      `borrowing.git is not served: it needs ${lender}, which is outside of ${root}`,
    );
    const wider = await startCommand(
      [root, "--http-port", "0", "--git-port", "off", "--set", `alsoWithin=${outside}`],
      root,
    );
    for (const name of ["borrowing.git", "link.git", "pointer"]) {
      const clone = join(temporaryDirectory("clone"), "c");
      expect(await tryGit(["clone", "-q", `${wider.http}/${name}`, clone])).toMatchObject({ status: 0 });
    }
    expect((await tryGit(["ls-remote", `${wider.http}/sibling.git`])).status).toBe(128);
    await wider.end();
  });
});

describe("P8 what a repository's own settings say", () => {
  it("starts nothing, over any way", async () => {
    for (const [i, way] of ways().entries()) {
      const clone = join(temporaryDirectory("clone"), "c");
      await git(["clone", "-q", `${way}/hostile.git`, clone], { env: env() });
      await git(["commit", "-q", "--allow-empty", "-m", `more ${i}`], { cwd: clone });
      await git(["push", "-q", "origin", `HEAD:refs/heads/new-${i}`], { cwd: clone, env: env() });
      // What is included from elsewhere would forbid that.
      await git(["push", "-q", "origin", `:refs/heads/new-${i}`], { cwd: clone, env: env() });
    }
    for (const way of [server.git, sshUrl]) {
      const archive = ["archive", `--remote=${way}/hostile.git`];
      expect((await tryGit([...archive, "main"], { env: env() })).status).toBe(0);
      expect((await tryGit([...archive, "--format=own", "main"], { env: env() })).stderr).toContain(
        "Unknown archive format 'own'",
      );
    }
    expect(existsSync(ran)).toBe(false);
  });

  it("an extension that nobody knows is refused by its name", async () => {
    for (const way of ways()) {
      const { status, stderr } = await tryGit(["ls-remote", `${way}/unknown.git`], { env: env() });
      expect(status).toBe(128);
      if (way !== server.http) expect(stderr).toMatch(/extension.*tomorrow/);
    }
    expect((await told("unknown.git"))[0]).toBe(500);
  });
});

describe("P9 a push to what is not there", () => {
  const push = (url: string) => tryGit(["push", "-q", url, "main"], { cwd: source, env: env() });

  it("makes it, where that is on", async () => {
    for (const [i, way] of ways().entries()) {
      expect(await push(`${way}/team-${i}/New_1.2`)).toMatchObject({ status: 0 });
      expect(existsSync(join(root, `team-${i}`, "New_1.2.git", "HEAD"))).toBe(true);
      // A fetch makes nothing.
      expect((await tryGit(["ls-remote", `${way}/fetched-${i}.git`], { env: env() })).status).toBe(128);
      expect(existsSync(join(root, `fetched-${i}.git`))).toBe(false);
    }
  });

  it.each([
    "-x.git",
    ".x.git",
    "a/.git",
    "a/-b",
    "x.git.git",
    "x.lock",
    "a b",
    "open.git/inside",
    "link.git/inside",
    "a;b",
    "a$b",
    "\u00e4",
    "a.",
    "x".repeat(252),
  ])("makes nothing of %s", async (name) => {
    const before = readdirSync(root, { recursive: true }).length;
    for (const way of ways()) {
      const { status } = await push(`${way}/${name}`);
      expect([way, status === 0]).toEqual([way, false]);
    }
    for (const path of [`/${name}`, name])
      expect(
        await new RawClient(server.git).send(request("git-receive-pack", path), "0000").answer(),
      ).toMatch(/^[0-9a-f]{4}ERR /);
    expect(readdirSync(root, { recursive: true })).toHaveLength(before);
  });
});

describe("P7 somebody else's repository", () => {
  it("is served to those who fetch, and to those who push where safe.directory names it", async () => {
    await git(["config", "safe.directory", "*"], { cwd: join(root, "open.git") });
    const pretend = { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1", GIT_CONFIG_NOSYSTEM: "1" };
    const flags = [root, "--http-port", "0", "--git-port", "0"];
    const push = (url: string) =>
      tryGit(["push", "-q", `${url}/open.git`, "main:refs/heads/others"], { cwd: source });
    const home = temporaryDirectory("home");
    const strict = await startCommand(flags, root, { env: { ...pretend, HOME: home } });
    for (const url of [strict.http, strict.git]) {
      expect((await tryGit(["ls-remote", `${url}/open.git`])).status).toBe(0);
      expect((await push(url)).status).not.toBe(0);
    }
    writeFileSync(join(home, ".gitconfig"), "[safe]\n\tdirectory = *\n");
    const safe = await startCommand(flags, root, { env: { ...pretend, HOME: home } });
    for (const url of [safe.http, safe.git]) expect(await push(url)).toMatchObject({ status: 0 });
  });
});

describe("C7 a hook that takes its time", () => {
  it("is bridged by empty packets, over any way", async () => {
    const slow = await bare(join(root, "slow.git"));
    await git(["config", "receive.keepAlive", "1"], { cwd: slow });
    script(join(slow, "hooks", "pre-receive"), "sleep 3");
    const clone = join(temporaryDirectory("clone"), "c");
    await git(["clone", "-q", source, clone]);
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    await Promise.all(
      ways().map(async (way, i) => {
        const { status, stderr } = await tryGit(["push", `${way}/slow.git`, `HEAD:refs/heads/new-${i}`], {
          cwd: clone,
          env: { ...env(), GIT_TRACE_PACKET: "1" },
        });
        expect([way, status]).toEqual([way, 0]);
        const alive = stderr.match(/sideband< 1? ?$|sideband< \\1$/gm) ?? [];
        expect(alive.length).toBeGreaterThanOrEqual(2);
      }),
    );
  });
});
