import { spawn } from "node:child_process";
import { once } from "node:events";
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
  const child = spawn(process.execPath, [BIN, "serve", root, "--http-port", "0", "--git-port", "0"], {
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
  return { root, url, clientEnvironment: {} };
}
