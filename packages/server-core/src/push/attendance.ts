import type { PushHooks } from "../push-hooks.ts";
import { commandsOf, pushContext } from "./hook-context.ts";
import type { Push } from "./push.ts";

/** Hooks that take part in a push, or do not. */
export const ATTENDING: readonly (keyof PushHooks)[] = [
  "preReceive",
  "procReceive",
  "update",
  "pushToCheckout",
  "referenceTransaction",
  "postReceive",
  "postUpdate",
];

/** Finds out whether hooks attend the push from here on; otherwise they are left out of it. Never throws. */
export async function findAttendance(push: Push): Promise<void> {
  const { hooks } = push.session;
  if (await isAttended(push)) return;
  push.hooks = hooks.postPush === undefined ? {} : { postPush: hooks.postPush };
}

async function isAttended(push: Push): Promise<boolean> {
  const { hooks, logger } = push.session;
  if (ATTENDING.every((step) => hooks[step] === undefined)) return false;
  try {
    return (await hooks.attends?.(pushContext(push, commandsOf(push.live)))) ?? true;
  } catch (error) {
    logger?.warn({ error, hook: "attends" }, "a hook failed");
    return true;
  }
}
