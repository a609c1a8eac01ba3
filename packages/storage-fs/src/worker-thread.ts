import { Worker } from "node:worker_threads";
import { ObjectsError, type ObjectsErrorCode, type PackEvent } from "@x/objects";
import type { Failure, FromWorker, OperationName, StoreLocation, ToWorker } from "./worker-protocol.ts";

/** Whoever waits for a job's messages. */
export interface JobListener {
  onEvent(event: PackEvent): void;
  /** A chunk was used up. */
  onTaken(): void;
  onDone(result: unknown): void;
  onFailed(error: Error): void;
}

/** The built worker lies in `dist` for the built package and for its sources alike. */
const WORKER_FILE = new URL("../dist/worker.js", import.meta.url);

/** One worker thread and the jobs it has. Does not keep the process alive while it has none. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #listeners: Map<number, JobListener> = new Map();
  #nextId = 0;
  #alive = true;

  constructor() {
    this.#worker = new Worker(WORKER_FILE);
    this.#worker.unref();
    this.#worker.on("message", (message: FromWorker) => this.#receive(message));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(undefined));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Jobs that have not ended. */
  get jobs(): number {
    return this.#listeners.size;
  }

  /** @returns the job's id, for further messages */
  start(operation: OperationName, location: StoreLocation, args: unknown, listener: JobListener): number {
    const id = this.#nextId++;
    if (this.#listeners.size === 0) this.#worker.ref();
    this.#listeners.set(id, listener);
    this.post({ kind: "start", id, operation, location, args });
    return id;
  }

  post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (this.#alive) this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    const listener = this.#listeners.get(message.id);
    if (listener === undefined) return;
    if (message.kind === "event") listener.onEvent(message.event);
    else if (message.kind === "taken") listener.onTaken();
    else {
      this.#end(message.id);
      if (message.kind === "done") listener.onDone(message.result);
      else listener.onFailed(toError(message.failure));
    }
  }

  #end(id: number): void {
    this.#listeners.delete(id);
    if (this.#listeners.size === 0) this.#worker.unref();
  }

  #fail(cause: unknown): void {
    this.#alive = false;
    const error = new ObjectsError("objects/unavailable", "a worker thread ended", { cause });
    for (const [id, listener] of this.#listeners) {
      this.#end(id);
      listener.onFailed(error);
    }
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

function toError({ code, message, objectId }: Failure): Error {
  if (code === "aborted") return new DOMException(message, "AbortError");
  return new ObjectsError(code as ObjectsErrorCode, message, objectId === undefined ? {} : { id: objectId });
}
