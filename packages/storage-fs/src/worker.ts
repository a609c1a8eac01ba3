import { type MessagePort, parentPort } from "node:worker_threads";
import { PackError } from "@x/pack";
import { createNodeZlibCodec } from "@x/pack/node";
import { describeFailure } from "./worker/failure.ts";
import { Job } from "./worker/job.ts";
import { ObjectDatabase } from "./worker/object-database.ts";
import { operations, type ReadOperation } from "./worker/operations.ts";
import { PackFiles } from "./worker/pack-files.ts";
import { takePack } from "./worker/take-pack.ts";
import type { FromWorker, Operations, StoreLocation, ToWorker } from "./worker-protocol.ts";

/** Repositories that a worker keeps open, the latest used ones. */
const MAX_OPEN_DATABASES = 16;

const port = parentPort as MessagePort;
const codec = createNodeZlibCodec();
const files = new PackFiles(codec);
const databases: Map<string, ObjectDatabase> = new Map();
const jobs: Map<number, Job> = new Map();

port.on("message", (message: ToWorker) => {
  if (message.kind === "start") {
    void start(message);
    return;
  }
  if (message.kind === "forget") {
    forget(message.location);
    return;
  }
  const job = jobs.get(message.id);
  if (message.kind === "credit") job?.addCredit(message.events);
  else if (message.kind === "chunk") job?.addChunk(message.bytes);
  else if (message.kind === "input-end") job?.endInput();
  else job?.abort();
});

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

async function start({ id, operation, location, args }: Extract<ToWorker, { kind: "start" }>): Promise<void> {
  let hasSent = false;
  const job = new Job(
    (event) => {
      // Progress may be told twice; bytes may not.
      hasSent ||= event.kind === "bytes";
      send({ kind: "event", id, event }, event.kind === "bytes" ? [event.bytes.buffer as ArrayBuffer] : []);
    },
    () => send({ kind: "taken", id }),
  );
  jobs.set(id, job);
  try {
    const result =
      operation === "takePack"
        ? await takePack(
            { location, codec, job, database: openDatabase(location) },
            args as Operations["takePack"]["args"],
          )
        : await read(operation, location, args, job, () => hasSent);
    send({ kind: "done", id, result });
  } catch (error) {
    send({ kind: "failed", id, failure: describeFailure(error, operation) });
  } finally {
    job.end();
    jobs.delete(id);
    closeIdle();
  }
}

/** Runs a reading operation; looks for packs again when something is missing that may have come or moved just now. */
async function read(
  operation: ReadOperation,
  location: StoreLocation,
  args: unknown,
  job: Job,
  hasSent: () => boolean,
): Promise<unknown> {
  const database = openDatabase(location);
  const attempt = async (rescan: boolean): Promise<unknown> => {
    const snapshot = database.snapshot(rescan);
    try {
      const run = operations[operation] as (work: object, args: unknown) => Promise<unknown>;
      return await run({ objects: snapshot.objects, location, codec, job }, args);
    } finally {
      snapshot.release();
    }
  };
  try {
    const result = await attempt(false);
    return seemsIncomplete(operation, result) ? await attempt(true) : result;
  } catch (error) {
    if (!(error instanceof PackError) || hasSent()) throw error;
    return attempt(true);
  }
}

function seemsIncomplete(operation: ReadOperation, result: unknown): boolean {
  if (operation === "has") return (result as boolean[]).includes(false);
  if (operation === "headers" || operation === "peel") return (result as unknown[]).includes(undefined);
  if (operation === "unconnected") return (result as unknown[]).length > 0;
  return operation === "read" && result === undefined;
}

function openDatabase(location: StoreLocation): ObjectDatabase {
  const key = JSON.stringify(location);
  const database = databases.get(key) ?? new ObjectDatabase(location, codec, files);
  databases.delete(key);
  databases.set(key, database); // the latest last
  return database;
}

/** What jobs still hold stays open until they end. */
function closeIdle(): void {
  for (const [key, database] of databases) {
    if (databases.size <= MAX_OPEN_DATABASES) return;
    database.close();
    databases.delete(key);
  }
}

function forget(location: StoreLocation): void {
  const key = JSON.stringify(location);
  databases.get(key)?.close();
  databases.delete(key);
}
