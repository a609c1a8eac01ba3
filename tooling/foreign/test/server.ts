import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
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
  const key = join(home, "id_ed25519");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", key]);
  const ssh = ["--ssh-port", "0", "--ssh-keys", `${key}.pub`, "--ssh-host-key", join(home, "host_key")];
  const child = spawn(
    process.execPath,
    [BIN, "serve", root, "--http-port", "0", "--git-port", "0", ...ssh],
    { cwd: temporaryDirectory("cwd"), stdio: ["ignore", "pipe", "ignore"] },
  );
  afterAll(() => void child.kill("SIGKILL"));
  const [greeting] = (await once(child.stdout, "data")) as [Buffer];
  const url = (transport: Transport) => {
    const found = new RegExp(`${transport}://\\S+?(?=/(?:\\s|$))`, "m").exec(greeting.toString());
    if (found === null) throw new Error(`no ${transport}:// in: ${greeting}`);
    return found[0];
  };
  return { root, url, clientEnvironment: environmentWith(home, key) };
}

/** Git, dulwich and JGit run an `ssh`; libgit2 has its own, and is told of the key. */
function environmentWith(home: string, key: string): Readonly<Record<string, string>> {
  const program = join(home, "ssh");
  const options = `-F none -i ${key} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null`;
  writeFileSync(program, `#!/bin/sh\nexec /usr/bin/ssh ${options} -q "$@"\n`, { mode: 0o755 });
  return { PATH: `${home}:${process.env.PATH}`, GIT_SSH: program, SSH_KEY: key };
}
