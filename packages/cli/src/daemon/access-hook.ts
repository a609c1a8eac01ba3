import { spawn } from "node:child_process";

/** What an access hook is told, in its order. Spec: git-daemon, `--access-hook`. */
export interface AccessHookArguments {
  readonly service: string;
  readonly path: string;
  readonly host: string;
  readonly canonicalHost: string;
  readonly address: string;
  readonly port: string;
}

/** How it is run. */
export interface AccessHookOptions {
  /** A line for the shell. */
  readonly command: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** What is read of its output. Unit: bytes. */
const MAX_OUTPUT_BYTES = 4096;
/** It has to be done by then. Unit: milliseconds. */
const TIMEOUT_MS = 60_000;

/** @returns why it refuses, the first line that it prints; `undefined` when it does not */
export function runAccessHook(
  { service, path, host, canonicalHost, address, port }: AccessHookArguments,
  { command, directory, env, signal }: AccessHookOptions,
): Promise<string | undefined> {
  const words = [service, path, host, canonicalHost, address, port];
  return new Promise((resolve) => {
    const hook = spawn("/bin/sh", ["-c", `${command} "$@"`, command, ...words], {
      cwd: directory,
      env,
      stdio: ["ignore", "pipe", "ignore"],
      detached: true, // a group of its own, to be ended with all it has started
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    hook.stdout.on("data", (chunk: Buffer) => {
      if (bytes < MAX_OUTPUT_BYTES) chunks.push(chunk);
      bytes += chunk.length;
    });
    const kill = () => {
      try {
        if (hook.pid !== undefined) process.kill(-hook.pid, "SIGKILL");
      } catch {
        // it has ended meanwhile
      }
    };
    const timer = setTimeout(kill, TIMEOUT_MS);
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    const done = (granted: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
      const output = Buffer.concat(chunks).subarray(0, MAX_OUTPUT_BYTES).toString("utf8");
      resolve(granted ? undefined : output.trimStart().split("\n", 1)[0] || "service rejected");
    };
    hook.once("error", () => done(false));
    hook.once("close", (code) => done(code === 0));
  });
}
