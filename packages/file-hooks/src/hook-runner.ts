import type { Readable, Writable } from "node:stream";
import type { Logger, PushContext, Repository } from "@x/server-core";
import { type CommandLine, utf8Text } from "./command-line.ts";
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
  /** Comes on top of what every hook has in its environment; asked for if there is a hook. */
  readonly extra?: () => ReadonlyMap<string, string>;
  /** The same, one character for each byte. */
  readonly words?: ReadonlyMap<string, string>;
  readonly input?: HookInput;
  /** Instead of `input`; the one script is talked to, and settings have no say. */
  readonly talk?: (stdin: Writable, stdout: Readable, limits: FileHookLimits) => Promise<void>;
  /** It is too late to call anything off: the hook runs to its end. */
  readonly over?: boolean;
}

/** Nobody was asked; all are content; somebody is not, or could not be asked. */
export type HookResult = "missing" | "passed" | "failed";

/** Finds the hooks of an event and runs them one after the other. */
export class HookRunner {
  readonly #options: HookRunnerOptions;
  readonly #finder: HookFinder;
  readonly #pipes = new PipeMaker();
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(options: HookRunnerOptions) {
    this.#options = options;
    this.#finder = new HookFinder(options.logger);
  }

  /** @throws the reason of the push's signal, once what ran is dead; where all is over, only when we close */
  async run(context: PushContext, name: string, event: HookEvent): Promise<HookResult> {
    const signal = event.over ? this.#closing.signal : context.signal;
    const work = this.#runAll(context, name, event, signal);
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Whether there may be somebody to run for any of `names`. */
  async attends({ repository, call }: PushContext, names: readonly string[]): Promise<boolean> {
    const { directory } = repository;
    if (directory === undefined) return false;
    if (this.#options.configured.length > 0) return true;
    return this.#finder.mayFind({ directory, hooksPath: this.#options.hooksPath(repository) }, names, call);
  }

  async close(graceMs: number): Promise<void> {
    const end = () => this.#closing.abort(new Error("the server is closing"));
    const timer = graceMs > 0 ? setTimeout(end, Math.min(graceMs, MAX_TIMER_MS)) : end();
    await Promise.allSettled(this.#running);
    clearTimeout(timer ?? undefined);
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
    const commands = await this.#commandsFor(context, directory, name, event);
    if (commands.length === 0) return "missing";
    const { limits, verbatim, logger } = this.#options;
    const extra = new Map(event.extra?.());
    const variables = new Map<string, string>();
    for (const [key, bytes] of event.words ?? []) {
      const text = utf8Text(bytes);
      if (text === undefined) variables.set(key, bytes);
      else extra.set(key, text);
    }
    const environment = hookEnvironment(this.#options.environment(context), context, extra);
    const { talk } = event;
    let failed = false;
    for (const command of commands) {
      const output = new HookOutput({
        name,
        verbatim,
        maxBytes: limits.maxOutputBytes,
        show: context.progress,
      });
      const drained = context.drained;
      const end = await runHook({
        command: { ...command, variables },
        directory,
        environment,
        output,
        drained,
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
    { repository, call }: PushContext,
    directory: string,
    name: string,
    { args = [], talk }: HookEvent,
  ): Promise<CommandLine[]> {
    const commands: CommandLine[] = [];
    if (talk === undefined)
      for (const { event, command } of this.#options.configured)
        if (event === name) commands.push({ program: command, shell: true, args });
    const hooksPath = this.#options.hooksPath(repository);
    const program = await this.#finder.find({ directory, hooksPath }, name, call);
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
