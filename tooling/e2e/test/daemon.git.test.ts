import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { cleanEnvironment, type Daemon, freePort, startDaemon } from "./daemon-rig.ts";
import { packet, RawClient } from "./raw-client.ts";
import { BIN } from "./server.ts";

const root = temporaryDirectory("exports");
const outside = temporaryDirectory("outside");
const EXPORT = "git-daemon-export-ok";
const DENIED = "access denied or repository not exported";
let source: string;

async function bare(path: string, exported = true): Promise<string> {
  await git(["clone", "-q", "--bare", source, path]);
  if (exported) writeFileSync(join(path, EXPORT), "");
  return path;
}

const hook = (path: string, text: string) => writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });

/** What a raw client that asks for `path` is told. */
async function ask({ url }: Daemon, path: string, tail = "host=localhost\0", service = "git-upload-pack") {
  return new RawClient(url)
    .send(packet(`${service} ${path}\0${tail}`))
    .send("0000")
    .finish()
    .answer();
}

/** Somebody without rights, as the system's files have them. */
function nobody(file: "passwd" | "group"): { readonly name: string; readonly id: string } {
  const line = /^(nobody|nogroup|daemon):[^:]*:(\d+):/m.exec(readFileSync(`/etc/${file}`, "utf8"));
  return { name: line?.[1] ?? "nobody", id: line?.[2] ?? "" };
}

const lsRemote = (url: string, config: readonly string[] = []) => tryGit([...config, "ls-remote", url]);

beforeAll(async () => {
  const made = await createTestRepository({ directory: join(temporaryDirectory("source"), "s") });
  await made.commit("one");
  source = made.directory;
  await bare(join(root, "open.git"));
  await bare(join(root, "closed.git"), false);
  await bare(join(root, "pushed.git"));
  await git(["-C", join(root, "pushed.git"), "config", "daemon.receivepack", "true"]);
  await bare(join(root, "off.git"));
  await git(["-C", join(root, "off.git"), "config", "daemon.uploadpack", "false"]);
  await bare(join(root, "hosts", "host.example", "virtual.git"));
  await bare(join(outside, "secret.git"));
  symlinkSync(join(outside, "secret.git"), join(root, "link.git"));
  mkdirSync(join(root, "pointer"));
  writeFileSync(join(root, "pointer", ".git"), `gitdir: ${join(outside, "secret.git")}\n`);
  await bare(join(root, "borrowing.git"));
  writeFileSync(
    join(root, "borrowing.git", "objects", "info", "alternates"),
    `${join(outside, "secret.git", "objects")}\n`,
  );
});

describe("what is exported", () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon([`--base-path=${root}`, "--access-hook=exit 0"]);
  });

  it.each(["0", "1", "2"])(
    "is served to stock git, version %s, with a log as git-daemon writes it",
    async (version) => {
      const { status, stdout } = await lsRemote(`${daemon.url}/open`, ["-c", `protocol.version=${version}`]);
      expect([status, stdout.trimEnd()]).toEqual([0, await git(["ls-remote", join(root, "open.git")])]);
      await daemon.logged(/\] Connection from 127\.0\.0\.1:\d+\n/);
      await daemon.logged(/\] Extended attribute "host": 127\.0\.0\.1:\d+\n/);
      await daemon.logged(/\] Request upload-pack for '\/open'\n/);
      await daemon.logged(/\] Disconnected\n/);
    },
  );

  it.each([
    "/../open.git",
    "/x/../open.git",
    "//open.git",
    "/./open.git",
    "/open.git/..",
    "open.git",
    "~root/open.git",
    "/closed.git",
    "/off.git",
    "/link.git",
    "/pointer",
    "/borrowing.git",
    "/nowhere.git",
    "/open.git/objects",
  ])("P1 P4 %s is refused like all others", async (path) => {
    expect(await ask(daemon, path)).toBe(packet(`ERR ${DENIED}: ${path}`));
  });

  it("P1 no real path helps, and little of a long one is echoed", async () => {
    const real = join(outside, "secret.git");
    expect(await ask(daemon, real)).toBe(packet(`ERR ${DENIED}: ${real}`));
    expect((await ask(daemon, `/${"x".repeat(4000)}`)).length).toBeLessThan(400);
    expect((await ask(daemon, `/${"x".repeat(60_000)}`)).length).toBeLessThan(400);
  });

  it("P5 a line feed ends no path, and NUL does", async () => {
    expect(await ask(daemon, "/open.git\n")).toContain("refs/heads/");
    expect(await ask(daemon, "/open\n.git")).toMatch(/^....ERR bad request line/);
    expect(await ask(daemon, "/open.git\0host=x\0/../x")).toMatch(/^....ERR bad request line/);
  });

  it.each(["git-receive-pack", "git-upload-archive"])("%s is off", async (service) => {
    expect(await ask(daemon, "/open.git", "", service)).toBe(packet(`ERR ${DENIED}: /open.git`));
  });

  it("a repository's own settings switch a service on", async () => {
    expect(await ask(daemon, "/pushed.git", "", "git-receive-pack")).toContain("report-status");
  });

  it("P10 a broken repository breaks nothing else", async () => {
    const broken = await bare(join(root, "broken.git"));
    writeFileSync(join(broken, "packed-refs"), Buffer.alloc(1_000_000, "x"));
    writeFileSync(
      join(broken, "objects", "pack", "pack-1234567890123456789012345678901234567890.idx"),
      "junk",
    );
    await lsRemote(`${daemon.url}/broken.git`);
    expect((await lsRemote(`${daemon.url}/open.git`)).status).toBe(0);
    rmSync(broken, { recursive: true });
  });
});

describe("informative errors", () => {
  it("say what git-daemon says", async () => {
    const daemon = await startDaemon([
      `--base-path=${root}`,
      "--informative-errors",
      "--forbid-override=receive-pack",
      '--access-hook=test "$3" != bad || { echo "not you, $1 $3"; echo more; exit 1; }; :',
    ]);
    expect(await ask(daemon, "/nowhere")).toBe(packet("ERR no such repository: /nowhere"));
    expect(await ask(daemon, "/closed.git")).toBe(packet("ERR repository not exported: /closed.git"));
    expect(await ask(daemon, "/off.git")).toBe(packet("ERR service not enabled: /off.git"));
    expect(await ask(daemon, "/pushed.git", "", "git-receive-pack")).toBe(
      packet("ERR service not enabled: /pushed.git"),
    );
    expect(await ask(daemon, "/open.git", "host=BAD:1\0")).toBe(
      packet("ERR not you, upload-pack bad: /open.git"),
    );
    expect(await ask(daemon, "/open.git", "host=good\0")).toContain("refs/heads/");
    expect(daemon.log()).toContain(`'${join(root, "closed.git")}': repository not exported.`);
  });

  it("an access hook is told of the client", async () => {
    const out = join(temporaryDirectory("hook"), "out");
    const daemon = await startDaemon([
      `--base-path=${root}`,
      `--access-hook=printf "%s|" "$@" "$REMOTE_ADDR" "$REMOTE_PORT" "$PWD" >${out}; :`,
    ]);
    const client = new RawClient(daemon.url);
    client.send(packet("git-upload-pack /open\0host=127.0.0.1:77\0")).send("0000");
    await once(client.socket, "connect");
    const { localPort } = client.socket;
    await client.finish().answer();
    const at = join(root, "open.git");
    expect(readFileSync(out, "utf8")).toBe(
      `upload-pack|${at}|127.0.0.1|127.0.0.1|127.0.0.1|77|127.0.0.1|${localPort}|${at}|`,
    );
  });
});

describe("hosts and owners", () => {
  it("P6 each host has its own repositories, and none leads elsewhere", async () => {
    const daemon = await startDaemon([`--interpolated-path=${root}/hosts/%H%D`]);
    expect(await ask(daemon, "/virtual", "host=Host.EXAMPLE:9418\0")).toContain("refs/heads/");
    for (const [path, tail] of [
      ["/open.git", "host=..\0"],
      ["/open.git", "host=host.example/..\0"],
      ["/open.git", ""],
      ["/virtual.git", "host=other\0"],
    ] as const)
      expect(await ask(daemon, path, tail)).toBe(packet(`ERR ${DENIED}: ${path}`));
  });

  it("links are followed with --follow-links", async () => {
    const daemon = await startDaemon([`--base-path=${root}`, "--follow-links"]);
    expect(await ask(daemon, "/link")).toContain("refs/heads/");
    expect(await ask(daemon, "/pointer")).toContain("refs/heads/");
    expect(await ask(daemon, "/borrowing")).toContain("refs/heads/");
  });

  it("P7 somebody else's repository needs safe.directory, which its own settings cannot give", async () => {
    await git(["-C", join(root, "open.git"), "config", "safe.directory", "*"]);
    const pretend = { GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" };
    const refused = await startDaemon([`--base-path=${root}`], pretend);
    expect(await ask(refused, "/open.git")).toBe(packet(`ERR ${DENIED}: /open.git`));
    await refused.logged(/detected dubious ownership in repository/);
    const config = join(temporaryDirectory("config"), "config");
    writeFileSync(config, "[safe]\n\tdirectory = *\n");
    const safe = await startDaemon([`--base-path=${root}`], { ...pretend, GIT_CONFIG_GLOBAL: config });
    expect(await ask(safe, "/open.git")).toContain("refs/heads/");
  });

  it("P8 a repository's settings start nothing", async () => {
    const hostile = await bare(join(root, "hostile.git"));
    const ran = join(outside, "ran");
    for (const [key, value] of [
      ["uploadpack.packObjectsHook", `touch ${ran};`],
      ["core.fsmonitor", `touch ${ran}`],
      ["core.hooksPath", outside],
      ["include.path", join(outside, "included")],
    ] as const)
      await git(["-C", hostile, "config", key, value]);
    writeFileSync(join(outside, "included"), "[daemon]\n\treceivepack = true\n");
    hook(join(outside, "pre-receive"), `touch ${ran}`);
    const daemon = await startDaemon([`--base-path=${root}`]);
    const clone = join(temporaryDirectory("clone"), "c");
    await git(["clone", "-q", `${daemon.url}/hostile.git`, clone]);
    expect((await tryGit(["-C", clone, "push", "-q", "origin", "HEAD:refs/heads/new"])).stderr).toContain(
      DENIED,
    );
    expect(() => readFileSync(ran)).toThrow();
  });

  it("uses the machine's settings", async () => {
    const config = join(temporaryDirectory("config"), "config");
    writeFileSync(config, "[transfer]\n\thideRefs = refs/heads/main\n[daemon]\n\treceivepack = true\n");
    const daemon = await startDaemon([`--base-path=${root}`], { GIT_CONFIG_GLOBAL: config });
    expect(await ask(daemon, "/open.git")).not.toContain("refs/heads/main\n");
    expect(await ask(daemon, "/open.git", "", "git-receive-pack")).toContain("report-status");
  });
});

describe("pushes and archives", () => {
  it("tell hooks of the client, IPv6 in brackets", async () => {
    const daemon = await startDaemon([`--base-path=${root}`, "--listen=::1", "--enable=receive-pack"]);
    const target = await bare(join(root, "hooked.git"));
    const out = join(outside, "env");
    hook(join(target, "hooks", "pre-receive"), `env | grep ^REMOTE_ | sort >${out}`);
    await git(["-C", source, "push", "-q", `git://[::1]:${daemon.port}/hooked.git`, "HEAD:refs/heads/new"]);
    expect(readFileSync(out, "utf8")).toMatch(/^REMOTE_ADDR=\[::1\]\nREMOTE_PORT=\d+\n$/);
  });

  it("are served when they are enabled", async () => {
    const daemon = await startDaemon([`--base-path=${root}`, "--enable=upload-archive"]);
    const { status, stdout } = await tryGit(["archive", `--remote=${daemon.url}/open.git`, "HEAD"]);
    expect(status).toBe(0);
    expect(stdout).toContain("ustar");
  });
});

describe("process control", () => {
  it("--inetd serves one client on standard input and output", async () => {
    const child = spawn(
      process.execPath,
      [BIN, "daemon", "--inetd", "--log-destination=stderr", "--verbose", `--base-path=${root}`],
      { env: cleanEnvironment({ REMOTE_ADDR: "[::7]", REMOTE_PORT: "8" }) },
    );
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    child.stdin.end(`${packet("git-upload-pack /open.git\0host=h\0")}0000`);
    expect((await once(child, "exit"))[0]).toBe(0);
    expect(Buffer.concat(chunks).toString("latin1")).toContain("refs/heads/");
    expect(log).toContain("Connection from [::7]:8");
  });

  it("--detach returns once the port is open, and the process goes on", async () => {
    const port = await freePort();
    const pidFile = join(temporaryDirectory("pid"), "pid");
    const child = spawn(
      process.execPath,
      [
        ...[BIN, "daemon", "--detach", "--log-destination=none", "--listen=127.0.0.1"],
        ...[`--port=${port}`, `--pid-file=${pidFile}`, `--base-path=${root}`],
      ],
      { env: cleanEnvironment(), stdio: "ignore" },
    );
    expect((await once(child, "exit"))[0]).toBe(0);
    const pid = Number(readFileSync(pidFile, "utf8"));
    onTestFinished(() => {
      process.kill(pid, "SIGKILL");
    });
    expect(pid).not.toBe(child.pid);
    expect((await lsRemote(`git://127.0.0.1:${port}/open.git`)).status).toBe(0);
  });

  it.each([
    [["--base-path=/nowhere"], "fatal: base-path '/nowhere' does not exist or is not a directory\n"],
    [
      ["--listen=127.0.0.1", "--port=1", "--user=nobody-of-that-name"],
      "fatal: user not found - nobody-of-that-name\n",
    ],
    [["--timeout=3a"], "fatal: invalid timeout '3a', expecting a non-negative integer\n"],
  ])("%j ends in git's words", async (flags, text) => {
    const child = spawn(process.execPath, [BIN, "daemon", ...flags], { env: cleanEnvironment() });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect((await once(child, "close"))[0]).toBe(128);
    expect(said).toBe(text);
  });

  it("--user and --group give up root's rights, where there are any", async () => {
    const [user, group] = [nobody("passwd"), nobody("group")];
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [
        ...[BIN, "daemon", "--verbose", "--listen=127.0.0.1", `--port=${port}`, `--base-path=${root}`],
        ...[`--user=${user.name}`, `--group=${group.name}`],
      ],
      { env: cleanEnvironment() },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await expect.poll(() => said, { timeout: 10_000 }).toMatch(/Ready to rumble|cannot drop privileges/);
    const isRoot = process.getuid?.() === 0;
    expect(said.includes("Ready to rumble")).toBe(isRoot);
    if (!isRoot) return;
    // Each of its threads has rights of its own.
    for (const thread of readdirSync(`/proc/${child.pid}/task`)) {
      const status = readFileSync(`/proc/${child.pid}/task/${thread}/status`, "utf8");
      expect(status).toMatch(new RegExp(`^Uid:\\s${user.id}\\s${user.id}\\s${user.id}\\s${user.id}$`, "m"));
      expect(status).toMatch(
        new RegExp(`^Gid:\\s${group.id}\\s${group.id}\\s${group.id}\\s${group.id}$`, "m"),
      );
    }
  });

  it("--syslog gives its lines to the system's log", async () => {
    const bin = temporaryDirectory("bin");
    const out = join(bin, "out");
    hook(join(bin, "logger"), `echo "$@" >${out}; exec cat >>${out}`);
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [
        ...[BIN, "daemon", "--syslog", "--verbose", "--reuseaddr", "--listen=127.0.0.1", `--port=${port}`],
        `--base-path=${root}`,
      ],
      { env: cleanEnvironment({ PATH: `${bin}:${process.env.PATH}` }), stdio: "ignore" },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    const said = () => (existsSync(out) ? readFileSync(out, "utf8") : "");
    await expect.poll(said, { timeout: 10_000 }).toContain("Ready to rumble");
    expect((await lsRemote(`git://127.0.0.1:${port}/closed.git`)).status).toBe(128);
    await expect.poll(said).toMatch(/^<27>.*closed\.git': repository not exported\.$/m);
    expect(said()).toMatch(/^-t git-daemon\[\d+\] -p daemon\.info --prio-prefix\n/);
    expect(said()).toMatch(/^<30>.*Request upload-pack for '\/closed\.git'$/m);
  });

  it("a port that is taken is told, and what is left is used", async () => {
    const daemon = await startDaemon([`--base-path=${root}`]);
    const child = spawn(
      process.execPath,
      [BIN, "daemon", "--listen=127.0.0.1", `--port=${daemon.port}`, `--base-path=${root}`],
      { env: cleanEnvironment() },
    );
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect((await once(child, "close"))[0]).toBe(128);
    expect(said).toMatch(/^\[\d+\] Could not bind to 127\.0\.0\.1: .*EADDRINUSE/);
    expect(said).toContain(`fatal: unable to allocate any listen sockets on port ${daemon.port}\n`);
  });
});
