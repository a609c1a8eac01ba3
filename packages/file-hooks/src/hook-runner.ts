import type { Readable, Writable } from "node:stream";
import type { Logger, PushContext, Repository } from "@x/server-core";
import type { CommandLine } from "./command-line.ts";
import type { ConfiguredHook } from "./configured-hooks.ts";
import { HookFinder } from "./find-hooks.ts";
import { type Environment, hookEnvironment } from "./hook-environment.ts";
import type { HookInput } from "./hook-input.ts";
import { HookOutput } from "./hook-output.ts";
import type { FileHookLimits } from "./limits.ts";
import { PipeMaker } from "./pipes.ts";
import { type HookEnd, MAX_TIMER_MS, runHook } from "./run-hook.ts";

/** What a {@link HookRunner} goes by. */
export interface HookRunnerOptions {
  readonly hooksPath: (repository: Repository) => string | undefined;
  readonly configured: readonly ConfiguredHook[];
  readonly environment: (context: PushContext) => Environment;
  readonly verbatim: boolean;
  readonly limits: FileHookLimits;
  readonly logger: Logger | undefined;
}

/** One event. */
export interface HookEvent {
  /** One character for each byte. */
  readonly args?: readonly string[];
  /** Comes on top of what every hook has in its environment. */
  readonly extra?: ReadonlyMap<string, string>;
  readonly input?: HookInput;
  /** Instead of `input`; the one script is talked to, and settings have no say. */
  readonly talk?: (stdin: Writable, stdout: Readable, limits: FileHookLimits) => Promise<void>;
  /** It is too late to call anything off: a push that ends leaves the hook running. */
  readonly detach?: boolean;
}

/** Nobody was asked; all are content; somebody is not, or could not be asked. */
export type HookResult = "missing" | "passed" | "failed";

/** Finds the hooks of an event and runs them one after the other. */
export class HookRunner {
  readonly #options: HookRunnerOptions;
  readonly #finder: HookFinder;
  readonly #pipes = new PipeMaker();
  /** Hooks that a push does not take with it. */
  readonly #detached = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(options: HookRunnerOptions) {
    this.#options = options;
    this.#finder = new HookFinder(options.logger);
  }

  /** @throws the reason of the push's signal, once what ran is dead; not when the event is detached */
  async run(context: PushContext, name: string, event: HookEvent): Promise<HookResult> {
    if (!event.detach) return this.#runAll(context, name, event, context.signal);
    const work = this.#runAll(context, name, event, this.#closing.signal);
    this.#detached.add(work);
    const settled = work.finally(() => this.#detached.delete(work));
    settled.catch(() => {}); // whoever waits hears of it
    return unlessAborted(settled, context.signal);
  }

  async close(graceMs: number): Promise<void> {
    const end = () => this.#closing.abort(new Error("the server is closing"));
    const timer = setTimeout(end, Math.min(graceMs, MAX_TIMER_MS));
    await Promise.allSettled(this.#detached);
    clearTimeout(timer);
    this.#pipes.close();
  }

  async #runAll(
    context: PushContext,
    name: string,
    event: HookEvent,
    signal: AbortSignal,
  ): Promise<HookResult> {
    const { repository } = context;
    const { directory } = repository;
    if (directory === undefined) return "missing";
    const commands = await this.#commandsFor(repository, directory, name, event);
    if (commands.length === 0) return "missing";
    const { limits, verbatim, logger } = this.#options;
    const environment = hookEnvironment(this.#options.environment(context), context, event.extra);
    const { talk } = event;
    let failed = false;
    for (const command of commands) {
      const output = new HookOutput({
        name,
        verbatim,
        maxBytes: limits.maxOutputBytes,
        show: context.progress,
      });
      const end = await runHook({
        command,
        directory,
        environment,
        output,
        signal,
        limits,
        pipes: this.#pipes,
        input: event.input?.(),
        talk: talk && ((stdin, stdout) => talk(stdin, stdout, limits)),
      });
      if (end.kind === "exited" && end.status === 0) continue;
      failed = true;
      const line = complaintAbout(name, end, limits);
      if (line !== undefined) output.say(`error: ${line}`);
      logger?.info({ hook: name, program: command.program, ...end }, "a hook failed");
    }
    return failed ? "failed" : "passed";
  }

  async #commandsFor(
    repository: Repository,
    directory: string,
    name: string,
    { args = [], talk }: HookEvent,
  ): Promise<CommandLine[]> {
    const commands: CommandLine[] = [];
    if (talk === undefined)
      for (const { event, command } of this.#options.configured)
        if (event === name) commands.push({ program: command, shell: true, args });
    const hooksPath = this.#options.hooksPath(repository);
    const program = await this.#finder.find({ directory, hooksPath }, name);
    if (program !== undefined) commands.push({ program, shell: false, args });
    return commands;
  }
}

/** A hook that ends by itself has said what it has to say. */
function complaintAbout(name: string, end: HookEnd, limits: FileHookLimits): string | undefined {
  if (end.kind === "not-started") return `cannot run the ${name} hook: ${end.reason}`;
  if (end.kind === "killed") return `the ${name} hook died of signal ${end.signal}`;
  if (end.kind === "timed-out") return `the ${name} hook was ended after ${limits.timeoutMs} ms`;
  return undefined;
}

/** What `promise` gives, or the signal's reason when that comes first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
