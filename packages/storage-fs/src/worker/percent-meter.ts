import type { Job } from "./job.ts";

/** Progress texts, at most so often. Unit: milliseconds. */
const PROGRESS_MS = 500;

/** Shows a percentage in C git's words. */
export class PercentMeter {
  readonly #job: Job;
  readonly #wanted: boolean;
  readonly #title: string;
  #shownAt = performance.now();

  constructor(job: Job, wanted: boolean, title: string) {
    this.#job = job;
    this.#wanted = wanted;
    this.#title = title;
  }

  /** Shows it, unless it did so a short while ago. */
  async show(count: number, total: number): Promise<void> {
    const now = performance.now();
    if (!this.#wanted || now - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = now;
    await this.#say(count, total, "\r");
  }

  /** Shows the last of it. */
  async done(count: number, total: number): Promise<void> {
    if (this.#wanted) await this.#say(count, total, ", done.\n");
  }

  async #say(count: number, total: number, end: string): Promise<void> {
    const percent = total === 0 ? 100 : Math.floor((count * 100) / total);
    const text = `${this.#title}: ${String(percent).padStart(3)}% (${count}/${total})${end}`;
    await this.#job.emit({ kind: "progress", text });
  }
}
