import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { formatFilter } from "../src/stdio/pack-objects-hook.ts";
import { FakeTerminal } from "./terminal.ts";

const BIN = new URL("../dist/bin.js", import.meta.url).pathname;

type Env = Readonly<Record<string, string>>;

let root = "";
let r = "";
beforeAll(async () => {
  root = temporaryDirectory("drop-in");
  r = `${root}/r.git`;
  const source = await createTestRepository({ objectFormat: "sha1" });
  await source.commit("one");
  await source.commit("two");
  await git(["clone", "-q", "--bare", source.directory, r]);
});

/** An empty home, and none of the machine's settings. */
function environment(env: Env): Record<string, string> {
  const home = `${root}/home`;
  mkdirSync(home, { recursive: true });
  return { HOME: home, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_COUNT: "0", ...env };
}

async function ours(argv: readonly string[], env: Env = {}, input = "0000") {
  const terminal = new FakeTerminal(environment(env), input);
  const status = await main(argv, terminal);
  return { status, out: terminal.out, err: terminal.err };
}

/** A repository with more in its config. */
function withConfig(text: string): string {
  const directory = temporaryDirectory("configured");
  spawnSync("cp", ["-r", `${r}/.`, directory]);
  writeFileSync(`${directory}/config`, `${readFileSync(`${r}/config`, "latin1")}${text}\n`);
  return directory;
}

const packet = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;

const refsOf = (out: string) => [...out.matchAll(/[0-9a-f]{40} (\S+?)[\0\n]/g)].map(([, name]) => name);

describe("refuses what git refuses, in the same words", () => {
  const configs: readonly [text: string, late: RegExp | undefined][] = [
    ["[uploadpack]allowFilter=maybe", undefined],
    ["[uploadpack]keepAlive=5x", / in file config(?=:)/],
    ["[uploadpack]keepAlive=99999999999", / in file config(?=:)/],
    ["[uploadpack]keepAlive", / in file config(?=:)/],
    ["[uploadpack]\nhideRefs", / at line [0-9]+$/m],
    ["[transfer]\nhideRefs", / at line [0-9]+$/m],
    ["[transfer]advertiseSID=x", undefined],
    ["[uploadpackfilter]allow=x", undefined],
    ['[uploadpackfilter "blob:none"]allow=x', undefined],
    ['[uploadpackfilter "tree"]maxDepth=-1', / in file config(?=:)/],
    ["[uploadpack", undefined],
  ];
  it.each(configs)("config %j", async (text, late) => {
    const directory = withConfig(`${text}`);
    const expected = await tryGit(["upload-pack", "--advertise-refs", directory], { env: environment({}) });
    expect(expected.status).toBe(128);
    const { status, out, err } = await ours(["upload-pack", "--advertise-refs", directory]);
    // What newer versions of git say more than the tested one, or the other way round.
    const plain = (words: string) => (late instanceof RegExp ? words.replace(late, "") : words);
    expect({ status, out, err: plain(err) }).toEqual({ status: 128, out: "", err: plain(expected.stderr) });
  });

  const environments: readonly Env[] = [
    { GIT_CONFIG_COUNT: "x" },
    { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "a", GIT_CONFIG_VALUE_0: "b" },
    { GIT_CONFIG_PARAMETERS: "x" },
    { GIT_CONFIG_PARAMETERS: "'uploadpack.allowfilter'='x'" },
    { GIT_CONFIG_PARAMETERS: "'uploadpack.keepalive=b'" },
    { GIT_CONFIG_PARAMETERS: "'uploadpackfilter.tree.maxdepth'=" },
    { GIT_NAMESPACE: "a..b" },
  ];
  it.each(environments)("environment %j", async (env) => {
    const expected = await tryGit(["upload-pack", "--advertise-refs", r], { env: environment(env) });
    expect(expected.status).toBe(128);
    const { status, out, err } = await ours(["upload-pack", "--advertise-refs", r], env);
    expect({ status, out, err }).toEqual({ status: 128, out: "", err: expected.stderr });
  });

  it.each(["", "0009hell", "0032want 1111"])("a client that hangs up after %j", async (input) => {
    const expected = await tryGit(["upload-pack", r], { env: environment({}), input });
    const { status, err } = await ours(["upload-pack", r], {}, input);
    expect({ status, err }).toEqual({ status: expected.status, err: expected.stderr });
    expect(status).toBe(128);
  });

  it.each([0, 2])("a want of nobody, in v%i", async (version) => {
    const want = `0032want ${"1".repeat(40)}\n`;
    const input = version === 2 ? `0011command=fetch0001${want}0009done\n0000` : `${want}00000009done\n`;
    const env = { GIT_PROTOCOL: `version=${version}` };
    const args = ["upload-pack", "--stateless-rpc", r];
    const expected = await tryGit(args, { env: environment(env), input });
    const { status, out, err } = await ours(args, env, input);
    expect({ status, out, err }).toEqual({ status: 128, out: expected.stdout, err: expected.stderr });
  });

  it.each(["version=2", "version=2:version=1", "x:version=2", "version=9:version=2"])(
    "ends well after GIT_PROTOCOL=%s and no command",
    async (protocol) => {
      const answer = await ours(["upload-pack", r], { GIT_PROTOCOL: protocol }, "");
      expect(answer).toMatchObject({ status: 0, err: "" });
      expect(answer.out).toMatch(/^000eversion 2\n/);
    },
  );
});

describe("settings", () => {
  it("of every scope count, the later ones more", async () => {
    const advertise = (env: Env) => ours(["upload-pack", "--advertise-refs", r], env);
    expect((await advertise({})).out).not.toContain(" filter");
    const env = { GIT_CONFIG_GLOBAL: `${root}/global` };
    writeFileSync(`${root}/global`, "[uploadpack]allowFilter\n");
    expect((await advertise(env)).out).toContain(" filter");
    const command = { ...env, GIT_CONFIG_PARAMETERS: "'uploadpack.allowFilter'='false'" };
    expect((await advertise(command)).out).not.toContain(" filter");
  });

  it("GIT_NAMESPACE names the refs to be served", async () => {
    const tip = await git(["rev-parse", "main"], { cwd: r });
    const name = "refs/namespaces/a/refs/namespaces/b/refs/heads/inner";
    await git(["update-ref", name, tip], { cwd: r });
    const { out } = await ours(["upload-pack", "--advertise-refs", r], { GIT_NAMESPACE: "a/b" });
    expect(refsOf(out)).toEqual(["refs/heads/inner"]);
    await git(["update-ref", "-d", name], { cwd: r });
  });

  it("GIT_USER_AGENT is what it calls itself", async () => {
    const { out } = await ours(["upload-pack", "--advertise-refs", r], { GIT_USER_AGENT: "some thing/1" });
    expect(out).toContain("agent=some.thing/1");
  });

  it("objects may lie where the environment says", async () => {
    const bare = `${root}/borrowing.git`;
    await git(["init", "-q", "--bare", bare]);
    const tip = await git(["rev-parse", "main"], { cwd: r });
    writeFileSync(`${bare}/refs/heads/main`, `${tip}\n`);
    for (const env of [
      { GIT_ALTERNATE_OBJECT_DIRECTORIES: `/nowhere:${r}/objects` },
      { GIT_ALTERNATE_OBJECT_DIRECTORIES: `"${r}/objects"` },
      { GIT_ALTERNATE_OBJECT_DIRECTORIES: "../r.git/objects" },
      { GIT_OBJECT_DIRECTORY: `${r}/objects` },
    ])
      expect(refsOf((await ours(["upload-pack", "--advertise-refs", bare], env)).out)).toContain(
        "refs/heads/main",
      );
    expect(refsOf((await ours(["upload-pack", "--advertise-refs", bare])).out)).not.toContain(
      "refs/heads/main",
    );
  });
});

describe("a repository of somebody else's", () => {
  const env = { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" };
  it("may be fetched from, as from git", async () => {
    expect((await ours(["upload-pack", r], env)).status).toBe(0);
  });

  it("may be pushed into only when safe.directory says so", async () => {
    const { status, out, err } = await ours(["receive-pack", r], env);
    expect([status, out]).toEqual([128, ""]);
    expect(err).toBe(
      `fatal: detected dubious ownership in repository at '${r}'\n` +
        `To add an exception for this directory, call:\n\n\tgit config --global --add safe.directory ${r}\n`,
    );
    const allowed = async (...values: string[]) => {
      const text = values.map((value) => `'safe.directory'='${value}'`).join(" ");
      return (await ours(["receive-pack", r], { ...env, GIT_CONFIG_PARAMETERS: text })).status === 0;
    };
    symlinkSync(root, `${root}/link`);
    for (const value of ["*", r, `${root}/*`, `${root}/link/r.git`]) expect(await allowed(value)).toBe(true);
    for (const value of [".", root, `${r}/objects`, "r.git", "/nowhere/*"])
      expect(await allowed(value)).toBe(false);
    expect(await allowed("*", "")).toBe(false);
    expect(await allowed("", "*")).toBe(true);
    const own = withConfig("[safe]directory=*");
    expect((await ours(["receive-pack", own], env)).status).toBe(128);
  });
});

describe("uploadpack.packObjectsHook", () => {
  const clone = (directory: string, more: readonly string[] = []) =>
    tryGit(
      [
        "clone",
        "-q",
        "--bare",
        "-u",
        `'${process.execPath}' '${BIN}' upload-pack`,
        ...more,
        `file://${r}`,
        directory,
      ],
      { env: { HOME: `${root}/home` } },
    );

  function script(name: string, text: string): string {
    const path = `${root}/${name}`;
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** Git keeps `GIT_CONFIG_*` from the server that it starts: the user's own file has to say it. */
  function forUser(hook: string): void {
    mkdirSync(`${root}/home`, { recursive: true });
    writeFileSync(`${root}/home/.gitconfig`, `[uploadpack]\n\tpackObjectsHook = ${JSON.stringify(hook)}\n`);
  }

  it("makes the pack from what it is told, and is heard by the user", async () => {
    const hook = script(
      "hook",
      `echo >&2 hook running; pwd >'${root}/pwd'; echo "$*" >'${root}/args'; tee '${root}/stdin' | "$@"`,
    );
    forUser(hook);
    const { status, stderr } = await clone(`${root}/c1`);
    expect([status, stderr]).toEqual([0, expect.stringContaining("remote: hook running")]);
    expect(await git(["fsck"], { cwd: `${root}/c1` })).toBe("");
    expect(readFileSync(`${root}/pwd`, "utf8")).toBe(`${r}\n`);
    expect(readFileSync(`${root}/args`, "utf8")).toBe(
      "git pack-objects --revs --thin --stdout --delta-base-offset\n",
    );
    const tip = await git(["rev-parse", "main"], { cwd: r });
    expect(readFileSync(`${root}/stdin`, "utf8")).toBe(`${tip}\n--not\n\n`);
  });

  it("may be a line for the shell, and hears of depth", async () => {
    forUser(`echo "$@" >'${root}/line'; : "then";`);
    expect((await clone(`${root}/c2`, ["--depth=1"])).status).toBe(0);
    expect(await git(["rev-list", "--count", "main"], { cwd: `${root}/c2` })).toBe("1");
    expect(readFileSync(`${root}/line`, "utf8")).toMatch(
      /^git --shallow-file {2}pack-objects --revs --thin --stdout --shallow --delta-base-offset/,
    );
  });

  it("fails as git's packer does", async () => {
    forUser(script("broken", "echo >&2 oh no; exit 3"));
    const { status, stderr } = await clone(`${root}/c3`);
    expect(status).toBe(128);
    expect(stderr).toContain("remote: oh no");
    expect(stderr).toContain("error: git upload-pack: git-pack-objects died with error.");
    expect(stderr).toContain("remote: aborting due to possible repository corruption on the remote side.");
    forUser("/does/not/exist");
    expect((await clone(`${root}/c4`)).status).toBe(128);
  });

  it("is not kept in memory, though it says nothing to the user", async () => {
    const hook = script("large", "head -c 400000000 /dev/zero");
    const input = `${packet("command=fetch")}0001${packet(`want ${await git(["rev-parse", "main"], { cwd: r })}`)}${packet("done")}0000`;
    const child = spawn(process.execPath, [BIN, "upload-pack", "--stateless-rpc", r], {
      env: environment({
        GIT_PROTOCOL: "version=2",
        GIT_CONFIG_PARAMETERS: `'uploadpack.packObjectsHook'='${hook}'`,
        PATH: process.env.PATH ?? "",
      }),
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.end(input);
    let bytes = 0;
    let most = 0;
    let lookAt = 0;
    for await (const chunk of child.stdout) {
      bytes += (chunk as Buffer).length;
      if (bytes < lookAt) continue;
      lookAt += 10_000_000;
      most = Math.max(most, peakKiB(child.pid));
    }
    expect(bytes).toBeGreaterThan(400_000_000);
    expect(most).toBeGreaterThan(0);
    expect(most / 1024).toBeLessThan(256);
  }, 60_000);

  it("is not the repository's to choose", async () => {
    forUser("");
    writeFileSync(`${root}/home/.gitconfig`, "");
    const directory = withConfig(`[uploadpack]packObjectsHook="touch ${root}/owned; false"`);
    const { status } = await tryGit([
      "clone",
      "-q",
      "--bare",
      "-u",
      `'${process.execPath}' '${BIN}' upload-pack`,
      `file://${directory}`,
      `${root}/c5`,
    ]);
    expect(status).toBe(0);
    expect(() => readFileSync(`${root}/owned`)).toThrow();
  });

  it("is told that objects may be missing, to a client that takes them from a promisor remote", async () => {
    const promised = withConfig(
      '[promisor]advertise=true\n[remote "lop"]promisor=true\nurl=https://lop.example',
    );
    const hook = script("telling", `echo "$*" >'${root}/told'; "$@"`);
    const tip = await git(["rev-parse", "main"], { cwd: r });
    const fetch = async (...accepted: string[]) => {
      const head = ["command=fetch", ...accepted].map(packet).join("");
      const input = `${head}0001${packet(`want ${tip}`)}${packet("no-progress")}${packet("done")}0000`;
      const env = {
        GIT_PROTOCOL: "version=2",
        GIT_CONFIG_PARAMETERS: `'uploadpack.packObjectsHook'='${hook}'`,
        PATH: process.env.PATH ?? "",
      };
      const { status, out } = await ours(["upload-pack", "--stateless-rpc", promised], env, input);
      expect([status, out.slice(0, 13)]).toEqual([0, packet("packfile\n")]);
      return readFileSync(`${root}/told`, "utf8");
    };
    const plain = "git pack-objects --revs --stdout";
    expect(await fetch()).toBe(`${plain}\n`);
    expect(await fetch("promisor-remote=none")).toBe(`${plain}\n`);
    expect(await fetch("promisor-remote=none;lop")).toBe(`${plain} --missing=allow-promisor\n`);
  });

  it("is told of filters", () => {
    expect(
      formatFilter({
        kind: "combine",
        filters: [
          { kind: "blob-limit", limitBytes: 7 },
          { kind: "tree-depth", depth: 2 },
          { kind: "object-type", type: "blob" },
          { kind: "combine", filters: [{ kind: "blob-none" }, { kind: "tree-depth", depth: 0 }] },
        ],
      }),
    ).toBe("combine:blob:limit=7+tree:2+object:type=blob+combine:blob:none%2Btree:0");
  });
});

it("is found by a client as git-upload-pack", async () => {
  const bin = `${root}/bin`;
  mkdirSync(bin);
  symlinkSync(BIN, `${bin}/git-upload-pack`);
  const { status, stderr } = await tryGit([
    "clone",
    "-q",
    "--bare",
    "-u",
    `${bin}/git-upload-pack`,
    `file://${r}`,
    `${root}/c9`,
  ]);
  expect([status, stderr]).toEqual([0, ""]);
});

/** 0 for a process that has ended: what it left in its pipe may still be read then. */
function peakKiB(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
