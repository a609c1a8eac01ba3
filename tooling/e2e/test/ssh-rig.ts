import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type Finished, temporaryDirectory } from "@tooling/test-kit";
import { afterAll } from "vitest";
import { startCommand } from "./server.ts";
import { XGIT } from "./way.ts";

/** A key of OpenSSH's. */
export interface Key {
  readonly path: string;
  /** One line of authorized_keys. */
  readonly line: string;
}

/** Somewhere that `ssh` can connect to. */
export interface SshHost {
  readonly url: string;
  readonly login: string;
  readonly port: number;
}

/** Makes an Ed25519 key without a passphrase. */
export function makeKey(comment: string): Key {
  const path = join(temporaryDirectory("key"), "id");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path]);
  return { path, line: readFileSync(`${path}.pub`, "utf8").trim() };
}

const OPTIONS = [
  ...["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes"],
  ...[
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "SendEnv=GIT_PROTOCOL",
  ],
];

/** What git runs in ssh's place. */
export function sshCommand(key: Key): string {
  return `ssh -i ${key.path} ${OPTIONS.join(" ")}`;
}

/** Runs ssh itself. */
export function ssh(host: SshHost, key: Key, args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const to = `${host.login}@127.0.0.1`;
    const child = spawn("ssh", [...OPTIONS, "-i", key.path, "-p", String(host.port), to, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, GIT_PROTOCOL: "version=2" },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("latin1");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("latin1");
    });
    child.on("close", (status) => resolve({ status: status ?? 255, stdout, stderr }));
  });
}

/** `xgit serve` with its own SSH. */
export async function serveSsh(root: string, key: Key): Promise<SshHost> {
  const keys = join(temporaryDirectory("keys"), "authorized_keys");
  copyFileSync(`${key.path}.pub`, keys);
  const flags = ["--http-port", "off", "--git-port", "off", "--ssh-port", "0", "--ssh-keys", keys];
  const services = ["receive-pack", "upload-archive"].flatMap((name) => ["--enable", name]);
  const env = { XDG_STATE_HOME: temporaryDirectory("state"), HOME: temporaryDirectory("home") };
  const { greeting } = await startCommand([root, ...flags, ...services], root, { env });
  const port = Number(/ssh:\/\/git@127\.0\.0\.1:(\d+)/.exec(greeting)?.[1]);
  return { url: `ssh://git@127.0.0.1:${port}`, login: "git", port };
}

const running = new Set<ChildProcess>();

afterAll(() => {
  for (const child of running) child.kill("SIGTERM");
});

/** OpenSSH's server, with these lines of authorized_keys. */
export async function startSshd(lines: readonly string[]): Promise<SshHost> {
  const directory = temporaryDirectory("sshd");
  const login = userInfo().username;
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "host")]);
  writeFileSync(join(directory, "authorized_keys"), `${lines.join("\n")}\n`);
  // What separates its privileges when it has some.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const port = await freePort();
  const config = {
    Port: port,
    ListenAddress: "127.0.0.1",
    HostKey: join(directory, "host"),
    PidFile: "none",
    UsePAM: "no",
    StrictModes: "no",
    AuthorizedKeysFile: join(directory, "authorized_keys"),
    PasswordAuthentication: "no",
    KbdInteractiveAuthentication: "no",
    PermitRootLogin: "yes",
    AcceptEnv: "GIT_PROTOCOL",
    LogLevel: "ERROR",
  };
  const file = join(directory, "sshd_config");
  writeFileSync(
    file,
    Object.entries(config)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(""),
  );
  const child = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  for (let i = 0; !(await answers(port)); i++) {
    if (i > 100 || child.exitCode !== null) throw new Error(`sshd does not answer: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url: `ssh://${login}@127.0.0.1:${port}`, login, port };
}

/** The line that lets a key run `xgit shell` and nothing else. */
export function shellLine(key: Key, flags: string): string {
  return `restrict,command="${XGIT} shell ${flags}" ${key.line}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
