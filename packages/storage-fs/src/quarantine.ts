import { mkdir, mkdtemp, rm } from "node:fs/promises";
import type { Quarantine } from "@x/objects";
import { createFileObjectReader } from "./file-object-reader.ts";
import { call, callWithInput } from "./pool/worker-call.ts";
import type { WorkerPool } from "./pool/worker-pool.ts";
import type { StoreLocation } from "./pool/worker-protocol.ts";
import { publishPacks } from "./publish.ts";

/**
 * Opens a directory for incoming objects inside the object directory, under the name that C git uses and its gc knows how
 * to clear away. Spec: git-receive-pack, "Quarantine Environment".
 */
export async function createQuarantine(pool: WorkerPool, store: StoreLocation): Promise<Quarantine> {
  const directory = await mkdtemp(`${store.objectsDirectory}/tmp_objdir-incoming-`);
  await mkdir(`${directory}/pack`);
  const location: StoreLocation = {
    ...store,
    objectsDirectory: directory,
    alternates: [store.objectsDirectory, ...store.alternates],
  };
  let open = true;
  let release = async (): Promise<void> => {};
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    for (const thread of pool.running()) thread.post({ kind: "forget", location });
    await rm(directory, { recursive: true, force: true });
  };
  return {
    ...createFileObjectReader(pool, location),
    takePack: async (chunks, { limits, onProgress, signal }) =>
      callWithInput(
        pool.pick("heavy"),
        "takePack",
        location,
        { limits, progress: onProgress !== undefined },
        chunks,
        { signal, onProgress },
      ),
    unconnected: async (tips, known, options) =>
      call(pool.pick("heavy"), "unconnected", location, { tips, known }, options),
    async publish() {
      release = await publishPacks(directory, store.objectsDirectory);
      await close();
    },
    async discard() {
      await close();
      await release();
    },
  };
}
