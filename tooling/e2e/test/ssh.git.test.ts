import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Key,
  makeKey,
  type SshHost,
  serveSsh,
  shellLine,
  ssh,
  sshCommand,
  startSshd,
} from "./ssh-rig.ts";
import { FORMATS, VERSIONS } from "./way.ts";

const ACCESS = `
group team = ada
repo **
  read anyone
repo private*
  read @team
repo sha1* sha256*
  read eve
  write ada
`;

let root = "";
let ada: Key;
let eve: Key;
const hosts = new Map<string, SshHost>();

beforeAll(async () => {
  root = temporaryDirectory("root");
  for (const format of FORMATS) {
    const source = await createTestRepository({ objectFormat: format });
    for (let i = 0; i < 20; i++) await source.commit(`commit ${i}`, { [`file-${i}`]: "x".repeat(i * 100) });
    await source.git("tag", "-a", "-m", "one", "v1");
    await git(["clone", "-q", "--bare", source.directory, join(root, `${format}.git`)]);
  }
  await git(["clone", "-q", "--bare", join(root, "sha1.git"), join(root, "private.git")]);
  const access = join(temporaryDirectory("access"), "access");
  writeFileSync(access, ACCESS);
  ada = makeKey("ada");
  eve = makeKey("eve");
  const flags = (user: string) => `--user ${user} --root ${root} --access ${access}`;
  hosts.set(
    "sshd and xgit shell",
    await startSshd([shellLine(ada, flags("ada")), shellLine(eve, flags("eve"))]),
  );
  hosts.set("xgit serve", await serveSsh(root, ada));
}, 60_000);

const WAYS = ["sshd and xgit shell", "xgit serve"].flatMap((way) =>
  FORMATS.flatMap((format) => VERSIONS.map((version) => [way, format, version] as const)),
);

// sshd starts a process for every command.
describe("git over ssh", { timeout: 60_000 }, () => {
  it.each(WAYS)("through %s clones, pushes and fetches: %s, v%d", async (way, format, version) => {
    const host = hosts.get(way) as SshHost;
    const env = { GIT_SSH_COMMAND: sshCommand(ada), GIT_TRACE_PACKET: "" };
    const directory = temporaryDirectory("clone");
    const url = `${host.url}/${format}.git`;
    const run = (...args: string[]) =>
      git(["-c", `protocol.version=${version}`, ...args], { cwd: directory, env });
    const refs = await git(["ls-remote", join(root, `${format}.git`), "HEAD", "refs/tags/*"]);
    expect(await run("ls-remote", url, "HEAD", "refs/tags/*")).toBe(refs);
    await run("clone", "-q", url, ".");
    await run("fsck", "--strict");
    const branch = `refs/heads/${way.slice(-5).trim()}-${version}`;
    await run("commit", "-q", "--allow-empty", "-m", "more");
    await run("push", "-q", "origin", `HEAD:${branch}`);
    const head = await run("rev-parse", "HEAD");
    expect(await git(["rev-parse", branch], { cwd: join(root, `${format}.git`) })).toBe(head);
    await run("fetch", "-q", "origin", `${branch}:refs/heads/back`);
    expect(await run("rev-parse", "back")).toBe(head);
  });

  it.each(["sshd and xgit shell", "xgit serve"])(
    "through %s speaks the version that is asked for",
    async (way) => {
      const host = hosts.get(way) as SshHost;
      for (const version of VERSIONS) {
        const env = { GIT_SSH_COMMAND: sshCommand(ada), GIT_TRACE_PACKET: "1" };
        const { stderr } = await tryGit(
          ["-c", `protocol.version=${version}`, "ls-remote", `${host.url}/sha1.git`],
          { env },
        );
        expect(/< version (\d)/.exec(stderr)?.[1]).toBe(version === 0 ? undefined : String(version));
      }
    },
  );

  it.each(["sshd and xgit shell", "xgit serve"])("through %s runs nothing else", async (way) => {
    const host = hosts.get(way) as SshHost;
    for (const [command, words] of [
      ["id", "fatal: unrecognized command 'id'\n"],
      ["git-upload-pack", "fatal: bad argument\n"],
      ["git-upload-pack '-x'", "fatal: bad argument\n"],
      ["git-upload-pack 'sha1.git'; id", "fatal: bad argument\n"],
      ['git-upload-pack "sha1.git"', "fatal: bad argument\n"],
      ["git-upload-pack '/etc/../sha1.git'", "does not appear to be a git repository\n"],
      ["git-upload-pack '~root/sha1.git'", "does not appear to be a git repository\n"],
      ["git-upload-pack 'missing.git'", "fatal: 'missing.git' does not appear to be a git repository\n"],
    ] as const) {
      const { status, stdout, stderr } = await ssh(host, ada, [command]);
      expect([command, status, stdout]).toEqual([command, 128, ""]);
      expect(stderr).toContain(words);
      expect(stderr).not.toContain(root);
    }
    expect(await ssh(host, ada, ["-T"])).toEqual({
      status: 1,
      stdout: "",
      stderr: "Hello ada: your key is known here. There is no shell, only Git.\n",
    });
    const names = ["/sha1.git", "sha1", "~/sha1.git", "/sha1.git/"];
    for (const name of names) {
      const { status, stdout } = await ssh(host, ada, [`git upload-pack '${name}'`]);
      expect([name, status, stdout.slice(0, 14)]).toEqual([name, 0, "000eversion 2\n"]);
    }
  });
});

describe("git archive over ssh", { timeout: 60_000 }, () => {
  const ways = ["sshd and xgit shell", "xgit serve"].flatMap((way) =>
    FORMATS.map((format) => [way, format] as const),
  );
  it.each(ways)("through %s has the bytes of git's own: %s", async (way, format) => {
    const host = hosts.get(way) as SshHost;
    const env = { GIT_SSH_COMMAND: sshCommand(ada) };
    const remote = `--remote=${host.url}/${format}.git`;
    const args = ["--format=tar", "--prefix=a/", "main", "file-3", "file-19"];
    const theirs = await git(["archive", ...args], { cwd: join(root, `${format}.git`) });
    expect(await git(["archive", remote, ...args], { env })).toBe(theirs);
    expect(await git(["archive", remote, "--list"], { env })).toBe("tar\ntgz\ntar.gz\nzip");
    const missing = await tryGit(["archive", remote, "nothing"], { env });
    expect(missing.status).not.toBe(0);
    expect(missing.stderr).toContain("no such ref: nothing");
  });
});

describe("xgit shell with rules", { timeout: 60_000 }, () => {
  const tryAs = (key: Key, ...args: string[]) => tryGit(args, { env: { GIT_SSH_COMMAND: sshCommand(key) } });

  it("shows a repository that is not for this user as little as one that is missing", async () => {
    const host = hosts.get("sshd and xgit shell") as SshHost;
    const says = async (name: string) => {
      const { status, stderr } = await tryAs(eve, "ls-remote", `${host.url}/${name}`);
      return [status, stderr.replaceAll(name, "NAME")];
    };
    expect(await says("private.git")).toEqual(await says("missing.git"));
    expect((await says("private.git"))[1]).toContain("'/NAME' does not appear to be a git repository");
    expect(await tryAs(ada, "ls-remote", `${host.url}/private.git`)).toMatchObject({ status: 0 });
    expect(await tryAs(eve, "ls-remote", `${host.url}/sha1.git`)).toMatchObject({ status: 0 });
  });

  it("lets nobody push who may only read", async () => {
    const host = hosts.get("sshd and xgit shell") as SshHost;
    const from = join(root, "sha1.git");
    const push = (key: Key, name: string) =>
      tryAs(key, "-C", from, "push", `${host.url}/${name}`, "main:refs/heads/eves");
    for (const [key, name, user] of [
      [eve, "sha1.git", "eve"],
      [ada, "private.git", "ada"],
    ] as const) {
      const { status, stderr } = await push(key, name);
      expect(status).toBe(128);
      expect(stderr).toContain(`fatal: ${user} may read this repository, not write to it`);
    }
    expect(await git(["for-each-ref", "refs/heads/eves"], { cwd: from })).toBe("");
  });
});
