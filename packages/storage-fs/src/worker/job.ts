import { setImmediate } from "node:timers/promises";
import type { PackEvent } from "@x/objects";
import { EVENT_WINDOW } from "../worker-protocol.ts";

/** A job does not hold its thread for longer than this without looking up. Unit: milliseconds. */
const SLICE_MS = 15;

/** The job was called off. */
export class Aborted extends Error {
  override readonly name = "Aborted";
}

/** One piece of work in a worker: what came in for it, what may go out, and whether it is still wanted. */
export class Job {
  readonly #send: (event: PackEvent) => void;
  readonly #sendTaken: () => void;
  readonly #chunks: Uint8Array[] = [];
  #inputEnded = false;
  #credit = EVENT_WINDOW;
  #aborted = false;
  #wake: (() => void) | undefined;
  #sliceEnd = performance.now() + SLICE_MS;

  constructor(send: (event: PackEvent) => void, sendTaken: () => void) {
    this.#send = send;
    this.#sendTaken = sendTaken;
  }

  addCredit(events: number): void {
    this.#credit += events;
    this.#wake?.();
  }

  addChunk(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#wake?.();
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#wake?.();
  }

  abort(): void {
    this.#aborted = true;
    this.#wake?.();
  }

  /** Sends an event; bytes wait until the reader has kept up. @throws Aborted */
  async emit(event: PackEvent): Promise<void> {
    if (event.kind === "bytes") {
      while (this.#credit === 0) await this.#wait();
      this.#credit--;
    }
    this.#throwIfAborted();
    this.#send(event);
  }

  /** The next chunk of input; `undefined` at its end. @throws Aborted */
  async nextChunk(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#throwIfAborted();
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#sendTaken();
        return chunk;
      }
      if (this.#inputEnded) return undefined;
      await this.#wait();
    }
  }

  async #wait(): Promise<void> {
    this.#throwIfAborted();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  #throwIfAborted(): void {
    if (this.#aborted) throw new Aborted("the job was called off");
  }

  /** Runs a walk to its end, letting others have the thread now and then. @throws Aborted */
  async run<T>(walk: Generator<unknown, T>): Promise<T> {
    for (;;) {
      const step = walk.next();
      if (step.done) return step.value;
      await this.breathe();
    }
  }

  /** Gives way if the slice is used up. @throws Aborted */
  async breathe(): Promise<void> {
    if (performance.now() < this.#sliceEnd) return;
    await setImmediate();
    this.#throwIfAborted();
    this.#sliceEnd = performance.now() + SLICE_MS;
  }
}
