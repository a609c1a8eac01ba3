import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { binaryOf, RUNTIMES, type Running, start } from "./start-runtime.ts";

const VERSIONS = new Map([
  ["node-20", /^v20\./],
  ["node-22", /^v22\./],
  ["node-24", /^v24\./],
  ["bun", /^1\./],
  ["deno", /^deno 2\./],
  ["workerd", /^workerd 20/],
]);

describe.each(RUNTIMES)("under %s a repository in memory", (runtime) => {
  let server: Running;
  beforeAll(async () => {
    server = await start(runtime);
  });
  afterAll(() => server.stop());

  const url = (name: string) => `http://127.0.0.1:${server.port}/${name}`;
  const scratch = () => `${temporaryDirectory("clone")}/w`;

  it("is served by what it says it is", () => {
    expect(execFileSync(binaryOf(runtime), ["--version"], { encoding: "utf8" })).toMatch(
      VERSIONS.get(runtime) as RegExp,
    );
  });

  it.each([
    ["sha1", 0],
    ["sha1", 1],
    ["sha1", 2],
    ["sha256", 0],
    ["sha256", 2],
  ] as const)("is cloned whole, %s, protocol v%i", async (format, version) => {
    const work = scratch();
    await git(["-c", `protocol.version=${version}`, "clone", "-q", url(format), work]);
    await git(["fsck", "--strict"], { cwd: work });
    expect(await git(["log", "--format=%s", "v1"], { cwd: work })).toBe("round 3\nround 2\nround 1");
    expect((await git(["ls-files"], { cwd: work })).split("\n")).toHaveLength(50);
    expect(await git(["rev-parse", "--show-object-format"], { cwd: work })).toBe(format);
  });

  it("is cloned in part: shallow, and without blobs that come later", async () => {
    const shallow = scratch();
    await git(["clone", "-q", "--depth=1", url("sha1"), shallow]);
    expect(await git(["rev-list", "--count", "HEAD"], { cwd: shallow })).toBe("1");
    await git(["fetch", "-q", "--unshallow"], { cwd: shallow });
    expect(await git(["rev-list", "--count", "HEAD"], { cwd: shallow })).toBe("3");
    const partial = scratch();
    await git(["clone", "-q", "--no-checkout", "--filter=blob:none", url("sha1"), partial]);
    const missing = await git(["rev-list", "--objects", "--missing=print", "--all"], { cwd: partial });
    expect(missing).toMatch(/^\?/m);
    expect(await git(["show", "HEAD:d1/f1.txt"], { cwd: partial })).toBe("3 1\n".repeat(20).trimEnd());
  });

  it("is pushed to, and gives what was pushed to the next; a wrong push is refused", async () => {
    for (const format of ["sha1", "sha256"] as const) {
      const work = scratch();
      await git(["clone", "-q", url(format), work]);
      await git(["checkout", "-q", "-b", "topic"], { cwd: work });
      // More than one pkt-line, more than one chunk, and nothing that deflates well.
      writeFileSync(`${work}/noise`, noise(300_000));
      await git(["add", "."], { cwd: work });
      await git(["commit", "-q", "-m", "noise"], { cwd: work });
      await git(["push", "-q", "origin", "topic", "topic:refs/tags/pushed"], { cwd: work });
      const again = scratch();
      await git(["clone", "-q", "-b", "topic", url(format), again]);
      await git(["fsck", "--strict"], { cwd: again });
      expect(await git(["rev-parse", "HEAD"], { cwd: again })).toBe(
        await git(["rev-parse", "HEAD"], { cwd: work }),
      );
      await git(["commit", "-q", "--allow-empty", "-m", "other"], { cwd: again });
      await git(["push", "-q", "origin", "topic"], { cwd: again });
      const late = await tryGit(["push", "origin", "+topic~1:refs/heads/main", "topic"], { cwd: work });
      expect(late.status).not.toBe(0);
      expect(late.stderr).toMatch(/topic -> topic \((?:fetch first|non-fast-forward|stale info)\)/);
    }
  });

  it("is cloned by a client that knows the dumb protocol only", async () => {
    const work = scratch();
    await git(["clone", "-q", url("sha1"), work], { env: { GIT_SMART_HTTP: "0" } });
    expect(await git(["log", "--format=%s", "v1"], { cwd: work })).toBe("round 3\nround 2\nround 1");
  });

  it("is not found under another name", async () => {
    const { status, stderr } = await tryGit(["ls-remote", url("nothing")]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/not found/);
  });

  it("lets many fetch at once, and one that leaves in the middle", async () => {
    const request = { headers: { "git-protocol": "version=2" } };
    const left = await fetch(`${url("sha1")}/info/refs?service=git-upload-pack`, request);
    await left.body?.cancel();
    const works = Array.from({ length: 6 }, scratch);
    await Promise.all(works.map((work) => git(["clone", "-q", "--bare", url("sha1"), work])));
    for (const work of works) await git(["fsck", "--connectivity-only"], { cwd: work });
  });

  it("has its server say nothing of failures", () => {
    expect(server.complaints()).toBe("");
  });

  if (runtime.startsWith("node"))
    it("is cloned over git:// too", async () => {
      const work = scratch();
      await git(["clone", "-q", `git://127.0.0.1:${server.gitPort}/sha1`, work]);
      await git(["fsck", "--strict"], { cwd: work });
    });
});

function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  });
}
