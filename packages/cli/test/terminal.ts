import { PassThrough, Writable } from "node:stream";
import type { Terminal } from "../src/terminal.ts";

/** A terminal for one run. */
export class FakeTerminal implements Terminal {
  readonly stdin: PassThrough = new PassThrough();
  readonly env: Record<string, string>;
  out = "";
  err = "";
  #onSignal: ((status: number) => void) | undefined;

  constructor(env: Record<string, string> = {}, input?: string) {
    this.env = env;
    if (input !== undefined) this.stdin.end(input, "latin1");
  }

  readonly stdout: Writable = new Writable({
    write: (chunk: Buffer, _, done) => {
      this.out += chunk.toString("latin1");
      done();
    },
  });

  readonly stderr: Writable = new Writable({
    write: (chunk: Buffer, _, done) => {
      this.err += chunk.toString("utf8");
      done();
    },
  });

  readonly onSignal = (callback: (status: number) => void): (() => void) => {
    this.#onSignal = callback;
    return () => {
      this.#onSignal = undefined;
    };
  };

  readonly onHangUp = (callback: () => void): (() => void) => {
    this.hangUp = callback;
    return () => {
      this.hangUp = () => {};
    };
  };

  /** As SIGHUP does. */
  hangUp: () => void = () => {};

  /** @returns whether anybody listened */
  signal(status: number): boolean {
    this.#onSignal?.(status);
    return this.#onSignal !== undefined;
  }
}

/** Resolves when `condition` holds. @throws Error after `ms`: three seconds when not given */
export async function until(condition: () => boolean, ms = 3000): Promise<void> {
  for (const end = performance.now() + ms; !condition(); ) {
    if (performance.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
