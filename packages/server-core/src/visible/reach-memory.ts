import type { ObjectId, ObjectStore } from "@x/objects";

/** States of a repository's refs whose answers are kept. */
const MAX_STATES = 4;

const utf8 = new TextEncoder();

/**
 * What a repository's refs reach and do not reach, as far as somebody asked. Walking may take long and costs the
 * same for every client, so there is one walk at a time, and those who waited find its answers here.
 */
export class ReachMemory {
  readonly #maxAnswers: number;
  /** By a digest of the tips; the one used last comes last. */
  readonly #states = new Map<string, Map<ObjectId, boolean>>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param maxAnswers kept for one state of the refs */
  constructor(maxAnswers: number) {
    this.#maxAnswers = maxAnswers;
  }

  /** Those of `ids`, of any type, that none of `tips` reaches, in order. */
  async unreachable(
    objects: Pick<ObjectStore, "unreachable">,
    ids: readonly ObjectId[],
    tips: readonly ObjectId[],
    signal: AbortSignal,
  ): Promise<readonly ObjectId[]> {
    const answers = this.#answersFor(await digest(tips));
    // What is kept may be dropped for another call at any moment; what decides here is kept apart.
    const reached = new Map<ObjectId, boolean>();
    const open = () =>
      ids.filter((id) => {
        const answer = reached.get(id) ?? answers.get(id);
        if (answer !== undefined) reached.set(id, answer);
        return answer === undefined;
      });
    if (open().length > 0)
      await this.#inTurn(signal, async () => {
        const asked = open();
        if (asked.length === 0) return;
        const lost = new Set(await objects.unreachable(asked, tips, { signal }));
        for (const id of asked) {
          reached.set(id, !lost.has(id));
          answers.set(id, !lost.has(id));
        }
      });
    for (const oldest of answers.keys()) {
      if (answers.size <= this.#maxAnswers) break;
      answers.delete(oldest);
    }
    return ids.filter((id) => reached.get(id) !== true);
  }

  #answersFor(state: string): Map<ObjectId, boolean> {
    const answers = this.#states.get(state) ?? new Map<ObjectId, boolean>();
    this.#states.delete(state);
    this.#states.set(state, answers);
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= MAX_STATES) break;
      this.#states.delete(oldest);
    }
    return answers;
  }

  async #inTurn(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const before = this.#last;
    let done: () => void = () => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#last = before.then(() => mine);
    try {
      await orAborted(before, signal);
      await work();
    } finally {
      done();
    }
  }
}

function orAborted(wait: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    wait.then(() => {
      signal.removeEventListener("abort", leave);
      resolve();
    }, reject);
  });
}

async function digest(tips: readonly ObjectId[]): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", utf8.encode(tips.join("")));
  return String.fromCharCode(...new Uint8Array(hash));
}
