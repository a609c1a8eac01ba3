import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { FREE, newRoot, start } from "./serving.ts";
import { until } from "./terminal.ts";

describe("xgit serve", () => {
  it("serves stock git over both transports, and logs a line for each request", async () => {
    const root = await newRoot();
    const { terminal, http, git: plain } = await start(root, ...FREE);
    for (const base of [http, plain])
      for (const version of ["0", "1", "2"]) {
        const { status, stderr } = await tryGit([
          "-c",
          `protocol.version=${version}`,
          "ls-remote",
          `${base}/demo.git`,
        ]);
        expect([status, stderr]).toEqual([0, ""]);
      }
    const missing = await tryGit(["ls-remote", `${plain}/missing.git`]);
    expect(missing.stderr).toContain("access denied or repository not exported: /missing.git");
    const none = await tryGit(["ls-remote", `${http}/missing.git`]);
    expect(none.stderr).toContain("not found");
    await fetch(`${http}/config`);
    await until(() => terminal.err.includes(" /config") || terminal.err.includes("target=/config"));
    const lines = terminal.err.split("\n").filter((line) => line !== "");
    expect(
      lines.filter((line) => / 127.0.0.1 git git-upload-pack \/demo.git v[012] ok \d+ms /.test(line)),
    ).toHaveLength(3);
    expect(
      lines.filter((line) => / 127.0.0.1 http git-upload-pack \/demo.git v[01] ok \d+ms /.test(line)).length,
    ).toBe(2);
    expect(
      lines.filter((line) =>
        / git git-upload-pack \/missing.git v2 server-core\/repository-not-found /.test(line),
      ),
    ).toHaveLength(1);
    expect(
      lines.filter((line) =>
        / http git-upload-pack \/missing.git v2 server-core\/repository-not-found /.test(line),
      ),
    ).toHaveLength(1);
    expect(lines.filter((line) => line.includes("/config"))).toHaveLength(1);
  });

  it("logs nothing of requests with --quiet, and more with --verbose", async () => {
    const root = await newRoot();
    const quiet = await start(root, ...FREE, "--quiet");
    await tryGit(["ls-remote", `${quiet.http}/demo.git`]);
    expect(quiet.terminal.err).toBe("");
    const verbose = await start(root, ...FREE, "--verbose");
    await tryGit(["ls-remote", `${verbose.http}/demo.git`]);
    await until(() => verbose.terminal.err.includes("debug: response"));
  });

  it("prints lines that clone, for the repositories that it finds", async () => {
    const root = await newRoot();
    await tryGit(["init", "-q", `${root}/a b/$(id)`]);
    mkdirSync(`${root}/nothing`);
    const { terminal, http, git: plain } = await start(root, ...FREE);
    expect(terminal.out).toBe(
      [
        `serving ${root}`,
        `  ${http}/`,
        `  ${plain}/`,
        "pushes are allowed",
        "",
        "try:",
        `  git clone ${http}/demo.git`,
        `  git clone ${plain}/demo.git`,
        `  git clone ${http}/a%20b/%24%28id%29`,
        `  git clone ${plain}/a%20b/%24%28id%29`,
        "",
      ].join("\n"),
    );
  });

  it("allows pushes on loopback only, unless told", async () => {
    const root = await newRoot();
    const statusOf = async (...argv: string[]) => {
      const { terminal } = await start(root, ...FREE, ...argv);
      const port = /http:\/\/[^:]*:(\d+)/.exec(terminal.out)?.[1];
      return (await fetch(`http://127.0.0.1:${port}/demo.git/info/refs?service=git-receive-pack`)).status;
    };
    expect(await statusOf()).toBe(200);
    expect(await statusOf("--host", "0.0.0.0")).toBe(403);
    expect(await statusOf("--host", "0.0.0.0", "--enable", "receive-pack")).toBe(200);
  });

  it("takes pushes over both transports, and logs them", async () => {
    const root = await newRoot();
    const { terminal, http, git: plain } = await start(root, ...FREE);
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", `${http}/demo.git`, clone]);
    for (const [branch, base] of [
      ["a", http],
      ["b", plain],
    ] as const) {
      await git(["commit", "-q", "--allow-empty", "-m", branch], { cwd: clone });
      await git(["push", "-q", `${base}/demo.git`, `HEAD:refs/heads/${branch}`], { cwd: clone });
      expect(await git(["rev-parse", branch], { cwd: `${root}/demo.git` })).toBe(
        await git(["rev-parse", "HEAD"], { cwd: clone }),
      );
    }
    await until(() => terminal.err.split(" git-receive-pack /demo.git v0 ok ").length === 4);
  });

  it("lets pushes make repositories only when told, when pushes are allowed, and under a decent name", async () => {
    const root = await newRoot();
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", `${root}/demo.git`, clone]);
    const push = async (base: string, name: string) =>
      (await tryGit(["push", "-q", `${base}/${name}`, "HEAD:refs/heads/main"], { cwd: clone })).status;
    const off = await start(root, ...FREE);
    expect(await push(off.http, "new.git")).toBe(128);
    expect(await push(off.git, "new.git")).toBe(128);
    const on = await start(root, ...FREE, "--create-on-push");
    expect(await push(on.http, "one.git")).toBe(0);
    expect(await push(on.git, "team/two")).toBe(0);
    for (const name of ["-x.git", ".hidden.git", "demo.git/inside.git", "a%20b.git", "x.git.git"])
      expect([name, await push(on.http, name)]).toEqual([name, 128]);
    expect((await tryGit(["ls-remote", `${on.http}/nothing.git`])).status).toBe(128);
    expect(readdirSync(root).sort()).toEqual(["demo.git", "one.git", "team"]);
    expect(readdirSync(`${root}/team`)).toEqual(["two.git"]);
    expect(await git(["fsck", "--strict"], { cwd: `${root}/one.git` })).toBe("");
    const outside = await start(root, ...FREE, "--host", "0.0.0.0", "--create-on-push");
    const port = /http:\/\/[^:]*:(\d+)/.exec(outside.terminal.out)?.[1];
    expect(await push(`http://127.0.0.1:${port}`, "three.git")).toBe(128);
    expect(readdirSync(root)).not.toContain("three.git");
  });

  it("switches a transport off", async () => {
    const root = await newRoot();
    const { http, git: plain } = await start(root, "--http-port", "off", "--git-port", "0");
    expect([http, plain]).toEqual(["none", expect.stringMatching(/^git:/)]);
  });

  it("takes another port for a usual one that is taken, and says so; never for one that was asked for", async () => {
    const root = await newRoot();
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.once("error", () => resolve(9418)); // somebody else has it: as good
      taken.listen(9418, "127.0.0.1", () => resolve(9418));
    });
    onTestFinished(() => void taken.close());
    const { terminal } = await start(root, "--http-port", "off");
    expect(terminal.out).toMatch(/git:\/\/127.0.0.1:\d+\/ \(port 9418 is taken, so this is a free one\)/);
    const asked = await start(root, "--http-port", "0", "--git-port", String(port));
    expect(await asked.status).toBe(128);
    expect(asked.terminal.err).toBe("fatal: cannot listen on port 9418: it is taken\n");
  });

  it("ends with 0 at the first signal, and frees its ports", async () => {
    const { terminal, status, http } = await start(await newRoot(), ...FREE);
    terminal.signal(143);
    expect(await status).toBe(0);
    await expect(fetch(http)).rejects.toThrow();
  });

  it("ends at once at the second", async () => {
    const { terminal, status, git } = await start(await newRoot(), ...FREE);
    const { connect } = await import("node:net");
    const socket = connect(Number(git.split(":").at(-1)), "127.0.0.1").on("error", () => {});
    onTestFinished(() => void socket.destroy());
    socket.write("0033git-receive-pack /demo.git\0host=127.0.0.1:9418\0\0");
    await new Promise((resolve) => socket.once("data", resolve));
    terminal.signal(130);
    await new Promise((resolve) => setTimeout(resolve, 50));
    terminal.signal(130);
    expect(await status).toBe(130);
  });

  it("refuses a directory that is not there, and makes none", async () => {
    const root = `${temporaryDirectory("root")}/absent`;
    const { status, terminal } = await start(root, ...FREE);
    expect(await status).toBe(128);
    expect(terminal.err).toContain("is not a directory");
    expect(existsSync(root)).toBe(false);
  });

  it("makes ./repositories when it is given nothing, and a demo in it that its own lines clone", async () => {
    const before = process.cwd();
    const home = temporaryDirectory("home");
    process.chdir(home);
    onTestFinished(() => process.chdir(before));
    const { terminal, http } = await start(...FREE);
    expect(readdirSync(home)).toEqual(["repositories"]);
    expect(terminal.out).toContain("with a new demo repository");
    const lines = [...terminal.out.matchAll(/^ {2}(git clone \S+)$/gm)].map((match) => match[1] as string);
    expect(lines).toHaveLength(2);
    for (const [i, line] of lines.entries()) {
      await git([...line.split(" ").slice(1), `clone-${i}`], { cwd: home });
      expect(await git(["log", "-1", "--format=%s"], { cwd: `${home}/clone-${i}` })).toBe("Add a greeting");
      expect(await git(["fsck", "--strict"], { cwd: `${home}/clone-${i}` })).toBe("");
    }
    expect((await fetch(`${http}/demo.git/info/refs?service=git-receive-pack`)).status).toBe(200);
    const again = await start(...FREE);
    expect(again.terminal.out).not.toContain("new demo");
    expect(readdirSync(`${home}/repositories`)).toEqual(["demo.git"]);
  });
});
