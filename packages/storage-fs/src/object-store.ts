import type { ObjectFormat, ObjectId, ObjectStore, PackEvent, PackRequest, PeeledObject } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { makeEmptyPack } from "@x/pack";
import { QuickLook } from "./disk/quick-look.ts";
import { createFileObjectReader } from "./file-object-reader.ts";
import { call, callForEvents } from "./pool/worker-call.ts";
import type { WorkerPool } from "./pool/worker-pool.ts";
import type { StoreLocation } from "./pool/worker-protocol.ts";
import { GuardedArrivals } from "./quarantine/guarded-arrivals.ts";
import { createQuarantine } from "./quarantine/quarantine.ts";
import { addToShallowFile } from "./repository/add-shallow.ts";
import { readShallowFile } from "./repository/shallow-file.ts";

/** Tags whose targets are remembered: what a tag peels to never changes. */
const MAX_PEELED_TAGS = 200_000;

/** The objects of a repository on disk; all reading and walking is done by the pool's workers. */
export function createFileObjectStore(pool: WorkerPool, location: StoreLocation): ObjectStore {
  const quick = new QuickLook();
  const reader = createFileObjectReader(pool, location);
  const arrivals = new GuardedArrivals();
  const peeledTags = new Map<ObjectId, PeeledObject>();
  return {
    format: location.format,
    ...reader,
    has: async (ids, options) => (arrivals.holds(ids) ? ids.map(() => true) : reader.has(ids, options)),
    async peel(ids, options) {
      const unknown = ids.filter((id) => !peeledTags.has(id));
      if (unknown.length === 0) return ids.map((id) => peeledTags.get(id));
      const answers = await call(pool.pick("light"), "peel", location, { ids: unknown }, options);
      const peeled = new Map(unknown.map((id, i) => [id, answers[i]]));
      for (const [id, target] of peeled) {
        if (target === undefined || target.id === id) continue;
        if (peeledTags.size >= MAX_PEELED_TAGS) peeledTags.clear();
        peeledTags.set(id, target);
      }
      return ids.map((id) => peeled.get(id) ?? peeledTags.get(id));
    },
    shallow: () => readShallowFile(location, quick),
    addShallow: (ids) => addToShallowFile(location, ids),
    createPack: (request, options) =>
      bringsNothing(request)
        ? emptyPack(location.format, request)
        : callForEvents(pool, "createPack", location, { request }, options),
    unreachable: async (ids, tips, options) =>
      call(pool.pick("heavy"), "unreachable", location, { ids, tips }, options),
    allReach: async (wants, common, options) =>
      call(pool.pick("heavy"), "allReach", location, { wants, common }, options),
    deepen: async (request, options) => call(pool.pick("heavy"), "deepen", location, { request }, options),
    receive: () => createQuarantine(pool, location, arrivals),
  };
}

/** Whoever has everything that it wants gets nothing: then no worker has to be asked. */
function bringsNothing({ wants, haves, elsewhere }: PackRequest): boolean {
  if (wants.length > haves.length || elsewhere !== undefined) return false;
  const had = new Set(haves);
  return wants.every((id) => had.has(id));
}

async function* emptyPack(format: ObjectFormat, { progress }: PackRequest): AsyncGenerator<PackEvent, void> {
  yield* makeEmptyPack(format, { createHasher: createNodeHasher, progress });
}
