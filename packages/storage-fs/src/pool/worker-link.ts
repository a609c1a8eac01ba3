import { Worker } from "node:worker_threads";
import { WORKER_FILE } from "../worker-file.ts";
import type { FromWorker, ToWorker } from "./worker-protocol.ts";

/** Who hears what a worker has to say. */
export interface LinkListener {
  onMessage(message: FromWorker): void;
  /** The worker is gone. @param cause `undefined` when it was told to go */
  onEnd(cause: unknown): void;
}

/** A way to a worker. Messages arrive in order, and never while they are being posted. */
export interface WorkerLink {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  /** A process is kept alive by workers that have something to do. */
  setBusy(busy: boolean): void;
  close(): Promise<void>;
}

/** Opens a way to a new worker. */
export type OpenLink = (listener: LinkListener) => WorkerLink;

/** Starts a worker in a thread of its own. */
export function openThreadLink(listener: LinkListener): WorkerLink {
  const worker = new Worker(WORKER_FILE);
  let isClosing = false;
  worker.unref();
  worker.on("message", (message: FromWorker) => listener.onMessage(message));
  worker.on("error", (error) => listener.onEnd(error));
  worker.on("exit", () => listener.onEnd(undefined));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    setBusy: (busy) => void (busy || isClosing ? worker.ref() : worker.unref()),
    async close() {
      // With nothing else left to wait for, the process would end before this does, and say that it was cut off.
      isClosing = true;
      worker.ref();
      await worker.terminate();
    },
  };
}

/**
 * A worker in this very thread: for a process that serves one request, where starting a thread would take longer than
 * most answers. What it is asked for must not be changed while it works, for nothing is copied.
 */
export function openInlineLink(listener: LinkListener): WorkerLink {
  const host = import("../worker/worker-host.ts").then(
    ({ WorkerHost }) => new WorkerHost((message) => listener.onMessage(message)),
  );
  return {
    post: (message) =>
      void host.then(
        (loaded) => loaded.receive(message),
        (error: unknown) => listener.onEnd(error),
      ),
    setBusy: () => {}, // what it does keeps the process alive by itself
    async close() {
      listener.onEnd(undefined);
      (await host).close();
    },
  };
}
