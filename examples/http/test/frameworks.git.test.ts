import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterEach, describe, expect, it } from "vitest";

const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
});

/** Runs one example on a directory with one repository. */
async function start(name: string) {
  const root = temporaryDirectory("example");
  const source = await createTestRepository();
  await source.commit("one");
  await git(["clone", "-q", "--bare", source.directory, `${root}/r.git`]);
  const script = fileURLToPath(new URL(`../${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [script, root], { stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once("exit", () => reject(new Error(`${name} ended: ${said}`)));
  });
  return { root, source, url };
}

const EXAMPLES = ["node-http", "express", "fastify", "hono"];

describe.each(EXAMPLES)("%s", (name) => {
  it.each(name === "node-http" ? ["git"] : ["git", "raw"])(
    "serves a clone and takes a push below /%s",
    async (mount) => {
      const { root, source, url } = await start(name);
      const clone = `${temporaryDirectory("clone")}/c`;
      await git(["clone", "-q", `${url}${mount}/r.git`, clone]);
      // Enough for a body in chunks, and for one that is compressed.
      for (let i = 0; i < 30; i++)
        await git(["commit", "-q", "--allow-empty", "-m", `${i}${"x".repeat(2000)}`], { cwd: clone });
      await git(["tag", "-a", "-m", "t", "v1"], { cwd: clone });
      await git(["-c", "http.postBuffer=65536", "push", "-q", "origin", "main", "v1"], { cwd: clone });
      const tip = await git(["rev-parse", "HEAD"], { cwd: clone });
      expect(await git(["rev-parse", "main"], { cwd: `${root}/r.git` })).toBe(tip);
      await git(["fetch", "-q", `${url}${mount}/r.git`, "main"], { cwd: source.directory });
      expect(await source.git("rev-parse", "FETCH_HEAD")).toBe(tip);
      expect(await git(["fsck", "--strict"], { cwd: `${root}/r.git` })).toBe("");
      const dumb = await git(["ls-remote", `${url}${mount}/r.git`, "v1"], { env: { GIT_SMART_HTTP: "0" } });
      expect(dumb).toContain("refs/tags/v1");
      expect((await fetch(`${url}${mount}/r.git/config`)).status).toBe(404);
      expect(await (await fetch(url)).text()).toBe("hello\n");
    },
  );
});

describe.each(EXAMPLES.slice(1))("%s behind a body parser", (name) => {
  it("says what has happened to the body", async () => {
    const { url } = await start(name);
    const response = await fetch(`${url}text/r.git/git-upload-pack`, {
      method: "POST",
      headers: { "content-type": "application/x-git-upload-pack-request" },
      body: "0000",
    });
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("transport-http/body-taken");
    const { status, stderr } = await tryGit(["-c", "protocol.version=2", "ls-remote", `${url}text/r.git`]);
    expect(status).not.toBe(0);
    expect(stderr).toContain("HTTP 500");
  });
});
