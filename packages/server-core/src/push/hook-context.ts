import { timed } from "../metrics.ts";
import type { PushCommand, PushContext, PushHooks, ReceivedContext, Refusals } from "../push-hooks.ts";
import type { Push } from "./push.ts";
import type { CommandResult } from "./report-status.ts";

const utf8 = new TextEncoder();

/** What every hook gets to know. */
export function pushContext(push: Push, commands: readonly PushCommand[]): PushContext {
  return { ...commonContext(push), commands };
}

function commonContext(push: Push): Omit<PushContext, "commands"> {
  const { call, repository, signal } = push.session;
  return {
    call,
    repository,
    atomic: push.atomic,
    pushOptions: push.request.pushOptions,
    certificate: push.certificate,
    signal,
    progress: (text) => push.voice.say(typeof text === "string" ? utf8.encode(text) : text.slice()),
    drained: () => push.voice.drained(),
  };
}

/** What a hook gets to know once objects are in; the commands, where they are a function's, not before it asks. */
export function receivedContext(
  push: Push,
  commands: readonly PushCommand[] | (() => readonly PushCommand[]),
): ReceivedContext {
  const { quarantine } = push;
  const { signal } = push.session;
  let known = typeof commands === "function" ? undefined : commands;
  return {
    ...commonContext(push),
    get commands() {
      known ??= typeof commands === "function" ? commands() : commands;
      return known;
    },
    objects: push.objects,
    received: () => quarantine?.received?.({ signal }) ?? nothing(),
    // Not before it is asked for: a quarantine may have to write to disk what programs are to see.
    get environment() {
      return (push.isPublished ? undefined : quarantine?.environment) ?? new Map();
    },
  };
}

/** The commands of what is alive. */
export function commandsOf(results: readonly CommandResult[]): PushCommand[] {
  return results.map(({ command }) => command);
}

/** Asks a hook; one that throws has refused, and what it threw is for the log alone. */
export async function askHook<T>(
  push: Push,
  name: keyof PushHooks,
  ask: () => Promise<T>,
  onThrow: T,
): Promise<T> {
  try {
    return await timed(push.session.metrics, "hooks", ask);
  } catch (error) {
    // Once something is kept the push goes on to its end.
    if (!push.isPublished) push.session.signal.throwIfAborted();
    push.session.logger?.warn({ error, hook: name }, "a hook failed");
    return onThrow;
  }
}

/** Fails what a hook refuses of `results`. */
export function refuse(results: readonly CommandResult[], refusals: Refusals | undefined): void {
  if (refusals === undefined) return;
  for (const result of results)
    result.error ??= typeof refusals === "string" ? refusals : refusals.get(result.command.ref);
}

async function* nothing(): AsyncGenerator<never, void, undefined> {}
