import { readFileSync } from "node:fs";
import { type ObjectId, parseTagTarget } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import {
  allReach,
  CommitTable,
  findDepths,
  MISSING,
  makePack,
  type ObjectTable,
  unreachableCommits,
  withParents,
  type ZlibCodec,
} from "@x/pack";
import type { OperationName, Operations, StoreLocation } from "../pool/worker-protocol.ts";
import { parseShallow } from "../repository/shallow-file.ts";
import { findUnconnected, isAboutObjects } from "./connectivity.ts";
import type { Job } from "./job.ts";
import type { KeptSearches } from "./kept-searches.ts";
import { listReceived } from "./list-received.ts";
import type { Snapshot } from "./object-database.ts";

/** What an operation works with. */
interface Work {
  readonly objects: ObjectTable;
  readonly location: StoreLocation;
  readonly codec: ZlibCodec;
  readonly job: Job;
  readonly searches: KeptSearches;
  /** Takes a snapshot of its own, to be released. */
  snapshot(): Snapshot;
}

/** Operations that read; taking packs in is a job of another kind. */
export type ReadOperation = Exclude<OperationName, "takePack" | "looseRefs" | "updateWorkTree">;

type Handlers = {
  readonly [Name in ReadOperation]: (
    work: Work,
    args: Operations[Name]["args"],
  ) => Promise<Operations[Name]["result"]>;
};

/** Objects looked for between two breaths. */
const HAS_BATCH = 1024;

/** What each operation does. All throw PackError, and Aborted when the job is called off. */
export const operations: Handlers = {
  async has({ objects, job }, { ids }) {
    const has: boolean[] = [];
    for (let at = 0; at < ids.length; at += HAS_BATCH) {
      await job.breathe();
      has.push(...objects.hasEach(ids.slice(at, at + HAS_BATCH)));
    }
    return has;
  },

  async headers({ objects, job }, { ids }) {
    const headers: Operations["headers"]["result"] = [];
    for (const id of ids) {
      await job.breathe();
      const number = objects.findId(id);
      headers.push(number < 0 ? undefined : objects.header(number));
    }
    return headers;
  },

  async read({ objects }, { id }) {
    const number = objects.findId(id);
    if (number < 0) return undefined;
    const { type, data } = objects.read(number);
    return { type, data: data.slice() }; // the original belongs to a cache
  },

  async peel({ objects, job }, { ids }) {
    const peeled: Operations["peel"]["result"] = [];
    for (const id of ids) {
      await job.breathe();
      peeled.push(tryPeelTag(objects, id));
    }
    return peeled;
  },

  async unreachable(work, { ids, tips }) {
    const { objects, job } = work;
    limitWalk(work);
    const stored = new Map(ids.map((id) => [id, objects.findId(id)]));
    const commits = new Set<number>();
    const others = new Set<number>();
    for (const number of stored.values()) {
      await job.breathe();
      if (number < 0) continue;
      if (objects.header(number).type === "commit") commits.add(number);
      else others.add(number);
    }
    let lost = new Set<number>();
    if (commits.size > 0) {
      const peeledTips = await peelToCommits(work, storedNumbers(objects, tips));
      lost = await job.run(unreachableCommits(commitTable(work), commits, peeledTips));
    }
    const notFound = await lostObjects(
      work,
      [...others].map((number) => objects.id(number)),
      tips,
    );
    return ids.filter((id) => {
      const number = stored.get(id) as number;
      return number < 0 || lost.has(number) || notFound.has(id);
    });
  },

  async allReach(work, { wants, common }) {
    const { objects, job } = work;
    limitWalk(work);
    const from = await peelToCommits(work, storedNumbers(objects, wants));
    const to = await peelToCommits(work, storedNumbers(objects, common));
    const commits = commitTable(work);
    return job.run(allReach(commits, from, await job.run(withParents(commits, to))));
  },

  async isAncestor(work, { ancestor, descendant }) {
    const { objects, job } = work;
    limitWalk(work);
    const [old = MISSING, young = MISSING] = [ancestor, descendant].map((id) => objects.findId(id));
    if (old === MISSING || young === MISSING) return false;
    const lost = await job.run(unreachableCommits(commitTable(work), new Set([old]), [young]));
    return lost.size === 0;
  },

  async deepen(work, { request }) {
    const { objects, job } = work;
    limitWalk(work);
    const commits = commitTable(work);
    const clientShallow = storedNumbers(objects, request.clientShallow);
    const search = {
      ...request,
      wants: await peelToCommits(work, storedNumbers(objects, request.wants)),
      tips: await peelToCommits(work, storedNumbers(objects, request.tips ?? [])),
      clientShallow,
      not: await peelToCommits(work, storedNumbers(objects, request.not ?? [])),
    };
    const { inner, border } = await job.run(findDepths(commits, search, boundary(work)));
    const known = new Set(clientShallow);
    const unshallow = clientShallow.filter((commit) => inner.has(commit));
    const parents = new Set(unshallow.flatMap((commit) => commits.parents(commit)));
    parents.delete(MISSING);
    const ids = (list: Iterable<number>) => [...list].map((number) => objects.id(number));
    return {
      shallow: ids([...border].filter((commit) => !known.has(commit))),
      unshallow: ids(unshallow),
      parents: ids(parents),
    };
  },

  async unconnected(work, args) {
    const { objects, job, location } = work;
    job.limitCpu("maxCheckCpuMs", location.maxCheckCpuMs);
    const shallow = boundary(work);
    for (const commit of storedNumbers(objects, args.clientShallow)) shallow.add(commit);
    const commits = new CommitTable(objects, shallow);
    return findUnconnected({ objects, job, shallow, commits, maxTreeDepth: args.maxTreeDepth }, args);
  },

  async received({ objects, job }, { packChecksum, count }) {
    for (const bytes of listReceived(objects, packChecksum, count)) {
      await job.emit({ kind: "bytes", bytes });
      await job.breathe();
    }
    return undefined;
  },

  async createPack(work, { request }) {
    const { objects, codec, job } = work;
    job.limitCpu("maxCpuMs", request.limits?.maxCpuMs);
    const shallow = [...(request.shallow ?? []), ...readShallow(work.location)];
    const { withoutBitmaps } = work.location;
    const tools = { codec, createHasher: createNodeHasher, withoutBitmaps };
    for (const event of makePack(objects, { ...request, shallow }, tools)) {
      if (event !== undefined) await job.emit(event);
      await job.breathe();
    }
    return undefined;
  },
};

/** Those of `ids`, of any type, that no tip reaches. */
async function lostObjects(
  work: Work,
  ids: readonly ObjectId[],
  tips: readonly ObjectId[],
): Promise<Set<ObjectId>> {
  if (ids.length === 0) return new Set();
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

/** The commits whose parents the store lacks on purpose. */
function boundary({ location, objects }: Work): Set<number> {
  return new Set(storedNumbers(objects, readShallow(location)));
}

function storedNumbers(objects: ObjectTable, ids: readonly ObjectId[]): number[] {
  return ids.map((id) => objects.findId(id)).filter((number) => number >= 0);
}

function commitTable(work: Work): CommitTable {
  return new CommitTable(work.objects, boundary(work));
}

/** Spec: gitrepository-layout, `shallow`. */
function readShallow({ shallowFile, format }: StoreLocation): ObjectId[] {
  let text: string;
  try {
    text = readFileSync(shallowFile, "latin1");
  } catch {
    return []; // the usual case: there is no such file
  }
  return parseShallow(text, format);
}

/** One broken object must not hide all others. */
function tryPeelTag(objects: ObjectTable, id: ObjectId): Operations["peel"]["result"][number] {
  try {
    return peelTag(objects, id);
  } catch (error) {
    if (isAboutObjects(error)) return undefined;
    throw error;
  }
}

function peelTag(objects: ObjectTable, id: ObjectId): Operations["peel"]["result"][number] {
  for (let next = id; ; ) {
    const number = objects.findId(next);
    if (number < 0) return undefined;
    const { type } = objects.header(number);
    if (type !== "tag") return { id: next, type };
    next = parseTagTarget(objects.read(number).data, objects.format).id;
  }
}

/** What the objects peel to, as far as that is commits. */
async function peelToCommits({ objects, job }: Work, numbers: readonly number[]): Promise<number[]> {
  const commits: number[] = [];
  for (const number of numbers) {
    await job.breathe();
    const peeled = tryPeelTag(objects, objects.id(number));
    if (peeled?.type === "commit") commits.push(objects.findId(peeled.id));
  }
  return commits;
}
