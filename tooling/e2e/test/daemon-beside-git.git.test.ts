import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, gitEnvironment, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort, startDaemon } from "./daemon-rig.ts";
import { packet, RawClient } from "./raw-client.ts";

const root = temporaryDirectory("exports");
const sources = new Map<"sha1" | "sha256", string>();
const HOST = "host=h.example\0";

async function bare(name: string, settings: readonly (readonly [string, string])[] = [], exported = true) {
  const path = join(root, name);
  const source = sources.get(name.startsWith("two") ? "sha256" : "sha1") as string;
  await git(["clone", "-q", "--bare", source, path]);
  if (exported) writeFileSync(join(path, "git-daemon-export-ok"), "");
  for (const [key, value] of settings) await git(["-C", path, "config", key, value]);
}

beforeAll(async () => {
  for (const objectFormat of ["sha1", "sha256"] as const) {
    const made = await createTestRepository({ objectFormat });
    await made.commit("one");
    await made.git("tag", "-a", "-m", "t", "v1");
    sources.set(objectFormat, made.directory);
  }
  await bare("open.git");
  await bare("two.git");
  await bare("closed.git", [], false);
  await bare("archived.git", [["daemon.uploadarch", "true"]]);
  await bare("pushed.git", [["daemon.receivepack", "true"]]);
  await bare("off.git", [["daemon.uploadpack", "false"]]);
  await bare("on.git", [["daemon.uploadpack", "true"]]);
  await bare("both");
  await bare("both.git", [["daemon.uploadpack", "false"]]);
  mkdirSync(join(root, "work"));
  await git(["clone", "-q", sources.get("sha1") as string, join(root, "work")]);
  writeFileSync(join(root, "work", ".git", "git-daemon-export-ok"), "");
  await bare("hosts/h.example/v.git");
  await bare("addresses/127.0.0.1/77/v.git");
}, 60_000);

/** Stock git's own, with the same flags. */
async function startGits(flags: readonly string[]): Promise<string> {
  const port = await freePort();
  const child = spawn(
    "git",
    ["daemon", "--verbose", "--listen=127.0.0.1", `--port=${port}`, ...flags],
    // Its children are of its group, and have to end with it.
    { env: gitEnvironment(), stdio: ["ignore", "ignore", "pipe"], detached: true },
  );
  onTestFinished(() => void process.kill(-(child.pid as number), "SIGKILL"));
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("Ready to rumble")) resolve();
    });
    child.once("exit", () => reject(new Error(log)));
  });
  return `git://127.0.0.1:${port}`;
}

/** What is said to a client of git's words; who says it, and what the next git offers too, is nobody's row. */
async function said(url: string, line: string, then = "0000"): Promise<string> {
  const answer = await new RawClient(url).send(packet(line), then).finish().answer();
  return answer
    .replace(/^([0-9a-f]{4})(?=[0-9a-f]{40,64} |ERR )/, "")
    .replace(/agent=\S+/g, "agent=x")
    .replace(/[0-9a-f]{4}object-info\n/, "")
    .replace(/=shallow.*\n/, "\n")
    .replace(/0010(?=0000$)/, "")
    .replace(/[0-9a-f]{4}(?=agent=)|[0-9a-f]{4}(?=fetch\n)/g, "");
}

const ask = (path: string, service = "git-upload-pack", tail = HOST) => `${service} ${path}\0${tail}`;
const LIST = `${packet("argument --list\n")}0000`;

describe("xgit daemon says what git daemon says", () => {
  it.each<[string, readonly string[], readonly (readonly [string, string?])[]]>([
    [
      "paths, and where they are looked up",
      ["--base-path=ROOT"],
      [
        [ask("/open.git")],
        [ask("/open")],
        [ask("/open.git\n")],
        [ask("/open.git/")],
        [ask("/two.git")],
        [ask("/work")],
        [ask("/work/.git")],
        [ask("/both")],
        [ask("/both.git")],
        [ask("/nope")],
        [ask("/")],
        [ask("-open")],
        [ask("open.git")],
        [ask("//open.git")],
        [ask("/./open.git")],
        [ask("/open.git/.")],
        [ask("/open.git/..")],
        [ask("/open.git//")],
        [ask("/hosts/../open.git")],
        [ask("~root/x")],
        [ask("~")],
      ],
    ],
    [
      "hosts and versions, for each service",
      ["--base-path=ROOT"],
      [
        ["git-upload-pack /open.git"],
        [ask("/open.git", "git-upload-pack", "")],
        [ask("/open.git", "git-upload-pack", "host=\0")],
        [ask("/open.git", "git-upload-pack", "host=[::1]:9418\0")],
        [ask("/open.git", "git-upload-pack", "HOST=h\0\0version=1\0")],
        [ask("/open.git", "git-upload-pack", "host=h\0\0version=1\0")],
        [ask("/open.git", "git-upload-pack", "host=h\0\0version=2\0")],
        [ask("/open.git", "git-upload-pack", "host=h\0\0version=2:version=1\0")],
        [ask("/open.git", "git-upload-pack", "host=h\0\0version=1\0x=y\0version=2\0")],
        [ask("/open.git", "git-upload-pack", "\0version=1\0")],
        [ask("/open.git", "git-upload-pack", "host=h\0\0version=3\0")],
        [ask("/two.git", "git-upload-pack", "host=h\0\0version=2\0")],
        [ask("/pushed.git", "git-receive-pack", "host=h\0\0version=2\0")],
        [ask("/pushed.git", "git-receive-pack", "host=h\0\0version=1\0")],
        [ask("/archived.git", "git-upload-archive", "host=h\0\0version=2\0"), LIST],
      ],
    ],
    [
      "daemon.uploadpack, daemon.uploadarch, daemon.receivepack",
      ["--base-path=ROOT"],
      [
        [ask("/off.git")],
        [ask("/archived.git", "git-upload-archive"), LIST],
        [ask("/open.git", "git-upload-archive"), LIST],
        [ask("/pushed.git", "git-receive-pack")],
        [ask("/open.git", "git-receive-pack")],
        [ask("/closed.git", "git-receive-pack")],
      ],
    ],
    [
      "--enable",
      ["--base-path=ROOT", "--enable=upload-archive", "--enable=receive-pack"],
      [
        [ask("/open.git", "git-upload-archive"), LIST],
        [ask("/open.git", "git-receive-pack")],
        [ask("/two.git", "git-receive-pack")],
        [ask("/closed.git", "git-receive-pack")],
      ],
    ],
    [
      "--disable and --forbid-override",
      ["--base-path=ROOT", "--disable=upload-pack", "--forbid-override=receive-pack", "--informative-errors"],
      [
        [ask("/open.git")],
        [ask("/on.git")],
        [ask("/pushed.git", "git-receive-pack")],
        [ask("/nope")],
        [ask("/closed.git")],
      ],
    ],
    [
      "--forbid-override, then --allow-override",
      ["--base-path=ROOT", "--forbid-override=receive-pack", "--allow-override=receive-pack"],
      [[ask("/pushed.git", "git-receive-pack")]],
    ],
    [
      "--informative-errors",
      ["--base-path=ROOT", "--informative-errors"],
      [
        [ask("/closed.git")],
        [ask("/nope")],
        [ask("/off.git")],
        [ask("/open.git")],
        [ask("/../x")],
        [ask("rel")],
        [ask("~root/x")],
      ],
    ],
    [
      "--export-all",
      ["--base-path=ROOT", "--export-all"],
      [[ask("/closed.git")], [ask("/nope")], [ask("/off.git")]],
    ],
    [
      "--strict-paths with a repository",
      ["--strict-paths", "ROOT/open.git"],
      [[ask("ROOT/open.git")], [ask("ROOT/open")], [ask("ROOT/both")]],
    ],
    [
      "--strict-paths with a directory",
      ["--strict-paths", "ROOT", "ROOT/work/.git"],
      [[ask("ROOT/open.git")], [ask("ROOT/open")], [ask("ROOT/work")], [ask("ROOT/work/.git")]],
    ],
    [
      "directories",
      ["ROOT/hosts", "ROOT/open.git"],
      [
        [ask("ROOT/hosts/h.example/v.git")],
        [ask("ROOT/hosts/h.example/v")],
        [ask("ROOT/open")],
        [ask("ROOT/both")],
        [ask("ROOT/hostsx")],
        [ask("/open.git")],
      ],
    ],
    [
      "--base-path-relaxed",
      ["--base-path=ROOT", "--base-path-relaxed"],
      [[ask("/open.git")], [ask("ROOT/open.git")], [ask("/nope")]],
    ],
    ["--base-path without it", ["--base-path=ROOT"], [[ask("ROOT/open.git")], [ask("/open.git")]]],
    [
      "--user-path",
      ["--user-path", "--export-all"],
      [[ask("~root/nope")], [ask("~nobody-of-that-name/x")], [ask("~/x")]],
    ],
    [
      "%H and %D",
      ["--interpolated-path=ROOT/hosts/%H%D"],
      [
        [ask("/v.git", "git-upload-pack", "host=H.Example\0")],
        [ask("/v.git", "git-upload-pack", "host=h.example:77\0")],
        [ask("/v.git", "git-upload-pack", "host=../hosts/h.example\0")],
        [ask("/v.git", "git-upload-pack", "host=.h.example\0")],
        [ask("/v.git", "git-upload-pack", "host=h..example\0")],
        [ask("/v.git", "git-upload-pack", "")],
        [ask("/../h.example/v.git")],
        [ask("v.git")],
      ],
    ],
    [
      "%IP and %P",
      ["--interpolated-path=ROOT/addresses/%IP/%P%D"],
      [
        [ask("/v.git", "git-upload-pack", "host=localhost:77\0")],
        [ask("/v.git", "git-upload-pack", "host=127.0.0.1:77\0")],
        [ask("/v.git", "git-upload-pack", "host=127.0.0.1\0")],
      ],
    ],
    [
      "--access-hook",
      [
        "--base-path=ROOT",
        '--access-hook=test "$1" = upload-pack || { echo "no $1"; exit 1; }; :',
        "--enable=receive-pack",
      ],
      [[ask("/open.git")], [ask("/open.git", "git-receive-pack")]],
    ],
  ])(
    "about %s",
    async (name, flags, asked) => {
      const words = (text: string) => text.replace(/ROOT/g, root);
      const all = flags.map(words);
      const theirs = await startGits(all);
      const { url } = await startDaemon(all);
      let served = 0;
      for (const [line, then] of asked) {
        const expected = await said(theirs, words(line), then);
        expect([line, await said(url, words(line), then)]).toEqual([line, expected]);
        if (!expected.startsWith("ERR ")) served++;
      }
      // Two that refuse all alike would show little.
      if (name !== "--user-path") expect(served).toBeGreaterThan(0);
    },
    60_000,
  );

  it.each([
    "GIT-UPLOAD-PACK /open.git\0",
    "git upload-pack /open.git\0",
    "upload-pack /open.git\0",
    "git-upload-pack\t/open.git\0",
    "git-upload-packs /open.git\0",
    "git-upload-pack",
    "git-upload-pack ",
    "git-upload-pack /open.git\0host=h\0host=i\0",
    "git-upload-pack /open.git\0version=2\0",
    "git-upload-pack /open.git\0host\0",
  ])("ends what asks for no service of Git (%j), with a word where git has none", async (line) => {
    const { url } = await startDaemon([`--base-path=${root}`]);
    for (const text of [packet(line), packet(line).toUpperCase()])
      expect(await new RawClient(url).send(text, "0000").answer()).toMatch(
        /^00[0-9a-f]{2}ERR (?:bad request line: |access denied or repository not exported: )[ -~]*$/,
      );
  });
});

describe("limits of time on the command line", () => {
  it("--timeout holds for a request too, where --init-timeout says nothing", async () => {
    const { url } = await startDaemon([`--base-path=${root}`, "--timeout=1"]);
    const started = performance.now();
    expect(await new RawClient(url).send("002d").answer()).toBe(packet("ERR no request within 1000 ms"));
    // What was announced is whole; git, too, ends without another word then.
    expect(await new RawClient(url).send(packet(ask("/open.git"))).answer()).toMatch(
      /refs\/tags\/v1\^\{}\n0000$/,
    );
    expect(performance.now() - started).toBeLessThan(8000);
  });
});
