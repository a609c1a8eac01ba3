import { requiredBoolean } from "../config-value.ts";
import { timed } from "../metrics.ts";
import type { PushCommand, PushContext, PushResult } from "../push-hooks.ts";
import { pushContext } from "./hook-context.ts";
import type { Push } from "./push.ts";
import type { CommandResult } from "./report-status.ts";

/** Tells hooks of what has changed. They alter nothing, and what they throw is for the log alone. */
export async function runPostHooks(push: Push): Promise<void> {
  const { hooks } = push;
  const changed = push.results.filter(({ isDone, didNotExist }) => isDone && !didNotExist);
  if (changed.length === 0) return;
  // The push is over: its being called off must not keep anybody from hearing of it.
  const { signal } = new AbortController();
  const context = (commands: readonly PushCommand[]): PushContext => ({
    ...pushContext(push, commands),
    signal,
  });
  await tell(push, "postReceive", () => hooks.postReceive?.(context(changed.flatMap(reported))));
  await tell(push, "postUpdate", () => hooks.postUpdate?.(context(changed.map(({ command }) => command))));
  await renewServerInfo(push);
}

/** Tells hooks that the push is over. */
export async function tellPushOver(push: Push, outcome: PushResult["outcome"], ms: number): Promise<void> {
  const { hooks, stats } = push.session;
  if (hooks.postPush === undefined) return;
  const commands = push.results.map(
    ({ command, error, isDone }) =>
      ({
        ...command,
        outcome: isDone ? "done" : error === undefined ? "not-reached" : "refused",
        error: isDone ? undefined : error,
      }) as const,
  );
  const { signal } = new AbortController();
  const context = { ...pushContext(push, push.request.commands), signal };
  const result = { commands, outcome, objects: stats.objects, ms };
  await tell(push, "postPush", () => hooks.postPush?.(context, result));
}

/** What it leaves behind is for others to read: nothing about the push depends on it. */
async function renewServerInfo({ session: { repository, logger } }: Push): Promise<void> {
  if (requiredBoolean(repository.config, "receive.updateServerInfo") !== true) return;
  try {
    await repository.updateServerInfo?.();
  } catch (error) {
    logger?.warn({ error }, "what dumb transports read could not be renewed");
  }
}

/** What happened, by the word of the proc-receive hook where that did it. */
function reported({ command, reports }: CommandResult): PushCommand[] {
  if (reports.length === 0) return [command];
  return reports.map(({ ref, oldId, newId }) => ({
    ref: ref ?? command.ref,
    oldId: oldId ?? command.oldId,
    newId: newId ?? command.newId,
  }));
}

async function tell(push: Push, hook: string, call: () => Promise<void> | undefined): Promise<void> {
  try {
    await timed(push.session.metrics, "hooks", async () => call());
  } catch (error) {
    push.session.logger?.warn({ error, hook }, "a hook failed");
  }
}
