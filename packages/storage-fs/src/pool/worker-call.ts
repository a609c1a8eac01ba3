import type { CreatePackOptions, PackEvent } from "@x/objects";
import type { LooseScan, LooseScanRequest } from "../refs/loose-scan.ts";
import type { BegunInput } from "./begun-input.ts";
import { chunkTurns } from "./loop-turns.ts";
import type { WorkerPicker } from "./pinned-worker.ts";
import type { WorkerPool } from "./worker-pool.ts";
import {
  CHUNK_WINDOW,
  EVENT_WINDOW,
  type OperationName,
  type Operations,
  type StoreLocation,
  type WorkerEvent,
} from "./worker-protocol.ts";
import type { JobListener, WorkerThread } from "./worker-thread.ts";

/** As much as a chunk mostly has. Unit: bytes. */
const CHUNK_BYTES = 64 * 1024;

/** What a call needs beside its operation. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly onMessage?: ((text: string) => void) | undefined;
  /** Gives what the job is to be told of whatever else it sends. */
  readonly answer?: ((event: WorkerEvent) => Promise<unknown>) | undefined;
}

/** Asks a worker one question. @throws ObjectsError, or an AbortError when `signal` fires */
export async function call<Name extends OperationName>(
  thread: WorkerThread,
  operation: Name,
  location: StoreLocation,
  args: Operations[Name]["args"],
  options: CallOptions = {},
): Promise<Operations[Name]["result"]> {
  return startCall(thread, operation, location, args, options).result;
}

/** Loose refs belong to no object store: any location will do. */
const NOWHERE: StoreLocation = {
  format: "sha1",
  objectsDirectory: "",
  alternates: [],
  shallowFile: "",
  maxObjectBytes: 0,
};

/** Looks through loose refs in a worker. @throws what the system says, as an ObjectsError; AbortError */
export function scanInWorker(
  pool: WorkerPool,
  request: LooseScanRequest,
  signal: AbortSignal | undefined,
): Promise<LooseScan> {
  return call(pool.pick("light"), "looseRefs", NOWHERE, request, { signal });
}

interface RunningCall<Result> {
  readonly id: number;
  readonly result: Promise<Result>;
  /** Hands over a copy of a chunk. */
  send(chunk: Uint8Array): void;
  /** Resolves when fewer than `most` of the `sent` chunks are still to be used up, or the call has ended. */
  room(sent: number, most: number): Promise<void>;
}

function startCall<Name extends OperationName>(
  thread: WorkerThread,
  operation: Name,
  location: StoreLocation,
  args: Operations[Name]["args"],
  { signal, onProgress, onMessage, answer }: CallOptions,
  chunk?: Uint8Array,
): RunningCall<Operations[Name]["result"]> {
  signal?.throwIfAborted();
  let wake: (() => void) | undefined;
  let id = 0;
  let taken = 0;
  const free: ArrayBuffer[] = [];
  let settled = false;
  const result = new Promise<Operations[Name]["result"]>((resolve, reject) => {
    const abort = () => thread.post({ kind: "abort", id });
    const settle = () => {
      signal?.removeEventListener("abort", abort);
      settled = true;
      wake?.();
    };
    const listener: JobListener = {
      onEvent: (event) => {
        if (event.kind === "progress") onProgress?.(event.text);
        else if (event.kind === "message") onMessage?.(event.text);
        else if (answer !== undefined) {
          const tell = (told: unknown) => thread.post({ kind: "answer", id, answer: told });
          answer(event).then(tell, () => tell(undefined));
        }
      },
      onTaken: (buffer) => {
        taken++;
        free.push(buffer);
        wake?.();
      },
      onDone: (value) => {
        settle();
        resolve(value as Operations[Name]["result"]);
      },
      onFailed: (error) => {
        settle();
        reject(error);
      },
    };
    id = thread.start(operation, location, args, listener, chunk && new Uint8Array(chunk));
    signal?.addEventListener("abort", abort, { once: true });
  });
  return {
    id,
    result,
    send(chunk) {
      // Copied, for the sender may use its buffer again and a view's buffer cannot be given away. Buffers come back: ones
      // made for each chunk would pile up, since nothing but their sheer size has them collected.
      let buffer = free.pop();
      if (buffer === undefined || buffer.byteLength < chunk.length)
        buffer = new ArrayBuffer(Math.max(chunk.length, CHUNK_BYTES));
      const bytes = new Uint8Array(buffer, 0, chunk.length);
      bytes.set(chunk);
      thread.post({ kind: "chunk", id, bytes }, [buffer]);
    },
    async room(sent, most) {
      while (!settled && sent - taken >= most)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}

/**
 * Hands `input` to a worker while it works, a few chunks ahead. The iteration is left as soon as the worker has what it needs,
 * even while the next chunk is being waited for.
 */
export async function callWithInput<Name extends OperationName>(
  thread: WorkerThread,
  operation: Name,
  location: StoreLocation,
  args: Operations[Name]["args"],
  { first, rest }: BegunInput,
  options: CallOptions = {},
): Promise<Operations[Name]["result"]> {
  const running = startCall(thread, operation, location, args, options, first);
  let ended = false;
  let stopWaiting = () => {};
  const finished = () => {
    ended = true;
    stopWaiting();
  };
  const over = running.result.then(finished, finished);
  // Not Promise.race with `over`: each race would leave its chunk behind there, and so the whole pack in memory.
  const nextUnlessOver = () =>
    new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
      stopWaiting = () => resolve(undefined);
      rest.next().then(resolve, reject);
    });
  const pump = async (): Promise<void> => {
    if (first === undefined) thread.post({ kind: "input-end", id: running.id });
    let sent = 1;
    while (!ended && first !== undefined) {
      const step = await nextUnlessOver();
      if (ended || step === undefined) return;
      if (step.done) {
        thread.post({ kind: "input-end", id: running.id });
        return;
      }
      running.send(step.value);
      await running.room(++sent, CHUNK_WINDOW);
    }
  };
  try {
    await pump();
  } catch (error) {
    thread.post({ kind: "abort", id: running.id });
    await over;
    throw error;
  }
  return running.result;
}

/** The events of a job, made no faster than they are read. Leaving the iteration ends the job. */
export async function* callForEvents<Name extends "createPack" | "received">(
  pool: WorkerPicker,
  operation: Name,
  location: StoreLocation,
  args: Operations[Name]["args"],
  options: CreatePackOptions = {},
): AsyncGenerator<PackEvent, void> {
  for await (const event of callForAnyEvents(pool, operation, location, args, options))
    if (event.kind !== "message" && event.kind !== "refs" && event.kind !== "known") yield event;
}

/** As {@link callForEvents}, for all that a job may say. @param answer makes of an event what the job is to be sent for it */
export async function* callForAnyEvents<Name extends OperationName>(
  pool: WorkerPicker,
  operation: Name,
  location: StoreLocation,
  args: Operations[Name]["args"],
  { signal, lend }: CreatePackOptions,
  answer?: (event: WorkerEvent) => Promise<Uint8Array> | undefined,
): AsyncGenerator<WorkerEvent, void> {
  signal?.throwIfAborted();
  const queue: WorkerEvent[] = [];
  let failure: Error | undefined;
  let ended = false;
  let wake: (() => void) | undefined;
  const thread = pool.pick("heavy"); // now, not when the iteration was made: it may be long until it begins
  const id = thread.start(operation, location, args, {
    onEvent: (event) => {
      queue.push(event);
      wake?.();
    },
    onTaken: () => {},
    onDone: () => {
      ended = true;
      wake?.();
    },
    onFailed: (error) => {
      ended = true;
      failure = error;
      wake?.();
    },
  });
  const abort = () => thread.post({ kind: "abort", id });
  signal?.addEventListener("abort", abort, { once: true });
  let used = 0;
  try {
    for (;;) {
      const event = queue.shift();
      if (event === undefined) {
        if (failure !== undefined) throw failure;
        if (ended) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const reply = answer?.(event);
      if (reply !== undefined) {
        thread.post({ kind: "chunk", id, bytes: (await reply).slice() });
        continue;
      }
      // A port hands over a thousand messages at a time if there are as many: others get their turn first.
      if (event.kind === "bytes") {
        await chunkTurns.take();
        const { bytes } = event;
        lend?.(bytes, () => thread.takeBack(bytes.buffer as ArrayBuffer));
      }
      yield event;
      if (event.kind === "bytes" && ++used === EVENT_WINDOW / 2) {
        thread.credit(id, used);
        used = 0;
      }
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    if (!ended) abort();
  }
}
