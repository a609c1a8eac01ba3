import { setTimeout as wait } from "node:timers/promises";

/** How long those of one process wait for each other before they try the lock all the same. Unit: milliseconds. */
const MAX_TURN_MS = 10_000;

const tails = new WeakMap<object, Promise<void>>();

/**
 * Those of one process who want the same lock come one after the other: locks in files are polled for, and not for long.
 * @param subject what the lock is on
 * @returns what ends the turn
 */
export async function takeTurn(subject: object): Promise<() => void> {
  const before = tails.get(subject);
  let end = () => {};
  const own = new Promise<void>((resolve) => {
    end = resolve;
  });
  tails.set(subject, own);
  if (before !== undefined) {
    const timer = new AbortController();
    const late = wait(MAX_TURN_MS, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([before, late]);
    timer.abort();
  }
  return end;
}
