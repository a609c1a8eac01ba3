/** Progress texts, at most so often. Unit: milliseconds. */
const PROGRESS_MS = 500;

/** Shows a percentage in C git's words. */
export class PercentMeter {
  readonly #title: string;
  readonly #say: ((text: string) => void) | undefined;
  #shownAt = performance.now();

  constructor(title: string, say: ((text: string) => void) | undefined) {
    this.#title = title;
    this.#say = say;
  }

  /** Shows it, unless it did so a short while ago. */
  show(count: number, total: number): void {
    const now = performance.now();
    if (this.#say === undefined || now - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = now;
    this.#say(this.#text(count, total, "\r"));
  }

  /** Shows the last of it. */
  done(count: number, total: number): void {
    this.#say?.(this.#text(count, total, ", done.\n"));
  }

  #text(count: number, total: number, end: string): string {
    const percent = total === 0 ? 100 : Math.floor((count * 100) / total);
    return `${this.#title}: ${String(percent).padStart(3)}% (${count}/${total})${end}`;
  }
}
