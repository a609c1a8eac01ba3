import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { PushCertificatesError } from "../errors.ts";
import type { PushVerifierLimits } from "../limits.ts";

/** How programs are run, all of them. */
export interface ProgramSettings {
  /** What they see of the environment. `PATH` is where they are looked for, `HOME` or `GNUPGHOME` where gpg has its keys. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly limits: PushVerifierLimits;
}

/** What a program has left behind. */
export interface ProgramResult {
  /** Its exit status. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end, without a shell, with all it starts in a process group that goes when time is up.
 * @throws PushCertificatesError `push-certificates/program-failed`, or the signal's reason
 */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  input: Uint8Array,
  { environment, limits, signal }: ProgramSettings & { readonly signal: AbortSignal },
): Promise<ProgramResult> {
  signal.throwIfAborted();
  const failed = (what: string, cause?: unknown) =>
    new PushCertificatesError("push-certificates/program-failed", `${program} ${what}`, { cause });
  const child = start(program, args, environment, failed);
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody is left in the group.
    }
  };
  let problem: Error | undefined;
  const stop = (error: Error) => {
    problem ??= error;
    kill();
  };
  const late = setTimeout(
    () => stop(failed(`took longer than ${limits.programTimeoutMs} ms`)),
    limits.programTimeoutMs,
  );
  const leave = () => stop(failed("was called off"));
  signal.addEventListener("abort", leave, { once: true });
  register(kill);
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("error", (error) => reject(failed("did not start", error)));
      child.once("close", resolve);
    });
    child.stdin?.on("error", () => {}); // it need not read to the end
    child.stdin?.end(input);
    const tooMuch = () => stop(failed(`printed more than ${limits.maxProgramOutputBytes} bytes`));
    const [status, stdout, stderr] = await Promise.all([
      ended,
      readAll(child.stdout, limits.maxProgramOutputBytes, tooMuch),
      readAll(child.stderr, limits.maxProgramOutputBytes, tooMuch),
    ]);
    signal.throwIfAborted();
    if (problem !== undefined) throw problem;
    if (status === null) throw failed("was killed");
    return { status, stdout, stderr };
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", leave);
    unregister(kill);
  }
}

/** What ends the programs that run: none outlives this process where that can be helped. */
const running = new Set<() => void>();

function killAll(): void {
  for (const kill of running) kill();
}

function register(kill: () => void): void {
  if (running.size === 0) process.on("exit", killAll);
  running.add(kill);
}

function unregister(kill: () => void): void {
  running.delete(kill);
  if (running.size === 0) process.off("exit", killAll);
}

function start(
  program: string,
  args: readonly string[],
  environment: ProgramSettings["environment"],
  failed: (what: string, cause?: unknown) => Error,
): ChildProcess {
  try {
    return spawn(program, args, {
      cwd: "/",
      env: { ...environment },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
  } catch (cause) {
    throw failed("did not start", cause);
  }
}

async function readAll(stream: Readable | null, maxBytes: number, tooMuch: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else tooMuch();
  });
  await new Promise<void>((resolve) => (stream === null ? resolve() : void stream.once("close", resolve)));
  return Buffer.concat(chunks).toString("utf8");
}
