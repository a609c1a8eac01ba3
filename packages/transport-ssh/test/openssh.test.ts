import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { authenticateByKeys, parseAuthorizedKeys } from "../src/index.ts";
import { echo, start } from "./rig.ts";

const TYPES = [
  ["ed25519", []],
  ["ecdsa", ["-b", "256"]],
  ["ecdsa", ["-b", "521"]],
  ["rsa", ["-b", "3072"]],
] as const;

let directory = "";
let made = 0;

/** A key pair of OpenSSH's; the path of its private half. */
function makeKey(type: string, more: readonly string[] = []): string {
  const path = join(directory, `${type}-${made++}`);
  execFileSync("ssh-keygen", ["-q", "-t", type, ...more, "-N", "", "-C", `ada ${type}`, "-f", path]);
  return path;
}

beforeAll(() => {
  directory = temporaryDirectory("openssh");
});

function ssh(
  port: number,
  key: string,
  args: readonly string[],
  { input = "", env = {} }: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  const options = ["-F", "none", "-p", String(port), "-i", key];
  for (const option of [
    ...["BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=accept-new"],
    ...[
      `UserKnownHostsFile=${join(directory, `known-${port}`)}`,
      "SendEnv=GIT_PROTOCOL LANG",
      "LogLevel=ERROR",
    ],
  ])
    options.push("-o", option);
  return new Promise((resolve) => {
    const child = execFile(
      "ssh",
      [...options, ...args],
      { env: { PATH: process.env.PATH, ...env }, timeout: 15_000, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
        resolve({ status, stdout, stderr });
      },
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

describe("OpenSSH's client", () => {
  it.each(TYPES)("logs in with %s %j", async (type, more) => {
    const key = makeKey(type, more);
    const list = parseAuthorizedKeys(readFileSync(`${key}.pub`, "utf8"));
    const { port } = await start(echo, {}, authenticateByKeys(list));
    const command = ["git@127.0.0.1", "git-upload-pack 'x'"];
    expect(await ssh(port, key, command, { input: "hello" })).toEqual({
      status: 0,
      stdout: "hello",
      stderr: "",
    });
  });

  it("gets nothing by SHA-1, by a password or from a stranger", async () => {
    const key = makeKey("rsa", ["-b", "2048"]);
    const { port } = await start(
      echo,
      {},
      authenticateByKeys(parseAuthorizedKeys(readFileSync(`${key}.pub`, "utf8"))),
    );
    const to = ["git@127.0.0.1", "git-upload-pack 'x'"];
    const denied = expect.objectContaining({ status: 255, stdout: "" });
    expect(await ssh(port, key, ["-o", "PubkeyAcceptedAlgorithms=ssh-rsa", ...to])).toEqual(denied);
    expect(await ssh(port, key, ["-o", "PreferredAuthentications=password", ...to])).toEqual(denied);
    const stranger = makeKey("ed25519", ["-a", "1"]);
    expect((await ssh(port, stranger, to)).stderr).toContain("Permission denied (publickey).");
    expect(await ssh(port, key, to)).toMatchObject({ status: 0 });
  });

  it("gets one variable, no terminal, no forwarding and no shell", async () => {
    const key = makeKey("ed25519");
    const calls: unknown[] = [];
    const { port } = await start(
      (call) => {
        calls.push(call.version);
        return echo(call);
      },
      {},
      authenticateByKeys(parseAuthorizedKeys(readFileSync(`${key}.pub`, "utf8"))),
    );
    const env = { GIT_PROTOCOL: "version=2", LANG: "$(id)" };
    const asked = await ssh(port, key, ["-A", "git@127.0.0.1", "git upload-pack 'x'"], { input: "x", env });
    expect(asked).toMatchObject({ status: 0, stdout: "x" });
    expect(calls).toEqual([2]);
    const terminal = await ssh(port, key, ["-tt", "git@127.0.0.1"]);
    expect(terminal.stderr).toContain("PTY allocation request failed");
    expect(await ssh(port, key, ["-T", "git@127.0.0.1"])).toEqual({
      status: 1,
      stdout: "",
      stderr: "Hello ada: your key is known here. There is no shell, only Git.\n",
    });
    const forward = [
      "-o",
      "ExitOnForwardFailure=yes",
      "-R",
      "0:127.0.0.1:1",
      "git@127.0.0.1",
      "git-upload-pack 'x'",
    ];
    expect((await ssh(port, key, forward)).status).toBe(255);
    expect(await ssh(port, key, ["-s", "git@127.0.0.1", "sftp"])).toMatchObject({ status: 255 });
    expect(await ssh(port, key, ["git@127.0.0.1", "id"])).toEqual({
      status: 128,
      stdout: "",
      stderr: "fatal: unrecognized command 'id'\n",
    });
  });

  it("moves more than a window both ways, keys exchanged on the way", async () => {
    const key = makeKey("ecdsa", ["-b", "384"]);
    const { port } = await start(
      echo,
      {},
      authenticateByKeys(parseAuthorizedKeys(readFileSync(`${key}.pub`, "utf8"))),
    );
    const text = "0123456789abcdef".repeat(1 << 18);
    const { stdout, status } = await ssh(
      port,
      key,
      ["-o", "RekeyLimit=1M", "git@127.0.0.1", "git-receive-pack 'x'"],
      { input: text },
    );
    expect([status, stdout.length, stdout === text]).toEqual([0, text.length, true]);
  });
});
