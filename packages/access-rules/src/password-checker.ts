import { Worker } from "node:worker_threads";
import { AccessRulesError } from "./errors.ts";
import type { PasswordAnswer, PasswordQuestion } from "./password-worker.ts";
import { WORKER_FILE } from "./worker-file.ts";

interface Waiting {
  readonly resolve: (ok: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Compares passwords with hashes, one after the other, in a thread of its own: each takes longer than a request should. */
export class PasswordChecker {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 0;
  #closed = false;

  /** Checks that have not been answered. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** @throws AccessRulesError `access-rules/closed` when the thread has ended before it answered */
  check(password: string, hash: string): Promise<boolean> {
    if (this.#closed) return Promise.reject(ended());
    const id = this.#next++;
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      const question: PasswordQuestion = { id, password, hash };
      worker.postMessage(question);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(WORKER_FILE);
    this.#worker = worker;
    worker.on("message", ({ id, ok }: PasswordAnswer) => {
      this.#waiting.get(id)?.resolve(ok);
      this.#waiting.delete(id);
      // Nothing to do is no reason for the process to stay.
      if (this.#waiting.size === 0) worker.unref();
    });
    const end = (cause?: unknown) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values()) reject(ended(cause));
      this.#waiting.clear();
    };
    worker.on("error", end).on("exit", () => end());
    return worker;
  }
}

function ended(cause?: unknown): AccessRulesError {
  return new AccessRulesError("access-rules/closed", "passwords cannot be checked any more", { cause });
}
