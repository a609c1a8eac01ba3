/** Nothing came for a while. */
export const IDLE: unique symbol = Symbol("idle");
/** @see IDLE */
export type Idle = typeof IDLE;

/**
 * What `source` gives, and {@link IDLE} each time it is silent for `idleMs` while it is waited for. Leaving the
 * iteration leaves the source. Unit: milliseconds.
 */
export async function* withIdle<T>(
  source: AsyncIterable<T>,
  idleMs: number,
): AsyncGenerator<T | Idle, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let over = false;
  try {
    for (;;) {
      const next = iterator.next();
      while (!(await settlesWithin(next, idleMs))) yield IDLE;
      const result = await next;
      if (result.done === true) {
        over = true;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    over = true;
    throw error;
  } finally {
    if (!over) await iterator.return?.();
  }
}

function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const settled = () => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(settled, settled);
  });
}

/** What comes out of work in progress: texts for the user, silence, and in the end the result. */
export type WorkEvent<T> =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "idle" }
  | { readonly kind: "result"; readonly value: T };

/** Texts that nobody reads are dropped above this. Unit: characters. */
const MAX_WAITING_TEXT = 65_536;

/**
 * Runs `task` and gives its texts while it runs, `idle` where it is silent for `idleMs()`, and its result last.
 * Leaving the iteration waits for the task: whoever leaves has called it off.
 */
export async function* whileWorking<T>(
  task: (say: (text: string) => void) => Promise<T>,
  idleMs: () => number | undefined,
): AsyncGenerator<WorkEvent<T>, void, undefined> {
  let waiting = "";
  let wake: () => void = () => {};
  let settled = false;
  const result = task((text) => {
    if (waiting.length < MAX_WAITING_TEXT) waiting += text;
    wake();
  });
  const finished = () => {
    settled = true;
    wake();
  };
  const over = result.then(finished, finished);
  const isIdle = () =>
    new Promise<boolean>((resolve) => {
      const ms = idleMs();
      const timer = ms === undefined ? undefined : setTimeout(() => resolve(true), ms);
      wake = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  try {
    while (waiting !== "" || !settled) {
      if (waiting !== "") {
        const text = waiting;
        waiting = "";
        yield { kind: "text", text };
      } else if (await isIdle()) yield { kind: "idle" };
    }
    yield { kind: "result", value: await result };
  } finally {
    await over;
  }
}
