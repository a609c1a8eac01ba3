import type { PackEvent } from "@x/objects";

const UPDATE_MS = 1000;

/** Puts progress into C git's words, at most one line a second. */
export class ProgressMeter {
  readonly #wanted: boolean;
  #shownAt = Date.now();

  constructor(wanted: boolean) {
    this.#wanted = wanted;
  }

  /** A passing count; `total` makes a percentage of it. */
  *update(title: string, count: number, total?: number): Generator<PackEvent, void> {
    const now = Date.now();
    if (!this.#wanted || now - this.#shownAt < UPDATE_MS) return;
    this.#shownAt = now;
    yield { kind: "progress", text: `${title}: ${figures(count, total)}\r` };
  }

  /** The last word on a count. */
  *done(title: string, count: number, total?: number): Generator<PackEvent, void> {
    yield* this.text(`${title}: ${figures(count, total)}, done.\n`);
  }

  *text(text: string): Generator<PackEvent, void> {
    if (this.#wanted) yield { kind: "progress", text };
  }
}

function figures(count: number, total: number | undefined): string {
  if (total === undefined) return `${count}`;
  const percent = total === 0 ? 100 : Math.floor((count * 100) / total);
  return `${String(percent).padStart(3)}% (${count}/${total})`;
}
