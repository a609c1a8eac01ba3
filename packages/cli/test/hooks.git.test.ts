import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal, until } from "./terminal.ts";

const BIN = new URL("../dist/bin.js", import.meta.url).pathname;

let source: Awaited<ReturnType<typeof createTestRepository>>;
beforeAll(async () => {
  source = await createTestRepository();
  await source.commit("first");
});

/** An empty bare repository, and its hooks by name. */
async function newRepository(hooks: Readonly<Record<string, string>>, root = temporaryDirectory("root")) {
  const directory = `${root}/r.git`;
  await git(["init", "-q", "--bare", directory]);
  for (const [name, text] of Object.entries(hooks)) writeHook(`${directory}/hooks/${name}`, text);
  return { root, directory };
}

function writeHook(path: string, text: string, mode = 0o755): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, mode);
}

/** Pushes through `xgit receive-pack`, as somebody with these variables. */
function push(to: string, env: Readonly<Record<string, string>> = {}, ...flags: string[]) {
  const command = `${process.execPath} ${BIN} receive-pack ${flags.join(" ")}`;
  const args = ["-c", "protocol.version=0", "push", `--receive-pack=${command}`, to, "HEAD:refs/heads/main"];
  return tryGit(args, { cwd: source.directory, env });
}

describe("xgit receive-pack", () => {
  it("runs the repository's hooks, with the environment of its caller, unless told not to", async () => {
    const { directory } = await newRepository({
      "pre-receive": "echo $ASKED; git cat-file -t $(cut -d' ' -f2); exit 1",
    });
    const refused = await push(directory, { ASKED: "by me" });
    expect(refused.stderr).toContain("remote: by me");
    expect(refused.stderr).toContain("remote: commit");
    expect(refused.stderr).toContain("[remote rejected] HEAD -> main (pre-receive hook declined)");
    expect(
      (await tryGit(["cat-file", "-e", await source.git("rev-parse", "HEAD")], { cwd: directory })).status,
    ).toBe(1);
    expect((await push(directory, {}, "--no-hooks")).status).toBe(0);
  });

  it("goes by settings that the repository cannot make", async () => {
    const { directory, root } = await newRepository({ "pre-receive": "echo its own" });
    mkdirSync(`${root}/hooks`);
    writeHook(`${root}/hooks/pre-receive`, "echo the machine\\'s");
    await git(["config", "core.hooksPath", "/no/such"], { cwd: directory });
    await git(["config", "hook.evil.event", "pre-receive"], { cwd: directory });
    await git(["config", "hook.evil.command", "echo evil"], { cwd: directory });
    expect((await push(directory)).stderr).toMatch(/^remote: its own *\nTo /);
    writeFileSync(
      `${root}/global`,
      `[core]\nhooksPath = ~/hooks\n[hook "a"]\nevent = pre-receive\ncommand = echo configured`,
    );
    const env = { GIT_CONFIG_GLOBAL: `${root}/global`, HOME: root };
    await git(["update-ref", "-d", "refs/heads/main"], { cwd: directory });
    expect((await push(directory, env)).stderr).toMatch(
      /^remote: configured *\nremote: the machine's *\nTo /,
    );
  });

  it("tells of a hook that is no program", async () => {
    const { directory } = await newRepository({});
    writeHook(`${directory}/hooks/pre-receive`, "exit 1", 0o644);
    const { status, stderr } = await push(directory);
    expect(status).toBe(0);
    expect(stderr).toContain("hint: the 'pre-receive' hook was ignored because it's not set as executable\n");
  });

  it("takes the hook with it when it is told to end", async () => {
    const { directory } = await newRepository({
      "pre-receive":
        'trap "touch ended; exit 1" TERM; touch begun; kill -TERM $PPID; while :; do sleep 0.05; done',
    });
    const { status } = await push(directory);
    expect(status).not.toBe(0);
    await until(() => existsSync(`${directory}/ended`));
    expect(existsSync(`${directory}/refs/heads/main`)).toBe(false);
  });
});

describe("xgit serve", () => {
  async function start(root: string, env: Readonly<Record<string, string>>, ...flags: string[]) {
    const terminal = new FakeTerminal({ PATH: process.env.PATH ?? "", HOME: root, ...env });
    const argv = ["serve", root, "--http-port", "0", "--git-port", "0", ...flags];
    const status = main(argv, terminal);
    onTestFinished(async () => {
      if (terminal.signal(143)) terminal.signal(143);
      await status;
    });
    await until(() => terminal.out.includes("\n") || terminal.err !== "");
    const url = (scheme: string) =>
      `${new RegExp(`${scheme}://127.0.0.1:\\d+`).exec(terminal.out)?.[0]}/r.git`;
    return { terminal, http: url("http"), plain: url("git") };
  }
  const pushTo = (url: string) => tryGit(["push", url, "+HEAD:refs/heads/main"], { cwd: source.directory });

  it("runs hooks over both transports, and says who is there", async () => {
    const { root, directory } = await newRepository({
      "pre-receive": 'echo "$REMOTE_ADDR|$GIT_COMMITTER_NAME|$GIT_COMMITTER_EMAIL|$SECRET"; exit 1',
    });
    const { http, plain } = await start(root, { SECRET: "secret" });
    const overHttp = await pushTo(http);
    expect(overHttp.stderr).toMatch(/^remote: 127.0.0.1\|anonymous\|anonymous@http.127.0.0.1\| *$/m);
    expect(overHttp.stderr).toContain("(pre-receive hook declined)");
    expect((await pushTo(plain)).stderr).toMatch(/^remote: 127.0.0.1\|\|\| *$/m);
    expect(existsSync(`${directory}/refs/heads/main`)).toBe(false);
  });

  it("leaves them out with --no-hooks", async () => {
    const { root } = await newRepository({ "pre-receive": "exit 1" });
    const { http } = await start(root, {}, "--no-hooks");
    expect((await pushTo(http)).status).toBe(0);
  });

  it("runs nobody else's", async () => {
    const { root, directory } = await newRepository({ "pre-receive": "touch ran" });
    const { http, terminal } = await start(root, { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" });
    expect((await pushTo(http)).status).not.toBe(0);
    expect(terminal.err).toContain("somebody else's");
    expect(existsSync(`${directory}/ran`)).toBe(false);
    expect((await tryGit(["ls-remote", http])).status).toBe(0);
    const safe = { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1", GIT_CONFIG_GLOBAL: `${root}/global` };
    writeFileSync(`${root}/global`, `[safe]\ndirectory = ${directory}\n`);
    expect((await pushTo((await start(root, safe)).http)).status).toBe(0);
    expect(readFileSync(`${directory}/ran`, "utf8")).toBe("");
  });

  it("passes no terminal sequences on", async () => {
    const { root } = await newRepository({ "pre-receive": "printf '\\033[31mred\\033[m \\033[2Jgone\\n'" });
    const { http } = await start(root, {});
    expect((await pushTo(http)).stderr).toContain("\x1b[31mred\x1b[m ^[[2Jgone");
  });
});
