import { existsSync } from "node:fs";
import { type ByteSource, PackError, type PackIndex } from "@x/pack";
import { createNodeZlibCodec } from "@x/pack/node";
import {
  type FromWorker,
  MAX_SPARES,
  type OperationName,
  type Operations,
  type StoreLocation,
  type ToWorker,
} from "../pool/worker-protocol.ts";
import { LooseScanner } from "../refs/loose-scan.ts";
import { updateWorkTree } from "../work-tree/update-work-tree.ts";
import { describeFailure } from "./failure.ts";
import { type HeldPack, HeldPacks } from "./held-packs.ts";
import { Job } from "./job.ts";
import { KeptSearches } from "./kept-searches.ts";
import { ObjectDatabase, type Snapshot } from "./object-database.ts";
import { operations, type ReadOperation } from "./operations.ts";
import { PackFiles } from "./pack-files.ts";
import { publishHeld } from "./publish-held.ts";
import { takePack } from "./take-pack.ts";

/** Repositories that a worker keeps open, the latest used ones. */
const MAX_OPEN_DATABASES = 16;

/** Does what a worker is asked, wherever it runs: in a thread of its own, or in the one that asks. */
export class WorkerHost {
  readonly #codec = createNodeZlibCodec();
  readonly #warn = (message: string): void => this.#send({ kind: "warning", message }, []);
  readonly #files = new PackFiles(this.#codec, this.#warn);
  readonly #databases: Map<string, ObjectDatabase> = new Map();
  readonly #looseRefs = new LooseScanner();
  readonly #jobs: Map<number, Job> = new Map();
  readonly #searches = new KeptSearches();
  readonly #held = new HeldPacks();
  readonly #spares: ArrayBuffer[] = [];
  readonly #send: (message: FromWorker, transfer: ArrayBuffer[]) => void;

  /** @param send what is in `transfer` may be taken away from here */
  constructor(send: (message: FromWorker, transfer: ArrayBuffer[]) => void) {
    this.#send = send;
  }

  receive(message: ToWorker): void {
    if (message.kind === "start" || message.kind === "credit") this.#keepSpares(message.spares);
    if (message.kind === "start") {
      void this.#start(message);
      return;
    }
    if (message.kind === "forget") {
      this.#forget(message.location);
      return;
    }
    if (message.kind === "released") {
      this.#databases.get(JSON.stringify(message.location))?.overlookChange();
      return;
    }
    const job = this.#jobs.get(message.id);
    if (message.kind === "credit") job?.addCredit(message.events);
    else if (message.kind === "chunk") job?.addChunk(message.bytes);
    else if (message.kind === "input-end") job?.endInput();
    else if (message.kind === "answer") job?.addAnswer(message.answer);
    else job?.abort();
  }

  #keepSpares(buffers: readonly ArrayBuffer[]): void {
    this.#spares.push(...buffers.slice(0, MAX_SPARES - this.#spares.length));
  }

  /** Calls off all jobs and lets go of all files. */
  close(): void {
    this.#searches.forget();
    for (const job of this.#jobs.values()) job.abort();
    for (const database of this.#databases.values()) database.close();
    this.#databases.clear();
    this.#files.close();
  }

  async #start({
    id,
    operation,
    location,
    args,
    chunk,
  }: Extract<ToWorker, { kind: "start" }>): Promise<void> {
    let hasSent = false;
    const job = new Job(
      (event) => {
        // Progress may be told twice; bytes may not.
        hasSent ||= event.kind === "bytes";
        const transfer = event.kind === "bytes" ? [event.bytes.buffer as ArrayBuffer] : [];
        this.#send({ kind: "event", id, event }, transfer);
      },
      (buffer) => this.#send({ kind: "taken", id, buffer }, [buffer]),
    );
    this.#jobs.set(id, job);
    if (chunk !== undefined) job.addChunk(chunk);
    try {
      const result = await this.#run(operation, location, args, job, () => hasSent);
      this.#send({ kind: "done", id, result }, []);
    } catch (error) {
      this.#send({ kind: "failed", id, failure: describeFailure(error, operation) }, []);
    } finally {
      job.end();
      this.#jobs.delete(id);
      this.#closeIdle();
    }
  }

  async #run(
    operation: OperationName,
    location: StoreLocation,
    args: unknown,
    job: Job,
    hasSent: () => boolean,
  ): Promise<unknown> {
    switch (operation) {
      case "looseRefs":
        return this.#looseRefs.scan(args as Operations["looseRefs"]["args"], () => job.breathe());
      case "takePack":
        return this.#takePack(location, args as Operations["takePack"]["args"], job);
      case "publishHeld":
        return this.#publishHeld(location, args as Operations["publishHeld"]["args"]);
      case "updateWorkTree":
        return this.#updateWorkTree(location, args as Operations["updateWorkTree"]["args"], job);
      default:
        return this.#read(operation, location, args, job, hasSent);
    }
  }

  #takePack(
    location: StoreLocation,
    args: Operations["takePack"]["args"],
    job: Job,
  ): Promise<Operations["takePack"]["result"]> {
    const work = {
      location,
      codec: this.#codec,
      job,
      snapshot: (rescan = false) => this.#snapshot(location, rescan),
      openHeld: (source: ByteSource, index: PackIndex) =>
        this.#files.openApart(source, index, location.maxObjectBytes),
      hold: (pack: HeldPack) => this.#held.add(location, pack),
    };
    return takePack(work, args);
  }

  async #publishHeld(
    location: StoreLocation,
    { name, process, isGuarded }: Operations["publishHeld"]["args"],
  ): Promise<Operations["publishHeld"]["result"]> {
    const pack = this.#held.of(location).find((held) => held.name === name);
    if (pack === undefined || location.store === undefined)
      throw new PackError("pack/missing-object", `${name} is gone`);
    const { store } = location;
    const arrived = this.#openDatabase(store).expectPack();
    const changed = await publishHeld(pack, store, { process, isGuarded });
    setImmediate(() => arrived(`${store.objectsDirectory}/pack/${name}`)); // nobody waits for that
    this.#held.drop(location, pack);
    return changed;
  }

  /** The objects came in just now: no list of packs from before will do. */
  async #updateWorkTree(
    location: StoreLocation,
    args: Operations["updateWorkTree"]["args"],
    job: Job,
  ): Promise<Operations["updateWorkTree"]["result"]> {
    const snapshot = this.#snapshot(location, true);
    try {
      return await updateWorkTree(snapshot.objects, job, args);
    } finally {
      snapshot.release();
    }
  }

  /** Runs a reading operation; looks for packs again when something is missing that may have come or moved just now. */
  async #read(
    operation: ReadOperation,
    location: StoreLocation,
    args: unknown,
    job: Job,
    hasSent: () => boolean,
  ): Promise<unknown> {
    const attempt = async (rescan: boolean): Promise<unknown> => {
      const snapshot = this.#snapshot(location, rescan);
      try {
        const run = operations[operation] as (work: object, args: unknown) => Promise<unknown>;
        const searches = this.#searches;
        const spare = () => this.#spares.pop();
        const work = { objects: snapshot.objects, location, codec: this.#codec, job, searches, spare };
        return await run({ ...work, snapshot: () => this.#snapshot(location, rescan) }, args);
      } finally {
        snapshot.release();
      }
    };
    try {
      const result = await attempt(false);
      return seemsIncomplete(operation, result) ? await attempt(true) : result;
    } catch (error) {
      if (!(error instanceof PackError) || error.code === "pack/limit-exceeded" || hasSent()) throw error;
      return attempt(true);
    }
  }

  /** The objects at `location`: of a quarantine those that are held too, and all of the store below it. */
  #snapshot(location: StoreLocation, rescan: boolean): Snapshot {
    const held = this.#held.of(location).map(({ reader }) => reader);
    const { store } = location;
    const isInMemory = store !== undefined && !existsSync(location.objectsDirectory);
    const snapshot = this.#openDatabase(isInMemory ? store : location).snapshot(rescan);
    return held.length === 0 ? snapshot : { ...snapshot, objects: snapshot.objects.withPacks(held) };
  }

  #openDatabase(location: StoreLocation): ObjectDatabase {
    if (location.store !== undefined) this.#openDatabase(location.store).keepOpen();
    const key = JSON.stringify(location);
    const database =
      this.#databases.get(key) ?? new ObjectDatabase(location, this.#codec, this.#files, this.#warn);
    this.#databases.delete(key);
    this.#databases.set(key, database); // the latest last
    return database;
  }

  /** What jobs still hold stays open until they end. */
  #closeIdle(): void {
    for (const [key, database] of this.#databases) {
      if (this.#databases.size <= MAX_OPEN_DATABASES) return;
      database.close();
      this.#databases.delete(key);
    }
  }

  #forget(location: StoreLocation): void {
    const key = JSON.stringify(location);
    this.#held.forget(location);
    this.#searches.forget(key);
    this.#databases.get(key)?.close();
    this.#databases.delete(key);
  }
}

function seemsIncomplete(operation: ReadOperation, result: unknown): boolean {
  if (operation === "has") return (result as boolean[]).includes(false);
  if (operation === "headers" || operation === "peel") return (result as unknown[]).includes(undefined);
  if (operation === "unconnected") return (result as unknown[]).length > 0;
  return operation === "read" && result === undefined;
}
