/** Nothing came for a while. */
export const IDLE: unique symbol = Symbol("idle");
/** @see IDLE */
export type Idle = typeof IDLE;

/**
 * A client that may be gone is asked that often: the first byte brings back a reset, and the second shows it.
 * Unit: milliseconds.
 */
const PROBE_MS = 400;

/** A silence that is looked at every `stepMs`, to see whether it is to be marked. */
export interface Silence {
  readonly stepMs: number;
  /** Another step has passed. @returns whether that was long enough, which begins it anew */
  isDue(): boolean;
}

/** A silence to be marked every `idleMs`, or at once where `mayBeGone` says so. Unit: milliseconds. */
export function startSilence(idleMs: number, mayBeGone?: () => boolean): Silence {
  const stepMs = mayBeGone === undefined ? idleMs : Math.ceil(idleMs / Math.ceil(idleMs / PROBE_MS));
  let silentMs = 0;
  return {
    stepMs,
    isDue() {
      silentMs += stepMs;
      if (silentMs < idleMs && mayBeGone?.() !== true) return false;
      silentMs = 0;
      return true;
    },
  };
}

/**
 * What `source` gives, and {@link IDLE} each time it is silent for `idleMs` while it is waited for, or sooner where
 * `mayBeGone` says so. Leaving the iteration leaves the source. Unit: milliseconds.
 */
export async function* withIdle<T>(
  source: AsyncIterable<T>,
  idleMs: number,
  mayBeGone?: () => boolean,
): AsyncGenerator<T | Idle, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let over = false;
  try {
    for (;;) {
      const next = iterator.next();
      const silence = startSilence(idleMs, mayBeGone);
      while (!(await settlesWithin(next, silence.stepMs))) if (silence.isDue()) yield IDLE;
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
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  | { readonly kind: "idle" }
  | { readonly kind: "result"; readonly value: T };

/** How work in progress shows texts to the user. */
export interface Voice {
  /**
   * Takes a text over; it is lost where too much is waiting, or nobody listens any more. An empty one shows nothing, and
   * has the time of silence asked for anew.
   */
  readonly say: (text: Uint8Array) => void;
  /** Settles when little is waiting, or nobody listens any more. */
  readonly drained: () => Promise<void>;
}

/** Texts that nobody reads are dropped above this. Unit: bytes. */
const MAX_WAITING_TEXT = 1024 * 1024;
/** Who waits for room goes on below this. Unit: bytes. */
const LITTLE_WAITING_TEXT = 65_536;

/**
 * Runs `task` and gives its texts while it runs, `idle` where it is silent for `idleMs()`, and its result last.
 * Leaving the iteration waits for the task: whoever leaves has called it off.
 */
export async function* whileWorking<T>(
  task: (voice: Voice) => Promise<T>,
  idleMs: () => number | undefined,
): AsyncGenerator<WorkEvent<T>, void, undefined> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let left = false;
  let forRoom: (() => void)[] = [];
  let wake: () => void = () => {};
  let settled = false;
  const take = (): Uint8Array => {
    const text = joined(waiting, bytes);
    waiting = [];
    bytes = 0;
    for (const resolve of forRoom) resolve();
    forRoom = [];
    return text;
  };
  const result = task({
    say(text) {
      if (left || bytes + text.length > MAX_WAITING_TEXT) return;
      if (text.length > 0) waiting.push(text);
      bytes += text.length;
      wake();
    },
    async drained() {
      if (!left && bytes > LITTLE_WAITING_TEXT) await new Promise<void>((resolve) => forRoom.push(resolve));
    },
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
    while (bytes > 0 || !settled) {
      if (bytes > 0) yield { kind: "text", bytes: take() };
      else if (await isIdle()) yield { kind: "idle" };
    }
    yield { kind: "result", value: await result };
  } finally {
    left = true;
    take();
    await over;
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
