import { setImmediate } from "node:timers/promises";
import { ObjectsError } from "@x/objects";
import { EVENT_WINDOW, type WorkerEvent } from "../pool/worker-protocol.ts";
import { threadCpuMs } from "./thread-cpu.ts";
import { type Place, Turns } from "./turns.ts";

/** A job does not hold its thread for longer than this without looking up. Unit: milliseconds. */
const SLICE_MS = 15;

/** A walk that has worked for longer than this is a long one. Unit: milliseconds. */
const LONG_WALK_MS = 300;

/**
 * Long walks that go on at a time in this thread. Each has notes on all objects that it met, so that many at once would
 * cost much memory, and all would end late. Short ones need not wait.
 */
const longWalks = new Turns(2);

/** The job was called off. */
export class Aborted extends Error {
  override readonly name = "Aborted";
}

interface CpuLimit {
  /** For the message. */
  readonly name: string;
  /** May grow with what has come in. */
  readonly maxMs: () => number;
}

/** One piece of work in a worker: what came in for it, what may go out, and whether it is still wanted. */
export class Job {
  readonly #send: (event: WorkerEvent) => void;
  readonly #sendTaken: (buffer: ArrayBuffer) => void;
  /** What the latest chunk came in. */
  #lent: ArrayBuffer | undefined;
  readonly #chunks: Uint8Array[] = [];
  readonly #answers: unknown[] = [];
  #inputEnded = false;
  #credit = EVENT_WINDOW;
  #aborted = false;
  #wake: (() => void) | undefined;
  #sliceEnd = performance.now() + SLICE_MS;
  #slices = 0;
  #place: Place | undefined;
  /** What the job has cost up to its last pause. Unit: milliseconds of processor time. */
  #usedMs = 0;
  /** When it took the thread; `undefined` while others have it. */
  #resumedAt: number | undefined = threadCpuMs();
  /** The same by the time of day, which passes faster and is quicker to ask. */
  #resumedTime = performance.now();
  #cpuLimit: CpuLimit | undefined;
  /** Bytes come or go: then it has no walk before it that others should wait for, and a peer decides how fast it goes. */
  #isFlowing = false;

  constructor(send: (event: WorkerEvent) => void, sendTaken: (buffer: ArrayBuffer) => void) {
    this.#send = send;
    this.#sendTaken = sendTaken;
  }

  /** Ends the job with `objects/limit-exceeded` once it has cost more than `maxMs`; time in which it waits is no cost. */
  limitCpu(name: string, maxMs: number | (() => number) | undefined): void {
    if (maxMs === undefined) this.#cpuLimit = undefined;
    else this.#cpuLimit = { name, maxMs: typeof maxMs === "number" ? () => maxMs : maxMs };
  }

  /** What it has cost so far. Unit: milliseconds of processor time. */
  get usedCpuMs(): number {
    return this.#usedMs + (this.#resumedAt === undefined ? 0 : threadCpuMs() - this.#resumedAt);
  }

  /** For work that cannot give way: notices in its midst that the limit has been reached. @throws ObjectsError `objects/limit-exceeded` */
  checkCpu(): void {
    if (this.#cpuLimit === undefined || this.#resumedAt === undefined) return;
    if (this.#usedMs + performance.now() - this.#resumedTime <= this.#cpuLimit.maxMs()) return;
    this.#throwIfSpent(this.usedCpuMs);
  }

  #throwIfSpent(usedMs: number): void {
    const maxMs = this.#cpuLimit?.maxMs();
    if (maxMs === undefined || usedMs <= maxMs) return;
    throw new ObjectsError(
      "objects/limit-exceeded",
      `the request takes more processor time than ${this.#cpuLimit?.name} (${Math.round(maxMs)} ms)`,
    );
  }

  /** Lets others have the thread from here on. @throws ObjectsError `objects/limit-exceeded` */
  #pause(): void {
    if (this.#resumedAt === undefined) return;
    this.#usedMs += threadCpuMs() - this.#resumedAt;
    this.#resumedAt = undefined;
    this.#throwIfSpent(this.#usedMs);
  }

  #resume(): void {
    this.#resumedAt ??= threadCpuMs();
    this.#resumedTime = performance.now();
    this.#sliceEnd = performance.now() + SLICE_MS;
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

  addAnswer(answer: unknown): void {
    this.#answers.push(answer);
    this.#wake?.();
  }

  /** What came back for an event that asks for something. @throws Aborted */
  async answer(): Promise<unknown> {
    while (this.#answers.length === 0) await this.#wait();
    return this.#answers.shift();
  }

  abort(): void {
    this.#aborted = true;
    this.#wake?.();
  }

  /** Sends an event; bytes wait until the reader has kept up. @throws Aborted */
  async emit(event: WorkerEvent): Promise<void> {
    if (event.kind === "bytes") {
      this.#flow();
      while (this.#credit === 0) await this.#wait();
      this.#credit--;
    }
    this.#throwIfAborted();
    this.#send(event);
  }

  /** The next chunk of input, the caller's until it asks for one more; `undefined` at its end. @throws Aborted */
  async nextChunk(): Promise<Uint8Array | undefined> {
    this.#flow();
    if (this.#lent !== undefined) this.#sendTaken(this.#lent);
    this.#lent = undefined;
    for (;;) {
      this.#throwIfAborted();
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#lent = chunk.buffer as ArrayBuffer;
        return chunk;
      }
      if (this.#inputEnded) return undefined;
      await this.#wait();
    }
  }

  /** Lets others have the thread until `event` has settled. @throws Aborted */
  async until(event: Promise<void>): Promise<void> {
    let isOver = false;
    void event.then(() => {
      isOver = true;
      this.#wake?.();
    });
    while (!isOver) await this.#wait();
  }

  async #wait(): Promise<void> {
    this.#throwIfAborted();
    this.#pause();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    this.#resume();
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
    this.#pause();
    await setImmediate();
    this.#throwIfAborted();
    if (++this.#slices * SLICE_MS >= LONG_WALK_MS && !this.#isFlowing) await this.#takeTurn();
    this.#resume();
  }

  async #takeTurn(): Promise<void> {
    this.#place ??= longWalks.enter(() => this.#wake?.());
    while (!this.#place.hasTurn) await this.#wait();
  }

  /** Others wait for what the job holds: it takes no turns with other long ones. */
  keepGoing(): void {
    this.#flow();
  }

  #flow(): void {
    this.#isFlowing = true;
    this.#place?.leave();
  }

  /** To be called when the job is done, however it went. */
  end(): void {
    this.#place?.leave();
  }
}
