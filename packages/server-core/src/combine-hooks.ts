import type { Hooks } from "./hooks.ts";
import { ATTENDING } from "./push/attendance.ts";
import type { ProcReceiveAnswer, PushCommand, PushContext } from "./push-hooks.ts";

/**
 * Several hooks as one. Each is asked in order, about what nobody has refused yet, and the first refusal counts; what is
 * over is told to all, whatever becomes of the others. `procReceive` is asked of each about what has no answer yet,
 * `pushToCheckout` until one does not leave it to the next.
 */
export function combineHooks(...parts: readonly Hooks[]): Hooks {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const having = <K extends keyof Hooks>(name: K) => parts.filter((part) => part[name] !== undefined);
  const [before, received, proc, updates] = [
    having("prePush"),
    having("preReceive"),
    having("procReceive"),
    having("update"),
  ];
  const checkouts = having("pushToCheckout");
  const [transactions, afterwards, postUpdates] = [
    having("referenceTransaction"),
    having("postReceive"),
    having("postUpdate"),
  ];
  const pushed = having("postPush");
  const [fetches, fetched] = [having("preFetch"), having("postFetch")];
  const attending = parts.filter((part) => ATTENDING.some((name) => part[name] !== undefined));
  return {
    ...(parts.some(({ attends }) => attends !== undefined) && {
      async attends(context) {
        const answers = await Promise.all(
          attending.map(async (part) => (await part.attends?.(context)) ?? true),
        );
        return answers.includes(true);
      },
    }),
    ...(before.length > 0 && {
      prePush: (context) => askAll(before, context, (part, now) => part.prePush?.(now)),
    }),
    ...(received.length > 0 && {
      preReceive: (context) => askAll(received, context, (part, now) => part.preReceive?.(now)),
    }),
    ...(proc.length > 0 && {
      async procReceive(context) {
        let answers: Map<string, readonly ProcReceiveAnswer[]> | undefined;
        for (const part of proc) {
          const commands = context.commands.filter(({ ref }) => !answers?.has(ref));
          if (commands.length === 0) break;
          const more = await part.procReceive?.(withCommands(context, commands));
          if (more !== undefined) answers = new Map([...(answers ?? []), ...more]);
        }
        return answers;
      },
    }),
    ...(updates.length > 0 && {
      update: (context, command) => firstOf(updates, (part) => part.update?.(context, command)),
    }),
    ...(checkouts.length > 0 && {
      async pushToCheckout(context, command, workTree) {
        for (const part of checkouts) {
          const answer = await part.pushToCheckout?.(context, command, workTree);
          if (answer !== false) return answer;
        }
        return false;
      },
    }),
    ...(transactions.length > 0 && {
      async referenceTransaction(context, phase, changes) {
        const tell = (part: Hooks) => part.referenceTransaction?.(context, phase, changes);
        if (phase === "committed" || phase === "aborted") await tellAll(transactions, tell);
        else for (const part of transactions) await tell(part);
      },
    }),
    ...(afterwards.length > 0 && {
      postReceive: (context) => tellAll(afterwards, (part) => part.postReceive?.(context)),
    }),
    ...(postUpdates.length > 0 && {
      postUpdate: (context) => tellAll(postUpdates, (part) => part.postUpdate?.(context)),
    }),
    ...(pushed.length > 0 && {
      postPush: (context, result) => tellAll(pushed, (part) => part.postPush?.(context, result)),
    }),
    ...(fetches.length > 0 && {
      preFetch: (context) => firstOf(fetches, (part) => part.preFetch?.(context)),
    }),
    ...(fetched.length > 0 && {
      postFetch: (context, result) => tellAll(fetched, (part) => part.postFetch?.(context, result)),
    }),
  };
}

type Answer<T> = Promise<T | undefined> | undefined;

async function firstOf<T>(parts: readonly Hooks[], ask: (part: Hooks) => Answer<T>): Promise<T | undefined> {
  for (const part of parts) {
    const refusal = await ask(part);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Asks about the commands that are left, until none is. */
async function askAll<C extends PushContext>(
  parts: readonly Hooks[],
  context: C,
  ask: (part: Hooks, context: C) => Answer<string | ReadonlyMap<string, string>>,
): Promise<string | ReadonlyMap<string, string> | undefined> {
  const refused = new Map<string, string>();
  let left: readonly PushCommand[] = context.commands;
  for (const part of parts) {
    const refusals = await ask(part, withCommands(context, left));
    if (typeof refusals === "string") {
      if (refused.size === 0) return refusals;
      for (const { ref } of left) refused.set(ref, refusals);
      return refused;
    }
    for (const [ref, reason] of refusals ?? []) refused.set(ref, refused.get(ref) ?? reason);
    left = left.filter(({ ref }) => !refused.has(ref));
    if (left.length === 0 && refused.size > 0) break;
  }
  return refused.size > 0 ? refused : undefined;
}

/** A copy that asks for nothing which is only found out when it is asked for. */
function withCommands<C extends PushContext>(context: C, commands: readonly PushCommand[]): C {
  const asked = Object.getOwnPropertyDescriptors<PushContext>(context);
  return Object.defineProperties({}, { ...asked, commands: { value: commands, enumerable: true } }) as C;
}

/** @throws what the first that failed has thrown, once all have been told */
async function tellAll(
  parts: readonly Hooks[],
  tell: (part: Hooks) => Promise<void> | undefined,
): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts) {
    try {
      await tell(part);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
