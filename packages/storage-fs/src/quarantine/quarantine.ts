import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import type { ObjectId, Quarantine } from "@x/objects";
import type { ReceivedPack } from "@x/pack";
import { toBytePath } from "../disk/byte-path.ts";
import { syncsOf } from "../disk/durability.ts";
import { syncDirectories } from "../disk/lock-file.ts";
import { createFileObjectReader } from "../file-object-reader.ts";
import { ownProcessName } from "../journal/process-name.ts";
import { incomingPrefix } from "../journal/sweep-objects.ts";
import { beginInput } from "../pool/begun-input.ts";
import { pinWorker } from "../pool/pinned-worker.ts";
import { call, callForEvents, callWithInput } from "../pool/worker-call.ts";
import type { WorkerPool } from "../pool/worker-pool.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import { HeldObjects } from "./held-objects.ts";
import { joinGuard } from "./keep-file.ts";
import { publishPacks } from "./publish.ts";
import { publishLooseObjects } from "./publish-loose.ts";
import { quarantineEnvironment } from "./quarantine-environment.ts";
import { decodeReceived } from "./received-objects.ts";
import { unpackReceived } from "./unpack-received.ts";
import { writeLooseObject } from "./write-loose-object.ts";

/** What a store knows of what goes in through its quarantines. */
export interface Arrivals {
  /** Objects in packs at `paths`, without suffix, which are guarded until the result is called. */
  arrived(ids: Iterable<ObjectId>, paths: readonly string[]): () => void;
}

/**
 * Opens a place for incoming objects: small packs stay in the memory of one worker; the rest lies in a directory inside
 * the object directory, under the name that C git uses and its gc knows how to clear away, made when it is needed.
 * Spec: git-receive-pack, "Quarantine Environment".
 */
export async function createQuarantine(
  pool: WorkerPool,
  store: StoreLocation,
  arrivals: Arrivals,
): Promise<Quarantine> {
  const directory = `${store.objectsDirectory}/${await incomingPrefix()}${randomBytes(6).toString("hex")}`;
  const location: StoreLocation = {
    ...store,
    store,
    objectsDirectory: directory,
    alternates: [store.objectsDirectory, ...store.alternates],
  };
  const { durability = "full" } = store;
  const packs: ReceivedPack[] = [];
  const held = new HeldObjects(store.format);
  let maxTreeDepth: number | undefined;
  const workers = pinWorker(pool);
  let isOnDisk = false;
  let environment: ReadonlyMap<string, string> | undefined;
  let removal: Promise<void> | undefined;
  let isPublished = false;
  const releases: (() => Promise<void> | void)[] = [];
  const makeDirectory = async (): Promise<void> => {
    isOnDisk = true;
    await mkdir(`${directory}/pack`, { recursive: true, mode: 0o700 });
  };
  const close = (): Promise<void> => {
    if (removal !== undefined) return removal;
    // What was held and is published is forgotten already.
    if (isOnDisk || !isPublished)
      for (const thread of workers.running()) thread.post({ kind: "forget", location });
    removal = isOnDisk ? remove(directory) : Promise.resolve();
    removal.catch(() => {}); // whoever discards hears of it, unless it does not matter any more
    return removal;
  };
  const own = { objectsDirectory: directory, objectFormat: location.format, durability };
  const reader = createFileObjectReader(workers, location);
  const publishHeld = async (name: string): Promise<readonly string[]> => {
    const process = await ownProcessName();
    let changed: readonly string[] = [];
    const publish = async (isGuarded: boolean): Promise<void> => {
      changed = await call(workers.pick("heavy"), "publishHeld", location, { name, process, isGuarded });
    };
    let isDone = false;
    const release = await joinGuard(`${store.objectsDirectory}/pack/${name}.keep`, () => {
      isDone = true;
      return publish(false);
    });
    releases.push(release);
    if (!isDone) await publish(true);
    return changed;
  };
  /** @returns directories with new entries */
  const bringIn = async (): Promise<string[]> => {
    if (unpackBelow > 0 && packs.length > 0) await makeDirectory();
    const isUnpacked =
      unpackBelow > 0 && packs.length > 0 && (await unpackReceived(quarantine, own, unpackBelow));
    const changed: string[] = [];
    if (!isUnpacked) {
      for (const name of held.names) changed.push(...(await publishHeld(name)));
      const paths = held.names.map((name) => `${store.objectsDirectory}/pack/${name}`);
      releases.push(arrivals.arrived(held.ids, paths));
    }
    if (isOnDisk)
      changed.push(...(await publishLooseObjects(directory, store.objectsDirectory, store.access)));
    if (isOnDisk && !isUnpacked) {
      const published = await publishPacks(directory, store.objectsDirectory, store.access);
      releases.push(published.release);
      changed.push(...published.changedDirectories);
    }
    return changed;
  };
  const publishAhead = async (): Promise<{ settled: Promise<void> }> => {
    const changed = await bringIn();
    const settled = syncsOf(durability).directories
      ? syncDirectories(changed.map(toBytePath))
      : Promise.resolve();
    settled.catch(() => {}); // whoever waits for it hears of it
    isPublished = true;
    void close(); // goes on while refs change
    return { settled };
  };
  let unpackBelow = 0;
  const quarantine: Quarantine = {
    ...reader,
    has: async (ids, options) =>
      held.headers(ids) === undefined ? reader.has(ids, options) : ids.map(() => true),
    headers: async (ids, options) => held.headers(ids) ?? reader.headers(ids, options),
    async takePack(chunks, options) {
      const { limits, fsck, mayBeThin = true, onProgress, onMessage, connects, signal } = options;
      maxTreeDepth = limits.maxTreeDepth;
      unpackBelow = options.unpackBelow ?? 0;
      const input = await beginInput(chunks, signal);
      const tips = connects?.tips;
      const known = connects?.areFew ? await connects.known().catch(() => undefined) : undefined;
      // Until it is known otherwise.
      const wasOnDisk = isOnDisk;
      isOnDisk = true;
      const taken = await callWithInput(
        workers.pick("heavy"),
        "takePack",
        location,
        { limits, fsck, mayBeThin, progress: onProgress !== undefined, tips, known },
        input,
        { signal, onProgress, onMessage, answer: connects && (() => connects.known()) },
      );
      if (taken.pack !== undefined) packs.push(taken.pack);
      if (taken.held !== undefined) held.add(taken.held);
      if (environment !== undefined) held.writeTo(directory);
      if (taken.pack === undefined || taken.held !== undefined) isOnDisk = wasOnDisk;
      return taken.receipt;
    },
    async *received(options) {
      for (const { packChecksum, count } of packs) {
        const args = { packChecksum, count };
        for await (const event of callForEvents(workers, "received", location, args, options))
          if (event.kind === "bytes") yield decodeReceived(event.bytes, location.format);
      }
    },
    get environment() {
      if (removal !== undefined) return undefined;
      if (environment !== undefined) return environment;
      isOnDisk = true;
      held.writeTo(directory);
      environment = quarantineEnvironment(directory, store);
      return environment;
    },
    async writeObject(type, data) {
      await makeDirectory();
      return writeLooseObject(own, type, data);
    },
    unconnected: async (tips, known, options) =>
      call(
        workers.pick("heavy"),
        "unconnected",
        location,
        { tips, known, packs, maxTreeDepth, clientShallow: options?.clientShallow ?? [] },
        options,
      ),
    async publish() {
      const { settled } = await publishAhead();
      await settled;
    },
    publishAhead,
    async discard() {
      try {
        // What of it stays on a bad disk is no reason to fail refs that have changed; a later start removes it.
        await (isPublished ? close().catch(() => {}) : close());
      } finally {
        const guards = releases.splice(0);
        for (const release of guards) await release();
        const tell = () => {
          for (const thread of workers.running()) thread.post({ kind: "released", location: store });
        };
        if (guards.length > 0) setImmediate(tell); // the pusher hears of it first
      }
    },
  };
  return quarantine;
}

async function remove(directory: string): Promise<void> {
  const options = { recursive: true, force: true };
  // A disk that fails once may not do so twice. What stays is removed by a later start.
  await rm(directory, options).catch(() => rm(directory, options));
}
