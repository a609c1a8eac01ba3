import type { ObjectId } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import {
  type AncestryQuestion,
  askAllReach,
  askDeepen,
  askHas,
  askHeaders,
  askIsAncestor,
  askPeel,
  askRead,
  askUnconnected,
  askUnreachable,
  listReceived,
  MISSING,
  makePack,
  type ObjectTable,
  soughtAnswer,
  storedNumbers,
  type ZlibCodec,
} from "@x/pack";
import type { OperationName, Operations, StoreLocation } from "../pool/worker-protocol.ts";
import { encodeReceived } from "../quarantine/received-objects.ts";
import { createArchive } from "./create-archive.ts";
import type { Job } from "./job.ts";
import type { KeptSearches } from "./kept-searches.ts";
import type { Snapshot } from "./object-database.ts";
import { readShallow } from "./read-shallow.ts";

/** What an operation works with. */
interface Work {
  readonly objects: ObjectTable;
  readonly location: StoreLocation;
  readonly codec: ZlibCodec;
  readonly job: Job;
  readonly searches: KeptSearches;
  /** A buffer to fill again. */
  readonly spare: () => ArrayBuffer | undefined;
  /** Takes a snapshot of its own, to be released. */
  snapshot(): Snapshot;
}

/** Operations that read; taking packs in is a job of another kind. */
export type ReadOperation = Exclude<
  OperationName,
  "takePack" | "publishHeld" | "looseRefs" | "updateWorkTree"
>;

type Handlers = {
  readonly [Name in ReadOperation]: (
    work: Work,
    args: Operations[Name]["args"],
  ) => Promise<Operations[Name]["result"]>;
};

/**
 * Once it is clear that something is missing: what telling apart which tips lack it may cost beside the time it took to find
 * that out, and how many times that. Unit: milliseconds of a processor.
 */
const SEARCH_MS = 2000;
const SEARCH_TIMES = 4;

/** What each operation does. All throw PackError, and Aborted when the job is called off. */
export const operations: Handlers = {
  has: ({ objects, job }, { ids }) => askHas(objects, ids, job),
  headers: ({ objects, job }, { ids }) => askHeaders(objects, ids, job),
  read: async ({ objects }, { id }) => askRead(objects, id),
  peel: ({ objects, job }, { ids }) => askPeel(objects, ids, job),

  unreachable(work, args) {
    limitWalk(work);
    return askUnreachable(question(work), args, (ids, tips) => lostObjects(work, ids, tips));
  },

  allReach(work, { wants, common }) {
    limitWalk(work);
    return askAllReach(question(work), wants, common);
  },

  isAncestor(work, { ancestor, descendant }) {
    limitWalk(work);
    return askIsAncestor(question(work), ancestor, descendant);
  },

  deepen(work, { request }) {
    limitWalk(work);
    return askDeepen(question(work), request);
  },

  unconnected(work, args) {
    work.job.limitCpu("maxCheckCpuMs", work.location.maxCheckCpuMs);
    return askUnconnected(question(work), args, () => {
      const { usedCpuMs } = work.job;
      const name = "finding out what of the push is incomplete may take";
      work.job.limitCpu(name, usedCpuMs + SEARCH_MS + SEARCH_TIMES * usedCpuMs);
    });
  },

  async received({ objects, job }, { packChecksum, count }) {
    for (const rows of listReceived(objects, packChecksum, count)) {
      await job.emit({ kind: "bytes", bytes: encodeReceived(rows, objects.format) });
      await job.breathe();
    }
    return undefined;
  },

  async createPack(work, { request }) {
    const { objects, codec, job, spare } = work;
    job.limitCpu("maxCpuMs", request.limits?.maxCpuMs);
    const shallow = [...(request.shallow ?? []), ...readShallow(work.location)];
    const { withoutBitmaps } = work.location;
    const tools = { codec, createHasher: createNodeHasher, withoutBitmaps, spare };
    const sought = soughtAnswer(objects, { ...request, shallow }, createNodeHasher);
    if (sought !== undefined) await job.until(sought);
    for (const event of makePack(objects, { ...request, shallow }, tools)) {
      if (event !== undefined) await job.emit(event);
      await job.breathe();
    }
    return undefined;
  },

  async createArchive({ objects, job, location }, args) {
    await createArchive(objects, job, location, args);
    return undefined;
  },
};

/** Those of `ids`, of any type, that no tip reaches. */
async function lostObjects(
  work: Work,
  ids: readonly ObjectId[],
  tips: readonly ObjectId[],
): Promise<Set<ObjectId>> {
  const subject = {
    store: JSON.stringify(work.location),
    tips,
    shallow: readShallow(work.location),
    snapshot: () => work.snapshot(),
  };
  return work.searches.use(subject, async ({ objects, reachable }) => {
    const numbers = new Map(ids.map((id) => [id, objects.findId(id)]));
    const lost = await work.job.run(reachable.unreachable(storedNumbers(objects, ids)));
    return new Set(ids.filter((id) => numbers.get(id) === MISSING || lost.has(numbers.get(id) as number)));
  });
}

function limitWalk({ job, location }: Work): void {
  job.limitCpu("maxWalkCpuMs", location.maxWalkCpuMs);
}

function question({ objects, job, location }: Work): AncestryQuestion {
  return { objects, pace: job, shallow: readShallow(location) };
}
