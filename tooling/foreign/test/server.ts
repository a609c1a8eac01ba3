import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "@tooling/test-kit";
import { afterAll } from "vitest";
import type { Transport } from "./clients.ts";

const BIN = fileURLToPath(new URL("dist/bin.js", import.meta.resolve("@x/cli/package.json")));

/** A running `xgit serve`. */
export interface Server {
  readonly root: string;
  /** Where its repositories' URLs begin, without the last slash. */
  readonly url: (transport: Transport) => string;
  /** What clients need beside that: a key, and an `ssh` that takes this server's. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
}

/** Starts `xgit serve ROOT` on free ports, for everybody and with pushes. It ends with the tests. */
export async function startServer(root: string): Promise<Server> {
  const home = temporaryDirectory("keys");
  const keys = join(home, "keys");
  // JSch knows neither Ed25519 nor OpenSSH's own form of a private key.
  for (const [file, ...kind] of [
    ["id", "-t", "ed25519"],
    ["old", "-t", "ecdsa", "-m", "PEM"],
  ] as const) {
    execFileSync("ssh-keygen", ["-q", ...kind, "-N", "", "-C", "ada", "-f", join(home, file)]);
    appendFileSync(keys, readFileSync(join(home, `${file}.pub`)));
  }
  const ssh = ["--ssh-port", "0", "--ssh-keys", keys, "--ssh-host-key", join(home, "host_key")];
  const child = spawn(process.execPath, [BIN, "serve", root, "--http-port", "0", "--git-port", "0", ...ssh], {
    cwd: temporaryDirectory("cwd"),
    stdio: ["ignore", "pipe", "ignore"],
  });
  afterAll(() => void child.kill("SIGKILL"));
  const [greeting] = (await once(child.stdout, "data")) as [Buffer];
  const url = (transport: Transport) => {
    const found = new RegExp(`${transport}://\\S+?(?=/(?:\\s|$))`, "m").exec(greeting.toString());
    if (found === null) throw new Error(`no ${transport}:// in: ${greeting}`);
    return found[0];
  };
  return { root, url, clientEnvironment: environmentIn(home) };
}

/** Git and dulwich run an `ssh`; libgit2 is told of a key, and JGit's JSch finds one by its own settings. */
function environmentIn(home: string): Readonly<Record<string, string>> {
  const trusting = ["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR"].join("\n");
  const settings = (key: string) => `Host *\n${trusting}\nIdentityFile ${join(home, key)}\n`;
  writeFileSync(join(home, "config"), settings("id"));
  mkdirSync(join(home, ".ssh"));
  writeFileSync(join(home, ".ssh/config"), settings("old"));
  const program = `#!/bin/sh\nexec /usr/bin/ssh -F ${join(home, "config")} "$@"\n`;
  writeFileSync(join(home, "ssh"), program, { mode: 0o755 });
  return {
    PATH: `${home}:${process.env.PATH}`,
    SSH_KEY: join(home, "id"),
    JAVA_TOOL_OPTIONS: `-Duser.home=${home}`,
  };
}
