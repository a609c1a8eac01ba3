import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { temporaryDirectory } from "@tooling/test-kit";
import { afterAll } from "vitest";
import { BIN } from "./server.ts";

/** A running `xgit daemon`. */
export interface Daemon {
  readonly port: number;
  /** `git://127.0.0.1:PORT` */
  readonly url: string;
  readonly pid: number;
  log(): string;
  logged(what: RegExp): Promise<void>;
  /** Sends SIGTERM and waits. */
  end(): Promise<number | NodeJS.Signals | null>;
  alive(): boolean;
  openFiles(): number;
}

const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Settings of no machine or user get into a test. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const home = temporaryDirectory("home");
  return { PATH: process.env.PATH ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1", ...extra };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts `xgit daemon` on a free port of 127.0.0.1, and waits until it is ready. */
export async function startDaemon(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const port = await freePort();
  const listen = flags.some((flag) => flag.startsWith("--listen=")) ? [] : ["--listen=127.0.0.1"];
  const child = spawn(process.execPath, [BIN, "daemon", "--verbose", `--port=${port}`, ...listen, ...flags], {
    env: cleanEnvironment(env),
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  let log = "";
  let wake: () => void = () => {};
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString("utf8");
    wake();
  });
  const exited = once(child, "exit").then(([status, signal]: (number | NodeJS.Signals | null)[]) => {
    running.delete(child);
    wake();
    return status ?? signal ?? null;
  });
  const logged = async (what: RegExp): Promise<void> => {
    while (!what.test(log)) {
      if (child.exitCode !== null) throw new Error(`it has ended: ${log}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await logged(/^\[\d+\] Ready to rumble$/m);
  const { pid } = child;
  if (pid === undefined) throw new Error("no process");
  return {
    port,
    url: `git://127.0.0.1:${port}`,
    pid,
    log: () => log,
    logged,
    end() {
      child.kill("SIGTERM");
      return exited;
    },
    alive: () => child.exitCode === null && child.signalCode === null,
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
  };
}
