import { mkdir, mkdtemp, rm } from "node:fs/promises";
import type { Quarantine } from "@x/objects";
import type { ReceivedPack } from "@x/pack";
import { toBytePath } from "../disk/byte-path.ts";
import { syncsOf } from "../disk/durability.ts";
import { syncDirectories } from "../disk/lock-file.ts";
import { createFileObjectReader } from "../file-object-reader.ts";
import { incomingPrefix } from "../journal/sweep-objects.ts";
import { pinWorker } from "../pool/pinned-worker.ts";
import { call, callForEvents, callWithInput } from "../pool/worker-call.ts";
import type { WorkerPool } from "../pool/worker-pool.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import { publishPacks } from "./publish.ts";
import { publishLooseObjects } from "./publish-loose.ts";
import { quarantineEnvironment } from "./quarantine-environment.ts";
import { decodeReceived } from "./received-objects.ts";
import { unpackReceived } from "./unpack-received.ts";
import { writeLooseObject } from "./write-loose-object.ts";

/**
 * Opens a directory for incoming objects inside the object directory, under the name that C git uses and its gc knows how
 * to clear away. Spec: git-receive-pack, "Quarantine Environment".
 */
export async function createQuarantine(pool: WorkerPool, store: StoreLocation): Promise<Quarantine> {
  const directory = await mkdtemp(`${store.objectsDirectory}/${await incomingPrefix()}`);
  try {
    await mkdir(`${directory}/pack`);
  } catch (error) {
    await remove(directory);
    throw error;
  }
  const location: StoreLocation = {
    ...store,
    store,
    objectsDirectory: directory,
    alternates: [store.objectsDirectory, ...store.alternates],
  };
  const { durability = "full" } = store;
  const environment = quarantineEnvironment(directory, store);
  const packs: ReceivedPack[] = [];
  let maxTreeDepth: number | undefined;
  const workers = pinWorker(pool);
  let removal: Promise<void> | undefined;
  let isPublished = false;
  let release = async (): Promise<void> => {};
  const close = (): Promise<void> => {
    if (removal !== undefined) return removal;
    for (const thread of workers.running()) thread.post({ kind: "forget", location });
    removal = remove(directory);
    removal.catch(() => {}); // whoever discards hears of it, unless it does not matter any more
    return removal;
  };
  const own = { objectsDirectory: directory, objectFormat: location.format, durability };
  let unpackBelow = 0;
  const quarantine: Quarantine = {
    ...createFileObjectReader(workers, location),
    async takePack(chunks, options) {
      const { limits, fsck, mayBeThin = true, onProgress, onMessage, signal } = options;
      maxTreeDepth = limits.maxTreeDepth;
      unpackBelow = options.unpackBelow ?? 0;
      const { receipt, pack } = await callWithInput(
        workers.pick("heavy"),
        "takePack",
        location,
        { limits, fsck, mayBeThin, progress: onProgress !== undefined },
        chunks,
        { signal, onProgress, onMessage },
      );
      if (pack !== undefined) packs.push(pack);
      return receipt;
    },
    async *received(options) {
      for (const { packChecksum, count } of packs) {
        const args = { packChecksum, count };
        for await (const event of callForEvents(workers, "received", location, args, options?.signal))
          if (event.kind === "bytes") yield decodeReceived(event.bytes, location.format);
      }
    },
    get environment() {
      return removal === undefined ? environment : undefined;
    },
    writeObject: (type, data) => writeLooseObject(own, type, data),
    unconnected: async (tips, known, options) =>
      call(
        workers.pick("heavy"),
        "unconnected",
        location,
        { tips, known, packs, maxTreeDepth, clientShallow: options?.clientShallow ?? [] },
        options,
      ),
    async publish() {
      const isUnpacked =
        unpackBelow > 0 && packs.length > 0 && (await unpackReceived(quarantine, own, unpackBelow));
      const changed = await publishLooseObjects(directory, store.objectsDirectory, store.access);
      if (!isUnpacked) {
        const published = await publishPacks(directory, store.objectsDirectory, store.access);
        release = published.release;
        changed.push(...published.changedDirectories);
      }
      if (syncsOf(durability).directories) await syncDirectories(changed.map(toBytePath));
      isPublished = true;
      void close(); // goes on while refs change
    },
    async discard() {
      try {
        // What of it stays on a bad disk is no reason to fail refs that have changed; a later start removes it.
        await (isPublished ? close().catch(() => {}) : close());
      } finally {
        await release();
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
