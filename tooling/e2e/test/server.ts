import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "@tooling/test-kit";
import { afterAll } from "vitest";

/** The built command. */
export const BIN: string = fileURLToPath(new URL("dist/bin.js", import.meta.resolve("@x/cli/package.json")));

/** A running `xgit serve`. */
export interface Server {
  readonly root: string;
  /** `http://HOST:PORT`, and the same for git://; `""` when it is off. */
  readonly http: string;
  readonly git: string;
  readonly pid: number;
  readonly greeting: string;
  /** What it wrote to standard error so far. */
  log(): string;
  /** Waits until the log has what is looked for. */
  logged(what: RegExp): Promise<void>;
  /** Sends a signal and waits for the end; gives the exit status or the signal's name. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
  /** The process runs. */
  alive(): boolean;
  /** Memory that is in the process' hands. Unit: bytes. */
  residentBytes(): number;
  /** File descriptors that are open, pipes and sockets included. */
  openFiles(): readonly string[];
}

const running = new Set<ChildProcess>();

/** How to start a server. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `xgit serve ROOT` on free ports, unless the flags say otherwise, and waits for its greeting. */
export function startServer(root: string, ...flags: string[]): Promise<Server> {
  return startCommand([root, "--http-port", "0", "--git-port", "0", ...flags], root);
}

/** Starts `xgit serve` with just these arguments. @throws Error with the log when it ends instead of greeting */
export async function startCommand(
  args: readonly string[],
  root: string,
  options: StartOptions = {},
): Promise<Server> {
  const child = spawn(process.execPath, [BIN, "serve", ...args], {
    cwd: options.cwd ?? temporaryDirectory("cwd"),
    env: { PATH: process.env.PATH ?? "", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const exited = once(child, "exit").then(([status, signal]: (number | NodeJS.Signals | null)[]) => {
    running.delete(child);
    return status ?? signal ?? null;
  });
  const output = { out: "", err: "" };
  const watchers = new Set<() => void>();
  const collect = (key: "out" | "err") => (chunk: Buffer) => {
    output[key] += chunk.toString("latin1");
    for (const watcher of watchers) watcher();
  };
  child.stdout.on("data", collect("out"));
  child.stderr.on("data", collect("err"));
  const until = (done: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!done()) return;
        watchers.delete(check);
        resolve();
      };
      watchers.add(check);
      check();
    });
  // The greeting is one write, and its last line is one of these.
  const greeted = until(() => /(?:no repository yet|git clone .*|for the others)\n$/.test(output.out));
  const died = exited.then((status) => {
    throw new Error(`xgit serve ended with ${status}: ${output.out}${output.err}`);
  });
  await Promise.race([greeted, died]);
  died.catch(() => {});
  const url = (scheme: string) => new RegExp(`^ {2}(${scheme}://\\S+)/`, "m").exec(output.out)?.[1] ?? "";
  return {
    root,
    http: url("http").replace("0.0.0.0", "127.0.0.1"),
    git: url("git").replace("0.0.0.0", "127.0.0.1"),
    pid: child.pid as number,
    greeting: output.out,
    log: () => output.err,
    logged: (what) => until(() => what.test(output.err)),
    end(signal = "SIGTERM") {
      child.kill(signal);
      return exited;
    },
    alive: () => child.exitCode === null && child.signalCode === null,
    residentBytes: () =>
      1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "latin1"))?.[1]),
    openFiles: () => openFiles(child.pid as number),
  };
}

function openFiles(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/${name}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});
