import { type DumbService, type GitService, ServiceError } from "@x/server-core";

/** Knows which calls run, so that a server can end when they have. */
export class RunningCalls {
  readonly #cutOff = new AbortController();
  #running = 0;
  #closing = false;
  #wake: (() => void) | undefined;

  /** Whether new calls are refused. */
  get closing(): boolean {
    return this.#closing;
  }

  /** The service, less what comes once the server is closing. */
  track(service: GitService): GitService {
    return (call) => {
      const signal = AbortSignal.any([call.signal, this.#cutOff.signal]);
      return this.#iterate(service({ ...call, signal }));
    };
  }

  /** The same for files. A file that is being read is not waited for. */
  trackFiles(service: DumbService): DumbService {
    return async (call) => {
      this.#enter();
      try {
        return await service({ ...call, signal: AbortSignal.any([call.signal, this.#cutOff.signal]) });
      } finally {
        this.#leave();
      }
    };
  }

  async *#iterate(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    this.#enter();
    try {
      yield* chunks;
    } finally {
      this.#leave();
    }
  }

  #enter(): void {
    if (this.#closing) throw new ServiceError("server-core/aborted", "the server is shutting down");
    this.#running++;
  }

  #leave(): void {
    this.#running--;
    if (this.#running === 0) this.#wake?.();
  }

  /** Refuses new calls and waits for those that run; after `graceMs` they are called off. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    if (this.#running === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const timer = setTimeout(
      () => this.#cutOff.abort(new ServiceError("server-core/aborted", "the server is shutting down")),
      graceMs,
    );
    await idle;
    clearTimeout(timer);
  }
}
