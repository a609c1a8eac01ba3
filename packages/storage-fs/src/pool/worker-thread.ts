import { ObjectsError, type ObjectsErrorCode } from "@x/objects";
import type { OpenLink, WorkerLink } from "./worker-link.ts";
import {
  type Failure,
  type FromWorker,
  MAX_SPARES,
  type OperationName,
  type StoreLocation,
  type ToWorker,
  type WorkerEvent,
} from "./worker-protocol.ts";

/** Whoever waits for a job's messages. */
export interface JobListener {
  onEvent(event: WorkerEvent): void;
  /** A chunk was used up. What it came in is the listener's again. */
  onTaken(buffer: ArrayBuffer): void;
  onDone(result: unknown): void;
  onFailed(error: Error): void;
}

/** One worker and the jobs it has. Does not keep the process alive while it has none. */
export class WorkerThread {
  readonly #link: WorkerLink;
  readonly #warn: (message: string) => void;
  readonly #listeners: Map<number, JobListener> = new Map();
  /** Of events whose bytes nobody reads any more. */
  #spares: ArrayBuffer[] = [];
  #nextId = 0;
  #alive = true;

  constructor(openLink: OpenLink, warn: (message: string) => void) {
    this.#warn = warn;
    this.#link = openLink({
      onMessage: (message) => this.#receive(message),
      onEnd: (cause) => this.#fail(cause),
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Jobs that have not ended. */
  get jobs(): number {
    return this.#listeners.size;
  }

  /** @param chunk is given away @returns the job's id, for further messages */
  start(
    operation: OperationName,
    location: StoreLocation,
    args: unknown,
    listener: JobListener,
    chunk?: Uint8Array<ArrayBuffer>,
  ): number {
    const id = this.#nextId++;
    if (this.#listeners.size === 0) this.#link.setBusy(true);
    this.#listeners.set(id, listener);
    const spares = this.#takeSpares();
    const given = chunk === undefined ? spares : [...spares, chunk.buffer];
    this.post({ kind: "start", id, operation, location, args, chunk, spares }, given);
    return id;
  }

  /** Lets a job send so many more events with bytes. */
  credit(id: number, events: number): void {
    const spares = this.#takeSpares();
    this.post({ kind: "credit", id, events, spares }, spares);
  }

  /** Takes what an event's bytes came in, to be filled again; it goes with the next message. */
  takeBack(buffer: ArrayBuffer): void {
    if (this.#spares.length < MAX_SPARES) this.#spares.push(buffer);
  }

  #takeSpares(): ArrayBuffer[] {
    const spares = this.#spares;
    if (spares.length > 0) this.#spares = [];
    return spares;
  }

  post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (this.#alive) this.#link.post(message, transfer);
  }

  #receive(message: FromWorker): void {
    if (message.kind === "warning") {
      this.#warn(message.message);
      return;
    }
    const listener = this.#listeners.get(message.id);
    if (listener === undefined) return;
    if (message.kind === "event") listener.onEvent(message.event);
    else if (message.kind === "taken") listener.onTaken(message.buffer);
    else {
      this.#end(message.id);
      if (message.kind === "done") listener.onDone(message.result);
      else listener.onFailed(toError(message.failure));
    }
  }

  #end(id: number): void {
    this.#listeners.delete(id);
    if (this.#listeners.size === 0) this.#link.setBusy(false);
  }

  #fail(cause: unknown): void {
    this.#alive = false;
    const error = new ObjectsError("objects/unavailable", "a worker ended", { cause });
    for (const [id, listener] of this.#listeners) {
      this.#end(id);
      listener.onFailed(error);
    }
  }

  async terminate(): Promise<void> {
    await this.#link.close();
  }
}

function toError({ code, message, objectId }: Failure): Error {
  if (code === "aborted") return new DOMException(message, "AbortError");
  return new ObjectsError(code as ObjectsErrorCode, message, objectId === undefined ? {} : { id: objectId });
}
