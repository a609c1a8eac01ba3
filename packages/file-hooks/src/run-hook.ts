import type { Readable, Writable } from "node:stream";
import type { CommandLine } from "./command-line.ts";
import type { HookOutput } from "./hook-output.ts";
import { type Program, type ProgramEnd, startProgram } from "./hook-process.ts";
import type { FileHookLimits } from "./limits.ts";
import type { PipeMaker } from "./pipes.ts";

/** How a hook ended. */
export type HookEnd = ProgramEnd | { readonly kind: "timed-out" };

/** One run of a hook. */
export interface HookRun {
  readonly command: CommandLine;
  readonly directory: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly output: HookOutput;
  /** Settles when there is room for more output. */
  readonly drained: () => Promise<void>;
  /** Calls the run off: all of it is killed. */
  readonly signal: AbortSignal;
  readonly limits: FileHookLimits;
  readonly pipes: PipeMaker;
  /** What it reads; without it there is nothing to read. */
  readonly input?: Iterable<Uint8Array> | undefined;
  /** Instead: a talk over its standard input and output. An end of the talk is not the end of the hook. */
  readonly talk?: ((stdin: Writable, stdout: Readable) => Promise<void>) | undefined;
}

/**
 * Runs a hook to its end.
 * @throws the signal's reason once the hook is dead, and what a `talk` throws
 */
export async function runHook(run: HookRun): Promise<HookEnd> {
  const { signal, limits, talk } = run;
  signal.throwIfAborted();
  const program = await startProgram({ ...run, talk: talk !== undefined }, run.pipes);
  const watch = watchOver(program, signal, limits.timeoutMs, limits.killGraceMs);
  const shown = program.texts.map((stream) => relay(stream, run.output, run.drained));
  const talked = talk && program.talk && holdTalk(program.talk, talk);
  talked?.over.catch(() => {}); // awaited below
  const end = await program.ended;
  const stopped = watch.end();
  // What was killed leaves nothing running; otherwise somebody may have been left on purpose, and is left alone.
  if (stopped !== undefined) program.kill("SIGKILL");
  const last = [Promise.resolve(talked?.over).catch(() => {}), ...shown.map(({ over }) => over)];
  const over = Promise.all(last);
  // What waits for the user to read on is not late.
  while (!(await within(over, limits.lingerMs)))
    if (signal.aborted || !shown.some(({ isHeld }) => isHeld())) break;
  for (const { leave } of shown) leave();
  talked?.leave();
  run.output.end();
  if (stopped === "aborted") signal.throwIfAborted();
  await talked?.over;
  return stopped === "timed-out" ? { kind: "timed-out" } : end;
}

function holdTalk(streams: NonNullable<Program["talk"]>, talk: NonNullable<HookRun["talk"]>) {
  const { stdin, stdout } = streams;
  const leave = () => {
    stdin.destroy();
    stdout.destroy();
  };
  stdin.on("error", () => {});
  stdout.on("error", () => {});
  return { over: talk(stdin, stdout).finally(leave), leave };
}

/** A timer holds no more. Unit: milliseconds. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** Kills the program in two steps when it is called off or out of time. */
function watchOver(program: Program, signal: AbortSignal, timeoutMs: number, graceMs: number) {
  let stopped: "aborted" | "timed-out" | undefined;
  let force: NodeJS.Timeout | undefined;
  const stop = (why: "aborted" | "timed-out") => {
    if (stopped !== undefined) return;
    stopped = why;
    program.kill("SIGTERM");
    force = setTimeout(() => program.kill("SIGKILL"), graceMs);
  };
  const onAbort = () => stop("aborted");
  const timer =
    timeoutMs === 0 ? undefined : setTimeout(() => stop("timed-out"), Math.min(timeoutMs, MAX_TIMER_MS));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    end() {
      clearTimeout(timer);
      clearTimeout(force);
      signal.removeEventListener("abort", onAbort);
      return stopped;
    },
  };
}

interface Relay {
  /** All that was written has been read. */
  readonly over: Promise<void>;
  /** There may be more, once the user has read what there was. */
  readonly isHeld: () => boolean;
  /** Nobody listens any more, but whoever still writes may go on. */
  readonly leave: () => void;
}

function relay(stream: Readable, output: HookOutput, drained: () => Promise<void>): Relay {
  let listening = true;
  let held = false;
  stream.on("error", () => {});
  const over = new Promise<void>((resolve) => {
    stream.once("close", () => resolve()).once("end", () => resolve());
  });
  stream.on("data", (chunk: Buffer) => {
    if (!listening || output.isFull) return;
    output.write(chunk);
    held = true;
    stream.pause();
    void drained().finally(() => {
      held = false;
      stream.resume();
    });
  });
  return {
    over,
    isHeld: () => held,
    leave() {
      listening = false;
      if ("unref" in stream && typeof stream.unref === "function") stream.unref();
    },
  };
}

/** @returns whether it has settled in time */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
