import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { type CommandLine, throughShell, toSpawn } from "./command-line.ts";
import { openInputFile } from "./input-file.ts";
import type { PipeMaker } from "./pipes.ts";

/** How a program ended. */
export type ProgramEnd =
  | { readonly kind: "exited"; readonly status: number }
  | { readonly kind: "killed"; readonly signal: string }
  /** It was there, but the system would not run it: the system's word for why. */
  | { readonly kind: "not-started"; readonly reason: string };

/** What to start. */
export interface ProgramOptions {
  readonly command: CommandLine;
  readonly directory: string;
  readonly environment: ReadonlyMap<string, string>;
  /** What it reads; nothing when not given. */
  readonly input?: Iterable<Uint8Array> | undefined;
  /** It is spoken to: what it reads is written later, and its standard output is read by itself. */
  readonly talk: boolean;
}

/** A program that runs, with all that it starts, as a group of its own. */
export interface Program {
  /** Both ends of a talk. */
  readonly talk: { readonly stdin: Writable; readonly stdout: Readable } | undefined;
  /** The texts: one stream where there are pipes, two where there are none. */
  readonly texts: readonly Readable[];
  /** Resolves when the program itself is over; what it started may still run. */
  readonly ended: Promise<ProgramEnd>;
  /** Signals it and whatever it has started, but for what has left its group. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** Starts a program. Never throws for what is the program's fault. */
export async function startProgram(options: ProgramOptions, pipes: PipeMaker): Promise<Program> {
  const { input, talk } = options;
  const made = await pipes.make(talk ? ["fromProgram", "toProgram", "fromProgram"] : ["fromProgram"]);
  const [texts, stdin, stdout] = made ?? [];
  if (texts === undefined) return startOverSockets(options);
  const file = input && (await openInputFile(input));
  const opened = [texts, stdin, stdout].flatMap((pipe) => (pipe === undefined ? [] : [pipe.theirs]));
  const child = spawnGroup(options, [
    stdin?.theirs ?? file ?? "ignore",
    (stdout ?? texts).theirs,
    texts.theirs,
  ]);
  for (const end of file === undefined ? opened : [...opened, file]) closeSync(end);
  return {
    talk: stdin && stdout && { stdin: stdin.ours, stdout: stdout.ours },
    texts: [texts.ours],
    ...watch(child),
  };
}

function startOverSockets(options: ProgramOptions): Program {
  const { input, talk } = options;
  const started = spawnGroup(options, [talk || input ? "pipe" : "ignore", "pipe", "pipe"]);
  const watched = watch(started);
  if (typeof started === "string") return { talk: undefined, texts: [], ...watched };
  const { stdin, stdout, stderr } = started as ChildProcess & { stdout: Readable; stderr: Readable };
  if (talk && stdin) return { talk: { stdin, stdout }, texts: [stderr], ...watched };
  if (input && stdin) {
    // A program need not read what it is told.
    Readable.from(input).pipe(stdin.on("error", () => {}));
    void watched.ended.then(() => stdin.destroy());
  }
  return { talk: undefined, texts: [stdout, stderr], ...watched };
}

type Stdio = readonly ("pipe" | "ignore" | number)[];

/** @returns the system's word for why not */
function spawnGroup(
  { command, directory, environment }: ProgramOptions,
  stdio: Stdio,
): ChildProcess | string {
  const options = {
    cwd: directory,
    env: Object.fromEntries(environment),
    stdio: [...stdio],
    // A group of its own, so that what it starts can be ended with it.
    detached: true,
  };
  const { file, argv } = toSpawn(command);
  try {
    return spawn(file, argv, options);
  } catch (error) {
    if (codeOf(error) !== "ENOEXEC") return codeOf(error);
  }
  try {
    const again = throughShell(command);
    return spawn(again.file, again.argv, options);
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

/** Groups that run: none outlives this process where that can be helped. */
const groups = new Set<number>();

function killGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left in it.
  }
}

function killAll(): void {
  for (const group of groups) killGroup(group, "SIGKILL");
}

function watch(child: ChildProcess | string): Pick<Program, "ended" | "kill"> {
  if (typeof child === "string")
    return { ended: Promise.resolve({ kind: "not-started", reason: child }), kill: () => {} };
  const { pid } = child;
  if (pid !== undefined) {
    if (groups.size === 0) process.on("exit", killAll);
    groups.add(pid);
  }
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once("error", (error) => resolve({ kind: "not-started", reason: codeOf(error) }));
    child.once("exit", (status, signal) =>
      resolve(status === null ? { kind: "killed", signal: signal ?? "" } : { kind: "exited", status }),
    );
  });
  void ended.then(() => {
    if (pid === undefined) return;
    groups.delete(pid);
    if (groups.size === 0) process.off("exit", killAll);
  });
  return { ended, kill: (signal) => pid !== undefined && killGroup(pid, signal) };
}
