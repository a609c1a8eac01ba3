import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { type Daemon, startDaemon } from "./daemon-rig.ts";
import { packet, RawClient, request } from "./raw-client.ts";
import { BIN, type Server, startCommand } from "./server.ts";
import { XGIT } from "./way.ts";

const outside = temporaryDirectory("outside");
const root = temporaryDirectory("filtered");
const bare = join(root, "r.git");
const hostile = join(root, "hostile.git");
const ran = join(outside, "ran");
const pids = join(outside, "pids");

/** The machine's settings. */
const SETTINGS = `
[tar "swap"]
	command = tr a-z n-za-m
	remote = true
[tar "level"]
	command = "cat >/dev/null; echo told >&2; pwd; echo \\"$0\\"; :"
	remote = yes
[tar "plain"]
	command = cat
	remote
[tar "private"]
	command = cat
[tar "fails"]
	command = "cat; exit 3"
	remote = true
[tar "missing"]
	command = ${outside}/nothing
	remote = true
[tar "empty"]
	remote = true
[tar "tgz"]
	command = cat
[tar "own"]
	command = git archive gzip
	remote = true
[tar "lingers"]
	command = "cat >/dev/null & sleep 600 & echo $$ $! >${pids}; echo begun; wait"
	remote = true
`;

/** Those alone whose archives are the same each time; by git's own order. */
const LISTED = [
  "tar",
  "tgz",
  "tar.gz",
  "swap",
  "level",
  "plain",
  "fails",
  "missing",
  "own",
  "lingers",
  "zip",
];

let server: Server;
let daemon: Daemon;
let env: Record<string, string>;

beforeAll(async () => {
  const source = await createTestRepository({ objectFormat: "sha1" });
  await source.commit("one", { file: "some text\n", large: "many words in it\n".repeat(100_000) });
  await git(["clone", "-q", "--bare", source.directory, bare]);
  await git(["clone", "-q", "--bare", source.directory, hostile]);
  for (const [key, value] of [
    ["tar.evil.command", `touch ${ran};`],
    ["tar.evil.remote", "true"],
    ["tar.swap.command", `touch ${ran};`],
    ["tar.private.remote", "true"],
    ["tar.plain.remote", "false"],
  ] as const)
    await git(["-C", hostile, "config", key, value]);
  const home = temporaryDirectory("home");
  writeFileSync(join(home, ".gitconfig"), SETTINGS);
  env = { PATH: process.env.PATH ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1" };
  const flags = ["--http-port", "off", "--git-port", "0", "--enable", "upload-archive"];
  server = await startCommand([root, ...flags], root, { env });
  daemon = await startDaemon([`--base-path=${root}`, "--export-all", "--enable=upload-archive"], env);
}, 60_000);

interface Fetched {
  readonly status: number;
  readonly bytes: Buffer;
  readonly errors: string;
}

function run(args: readonly string[], cwd: string = outside): Promise<Fetched> {
  return new Promise((resolve) => {
    const options = { cwd, env, encoding: "buffer" as const, maxBuffer: 1 << 28 };
    execFile("git", ["archive", ...args], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), bytes: stdout, errors: stderr.toString() });
    });
  });
}

/** git-http-backend's way, for which few clients are made. */
async function post(repository: string, args: readonly string[]): Promise<Buffer> {
  const body = `${args.map((one) => packet(`argument ${one}\n`)).join("")}0000`;
  const child = spawn(process.execPath, [BIN, "http-backend"], {
    env: {
      ...env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "http.uploadarchive",
      GIT_CONFIG_VALUE_0: "true",
      PATH_INFO: `/${repository}/git-upload-archive`,
      REQUEST_METHOD: "POST",
      CONTENT_TYPE: "application/x-git-upload-archive-request",
      CONTENT_LENGTH: String(body.length),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end(body);
  await once(child, "close");
  return Buffer.concat(chunks);
}

const WAYS = ["stdio", "serve", "daemon"] as const;

function fetchBy(
  way: (typeof WAYS)[number],
  args: readonly string[],
  repository = "r.git",
): Promise<Fetched> {
  if (way === "stdio")
    return run([`--remote=${join(root, repository)}`, `--exec=${XGIT} upload-archive`, ...args]);
  return run([`--remote=${way === "serve" ? server.git : daemon.url}/${repository}`, ...args]);
}

describe.each(WAYS)("the operator's formats of archives, by %s,", (way) => {
  it.each([
    [["--list"]],
    [["--format=swap", "--prefix=p/", "HEAD"]],
    [["--format=level", "-12", "HEAD"]],
    [["--format=level", "HEAD", "file"]],
    [["--format=plain", "HEAD"]],
    [["--format=tgz", "HEAD"]],
    [["--format=plain", "-v", "HEAD"]],
    [["--format=private", "HEAD"]],
    [["--format=empty", "HEAD"]],
    [["--format=evil", "HEAD"]],
  ])("are as git's own: %j", async (args) => {
    const theirs = await run([`--remote=${bare}`, ...args]);
    const ours = await fetchBy(way, args);
    // What git's own server, being on the same machine, says to the same terminal is left out.
    const lines = ({ errors }: Fetched) =>
      errors
        .split("\n")
        .filter((line) => !line.startsWith("fatal: sent error to the client"))
        .sort();
    expect([ours.status, lines(ours)]).toEqual([theirs.status, lines(theirs)]);
    expect(ours.bytes.equals(theirs.bytes)).toBe(true);
    if (args[0] === "--list") expect(ours.bytes.toString().trim().split("\n")).toEqual(LISTED);
  });

  it.each([
    ["fails", "fatal: 'cat; exit 3' filter reported error"],
    ["missing", `fatal: unable to start '${outside}/nothing' filter: No such file or directory`],
  ])("tell of programs that fail, in git's words: %s", async (format, words) => {
    const args = [`--format=${format}`, "HEAD"];
    // git archive, not its server: that loses the words now and then.
    const theirs = await run([`--format=${format}`, `--output=${outside}/out`, "HEAD"], bare);
    const ours = await fetchBy(way, args);
    expect([theirs.status, theirs.errors.trim()]).toEqual([128, words]);
    expect(ours.status).not.toBe(0);
    expect(ours.errors).toContain(`remote: ${words}`);
    expect(ours.errors).toContain("remote: git upload-archive: archiver died with error");
  });

  it("are no business of a repository's own settings, which may only say no", async () => {
    expect((await fetchBy(way, ["--format=evil", "HEAD"], "hostile.git")).errors).toContain(
      "Unknown archive format 'evil'",
    );
    const swapped = await fetchBy(way, ["--format=swap", "HEAD"], "hostile.git");
    expect(swapped.bytes.equals((await fetchBy(way, ["--format=swap", "HEAD"])).bytes)).toBe(true);
    const list = (await fetchBy(way, ["--list"], "hostile.git")).bytes.toString().trim().split("\n");
    expect(list).toEqual(LISTED.filter((name) => name !== "plain"));
    expect(existsSync(ran)).toBe(false);
  });
});

it("http-backend has them, too", async () => {
  const answer = (await post("r.git", ["--format=level", "-3", "HEAD"])).toString("latin1");
  expect(answer).toContain(`${bare}\n`);
  expect(answer).toContain(": -3\n");
  expect((await post("hostile.git", ["--format=evil", "HEAD"])).toString("latin1")).toContain(
    "Unknown archive format 'evil'",
  );
  expect(existsSync(ran)).toBe(false);
});

const alive = (pid: number) => {
  try {
    // A dead one that nobody has asked about yet is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

it.each(["serve", "daemon"] as const)(
  "%s ends a program with all it started when its client leaves",
  async (way) => {
    const client = new RawClient(way === "serve" ? server.git : daemon.url);
    const words = ["--format=lingers", "HEAD"].map((one) => packet(`argument ${one}\n`)).join("");
    client.send(request("git-upload-archive", "/r.git"), `${words}0000`);
    await client.until(/begun/);
    const group = readFileSync(pids, "utf8").trim().split(" ").map(Number);
    expect(group.length).toBe(2);
    expect(group.map(alive)).toEqual([true, true]);
    client.socket.destroy();
    await expect.poll(() => group.map(alive), { timeout: 10_000 }).toEqual([false, false]);
  },
);
