import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { createTestRepository, git, gitEnvironment, temporaryDirectory } from "@tooling/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packet, RawClient, request } from "./raw-client.ts";
import { type Server, startServer } from "./server.ts";
import { FORMATS, type Format, XGIT } from "./way.ts";

const root = temporaryDirectory("archives");
let server: Server;

beforeAll(async () => {
  for (const format of FORMATS) await makeRepository(format);
  server = await startServer(root, "--enable", "upload-archive");
}, 60_000);
afterAll(() => server.end());

async function makeRepository(format: Format): Promise<void> {
  const work = await createTestRepository({ objectFormat: format });
  const { directory } = work;
  await work.commit("first");
  await git(["tag", "-a", "-m", "one", "v1"], { cwd: directory });
  mkdirSync(`${directory}/dir/${"deep".repeat(30)}`, { recursive: true });
  writeFileSync(`${directory}/dir/${"deep".repeat(30)}/file`, "deep\n");
  writeFileSync(`${directory}/dir/ignored`, "x\n");
  writeFileSync(`${directory}/subst`, "$Format:%H %h %d %(describe)$\n");
  writeFileSync(`${directory}/.gitattributes`, "ignored export-ignore\nsubst export-subst\n");
  writeFileSync(`${directory}/big`, Buffer.alloc(3_000_000, "some text that goes on and on\n"));
  symlinkSync("dir", `${directory}/link`);
  await work.commit("second");
  await git(["update-ref", "refs/secret/x", "HEAD~1"], { cwd: directory });
  await git(["update-ref", "refs/secret/tip", "HEAD"], { cwd: directory });
  await git(["gc", "-q"], { cwd: directory });
  const bare = `${root}/${format}.git`;
  await git(["clone", "-q", "--mirror", directory, bare]);
  await git(["config", "transfer.hideRefs", "refs/secret"], { cwd: bare });
  await git(["config", "http.uploadarchive", "true"], { cwd: bare });
}

interface Fetched {
  readonly status: number;
  readonly bytes: Buffer;
  readonly errors: string;
}

function run(args: readonly string[], cwd: string = root): Promise<Fetched> {
  return new Promise((resolve) => {
    const options = { cwd, env: gitEnvironment(), encoding: "buffer" as const, maxBuffer: 1 << 28 };
    execFile("git", [...args], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), bytes: stdout, errors: stderr.toString() });
    });
  });
}

const WAYS = ["git://", "stdio"] as const;

function fetchBy(way: (typeof WAYS)[number], format: Format, args: readonly string[]): Promise<Fetched> {
  const remote =
    way === "git://"
      ? [`--remote=${server.git}/${format}.git`]
      : [`--remote=${root}/${format}.git`, `--exec=${XGIT} upload-archive`];
  return run(["archive", ...remote, ...args]);
}

describe.each(FORMATS)("archives of a %s repository", (format) => {
  it.each(WAYS.flatMap((way) => ["tar", "tgz", "zip"].map((kind) => [way, kind] as const)))(
    "over %s have git's bytes: %s",
    async (way, kind) => {
      const args = [`--format=${kind}`, "--prefix=p/", "main"];
      const ours = await fetchBy(way, format, args);
      expect(ours).toMatchObject({ status: 0, errors: "" });
      // Those who may see less hear of less: the hidden refs are not among the decorations.
      const clone = temporaryDirectory("clone");
      await git(["clone", "-q", "--mirror", `${server.git}/${format}.git`, clone]);
      const theirs = await run(["archive", ...args], clone);
      expect(theirs.status).toBe(0);
      // Compressed by another zlib, a tar file is still the same.
      const plain = ({ bytes }: Fetched) => (kind === "tgz" ? gunzipSync(bytes) : bytes);
      expect(plain(ours).equals(plain(theirs))).toBe(true);
      if (kind === "tgz") expect(ours.bytes.subarray(0, 10).equals(theirs.bytes.subarray(0, 10))).toBe(true);
    },
  );

  it.each([
    [["main", "dir", ":!*ignored"]],
    [["--format=zip", "-9", "v1"]],
    [["main:dir/"]],
    [["-v", "HEAD", "link"]],
  ])("take what git takes: %j", async (args) => {
    const ours = await fetchBy("git://", format, args);
    const stock = await run(["archive", `--remote=${root}/${format}.git`, ...args]);
    expect([ours.status, ours.errors]).toEqual([stock.status, stock.errors]);
    // A tree has no time of its own.
    if (args[0] === "main:dir/") expect(ours.bytes.length).toBe(stock.bytes.length);
    else expect(ours.bytes.equals(stock.bytes)).toBe(true);
  });

  it.each([
    [["nope"], "no such ref: nope"],
    [["main~1"], "no such ref: main~1"],
    [["refs/secret/x"], "no such ref: refs/secret/x"],
    [["main:../x"], "not a valid object name: main:../x"],
    [["main", "nothing"], "pathspec 'nothing' did not match any files"],
    [["--format=rar", "main"], "Unknown archive format 'rar'"],
  ])("refuse what a client may not have: %j", async (args, message) => {
    for (const way of WAYS) {
      const { status, bytes, errors } = await fetchBy(way, format, args);
      expect(bytes.length).toBe(0);
      expect(status).not.toBe(0);
      expect(errors).toContain(`remote: fatal: ${message}`);
      expect(errors).toContain("remote: git upload-archive: archiver died with error");
    }
  });
});

/** The request of `git archive`, in packets. */
function words(...args: readonly string[]): string {
  return `${args.map((one) => packet(`argument ${one}\n`)).join("")}0000`;
}

describe("upload-archive on the wire", () => {
  it("answers a POST as git-http-backend does", async () => {
    const answer = await fetch(`${server.http}/sha1.git/git-upload-archive`, {
      method: "POST",
      headers: { "content-type": "application/x-git-upload-archive-request" },
      body: words("--format=zip", "main", "dir"),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/x-git-upload-archive-result");
    const text = Buffer.from(await answer.arrayBuffer()).toString("latin1");
    expect(text.startsWith("0008ACK\n0000")).toBe(true);
    expect(text.slice(16, 20)).toBe("\x01PK\x03");
    expect(text.endsWith("0000")).toBe(true);
  });

  it("refuses other content types", async () => {
    const answer = await fetch(`${server.http}/sha1.git/git-upload-archive`, {
      method: "POST",
      headers: { "content-type": "application/x-git-upload-pack-request" },
      body: words("main"),
    });
    expect(answer.status).toBe(415);
  });

  it.each([
    ["too many arguments", words(...Array<string>(65).fill("x")), "Too many options (>63)"],
    ["what is no argument", `${packet("nonsense\n")}0000`, "'argument' token or flush expected"],
    ["an end in the middle", packet("argument main\n"), "the remote end hung up unexpectedly"],
    ["a file of the server", words("--add-file=/etc/passwd", "main"), "'--add-file' and '--remote'"],
    ["a way out of the repository", words("../../../etc/passwd"), "no such ref: ../../../etc/passwd"],
    ["a name with NUL", words("main\0x:secret", "nope"), "pathspec 'nope' did not match any files"],
    ["a long prefix", words(`--prefix=${"x".repeat(5000)}`, "main"), "maxArchivePrefixBytes"],
    ["a wide format", words("main", "[".repeat(3000)), "did not match any files"],
  ])("%s ends it with a message", async (_, sent, message) => {
    const client = new RawClient(server.git);
    client.send(request("git-upload-archive", "/sha1.git"), sent).finish();
    const text = await client.until(/archiver died with error/);
    expect(text.startsWith("0008ACK\n0000")).toBe(true);
    expect(text).toContain("\x02fatal: ");
    expect(text).toContain(message);
    expect(text).toContain("\x03git upload-archive: archiver died with error");
  });

  it("goes on serving while a client does not read, and lets go of it when it leaves", async () => {
    const sockets = () => server.openFiles().filter((file) => file.startsWith("socket:")).length;
    const before = sockets();
    const client = new RawClient(server.git);
    client.socket.pause();
    client.send(request("git-upload-archive", "/sha1.git"), words("--format=tar", "main"));
    expect((await fetchBy("git://", "sha1", ["main", "dir"])).status).toBe(0);
    client.socket.destroy();
    const end = Date.now() + 5000;
    while (sockets() > before && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sockets()).toBeLessThanOrEqual(before);
  });
});

describe("a server that was told nothing of archives", () => {
  it("makes none", async () => {
    const quiet = await startServer(root);
    try {
      const { status, bytes } = await run(["archive", `--remote=${quiet.git}/sha1.git`, "main"]);
      expect([status, bytes.length]).toEqual([128, 0]);
      const answer = await fetch(`${quiet.http}/sha1.git/git-upload-archive`, {
        method: "POST",
        headers: { "content-type": "application/x-git-upload-archive-request" },
        body: words("main"),
      });
      expect(answer.status).toBe(403);
    } finally {
      await quiet.end();
    }
  });
});
