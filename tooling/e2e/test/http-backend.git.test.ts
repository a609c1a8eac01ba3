import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BIN } from "./server.ts";

const SERVER = "/usr/sbin/lighttpd";

let child: ChildProcess | undefined;
let said = "";
let root = "";
let url = "";

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

beforeAll(async () => {
  root = temporaryDirectory("web");
  mkdirSync(`${root}/repositories`);
  mkdirSync(`${root}/cgi`);
  writeFileSync(`${root}/cgi/git`, `#!/bin/sh\nexec "${process.execPath}" "${BIN}" http-backend\n`, {
    mode: 0o755,
  });
  symlinkSync(`${root}/cgi/git`, `${root}/cgi/private`);
  writeFileSync(`${root}/users`, "ada:lovelace\n");
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  writeFileSync(
    `${root}/lighttpd.conf`,
    `server.document-root = "${root}/cgi"
server.port = ${port}
server.bind = "127.0.0.1"
server.pid-file = "${root}/pid"
server.upload-dirs = ( "${root}" )
server.stream-response-body = 2
server.modules = ( "mod_setenv", "mod_alias", "mod_auth", "mod_authn_file", "mod_cgi" )
auth.backend = "plain"
auth.backend.plain.userfile = "${root}/users"
setenv.set-environment = (
  "GIT_PROJECT_ROOT" => "${root}/repositories",
  "GIT_HTTP_EXPORT_ALL" => "1",
  "GIT_CONFIG_NOSYSTEM" => "1",
  "HOME" => "${root}"
)
alias.url = ( "/git" => "${root}/cgi/git", "/private" => "${root}/cgi/private" )
$HTTP["url"] =~ "^/(git|private)" { cgi.assign = ( "" => "" ) }
$HTTP["url"] =~ "^/private" {
  auth.require = ( "" => ( "method" => "basic", "realm" => "git", "require" => "valid-user" ) )
}
`,
  );
  child = spawn(SERVER, ["-D", "-f", `${root}/lighttpd.conf`], { stdio: ["ignore", "ignore", "pipe"] });
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.on("error", (error) => {
    said += error.message;
  });
  for (let tries = 0; ; tries++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    if (tries > 100 || child.exitCode !== null) throw new Error(`lighttpd does not serve: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

afterAll(async () => {
  if (child === undefined || child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
});

describe.each(["sha1", "sha256"] as const)("xgit http-backend under lighttpd, %s", (objectFormat) => {
  const name = `${objectFormat}.git`;

  it.each(["0", "1", "2"])("serves clones, fetches and pushes, protocol %s", async (version) => {
    const source = await createTestRepository({ objectFormat });
    await source.commit("one");
    await source.git("tag", "-a", "-m", "t", "v1");
    const repository = `v${version}-${name}`;
    await git(["clone", "-q", "--bare", source.directory, `${root}/repositories/${repository}`]);
    const clone = `${temporaryDirectory("clone")}/c`;
    const run = (...args: string[]) => git(["-c", `protocol.version=${version}`, ...args], { cwd: clone });
    mkdirSync(clone);
    await git(["-c", `protocol.version=${version}`, "clone", "-q", `${url}/git/${repository}`, clone]);
    expect(await run("rev-parse", "HEAD")).toBe(await source.git("rev-parse", "HEAD"));
    await run("commit", "-q", "--allow-empty", "-m", `two ${"x".repeat(5000)}`);
    const refused = await tryGit(["push", "-q", "origin", "main"], { cwd: clone });
    expect([refused.status === 0, refused.stderr]).toEqual([false, expect.stringContaining("403")]);
    const known = `${url.replace("//", "//ada:lovelace@")}/private/${repository}`;
    await run("-c", "http.postBuffer=65536", "push", "-q", known, "main");
    await source.git("fetch", "-q", `${url}/git/${repository}`, "main");
    expect(await source.git("rev-parse", "FETCH_HEAD")).toBe(await run("rev-parse", "HEAD"));
    expect(await git(["fsck", "--strict"], { cwd: `${root}/repositories/${repository}` })).toBe("");
  });

  it("serves clients of the dumb protocol", async () => {
    const source = await createTestRepository({ objectFormat });
    await source.commit("one");
    await source.git("tag", "-a", "-m", "t", "v1");
    const directory = `${root}/repositories/dumb-${name}`;
    await git(["clone", "-q", "--bare", source.directory, directory]);
    await git(["repack", "-adq"], { cwd: directory });
    const env = { GIT_SMART_HTTP: "0" };
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", `${url}/git/dumb-${name}`, clone], { env });
    await source.commit("two");
    await git(["fetch", "-q", source.directory, "main:main"], { cwd: directory });
    await git(["fetch", "-q", "origin", "--tags"], { cwd: clone, env });
    expect(await git(["rev-parse", "origin/main", "v1^{}"], { cwd: clone })).toBe(
      await source.git("rev-parse", "main", "v1^{}"),
    );
    expect(await git(["fsck", "--full"], { cwd: clone })).toBe("");
  });
});
