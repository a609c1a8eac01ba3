import type { ObjectId, ObjectStore, PackEvent, PackRequest } from "@x/objects";
import {
  askAllReach,
  askDeepen,
  askUnreachable,
  CommitTable,
  MISSING,
  makePack,
  ReachableObjects,
  storedNumbers,
} from "@x/pack";
import { archiveMaker } from "./create-archive.ts";
import { aboutHistory, createReader } from "./object-reader.ts";
import type { ObjectShelf } from "./object-shelf.ts";
import { packLoose } from "./pack-loose.ts";
import { portError, throughPort } from "./port-errors.ts";
import { createQuarantine } from "./quarantine.ts";
import { SharedThread } from "./shared-thread.ts";

/** The objects on a shelf as a store. All work is done in the thread that asks, which it shares with everybody else. */
export function createMemoryObjectStore(shelf: ObjectShelf): ObjectStore {
  const { format, limits, tools } = shelf;
  const boundary = new Set<ObjectId>();
  const shallow = () => [...boundary];
  const answering = { table: () => shelf.table(), shallow, limits };
  let packing: Promise<void> | undefined;

  async function* createPack(request: PackRequest, signal?: AbortSignal): AsyncGenerator<PackEvent, void> {
    const maxMs = request.limits?.maxCpuMs;
    const pace = new SharedThread(signal, maxMs === undefined ? undefined : { name: "maxCpuMs", maxMs });
    try {
      packing ??= packLoose(shelf, new SharedThread()).finally(() => {
        packing = undefined;
      });
      await packing;
      const ends = [...(request.shallow ?? []), ...boundary];
      for (const event of makePack(shelf.table(), { ...request, shallow: ends }, tools)) {
        if (event !== undefined) {
          pace.pause();
          yield event;
          signal?.throwIfAborted();
          pace.resume();
        }
        await pace.breathe();
      }
    } catch (error) {
      throw portError(error, "reading", signal);
    }
  }

  return {
    format,
    ...createReader(answering),
    shallow: async () => shallow(),
    async addShallow(ids) {
      for (const id of ids) boundary.add(id);
    },
    createPack: (request, options) => createPack(request, options?.signal),
    createArchive: archiveMaker(shelf),
    unreachable: (ids, tips, options) =>
      throughPort(() => {
        const question = aboutHistory(answering, options?.signal);
        return askUnreachable(question, { ids, tips }, (others, from) => lostFrom(question, others, from));
      }, options),
    allReach: (wants, common, options) =>
      throughPort(() => askAllReach(aboutHistory(answering, options?.signal), wants, common), options),
    deepen: (request, options) =>
      throughPort(() => askDeepen(aboutHistory(answering, options?.signal), request), options),
    receive: async () => createQuarantine(shelf, shallow),
  };
}

/** Those of `ids`, of any type, that no tip reaches. */
async function lostFrom(
  { objects, pace, shallow }: ReturnType<typeof aboutHistory>,
  ids: readonly ObjectId[],
  tips: readonly ObjectId[],
): Promise<ReadonlySet<ObjectId>> {
  const commits = new CommitTable(objects, new Set(storedNumbers(objects, shallow)));
  const reachable = new ReachableObjects(commits, storedNumbers(objects, tips));
  const numbers = new Map(ids.map((id) => [id, objects.findId(id)]));
  const lost = await pace.run(reachable.unreachable(storedNumbers(objects, ids)));
  return new Set(ids.filter((id) => numbers.get(id) === MISSING || lost.has(numbers.get(id) as number)));
}
