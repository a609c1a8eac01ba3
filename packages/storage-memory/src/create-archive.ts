import { type ArchiveSource, makeArchive } from "@x/archive";
import type { ArchiveEvent, ArchiveRef, ObjectId, ObjectStore } from "@x/objects";
import type { ObjectShelf } from "./object-shelf.ts";
import { portError } from "./port-errors.ts";
import { SharedThread } from "./shared-thread.ts";

/** Short ids have at least so many digits. As in C git. */
const MIN_DIGITS = 7;

/** Makes archives of what is on a shelf. */
export function archiveMaker(shelf: ObjectShelf): NonNullable<ObjectStore["createArchive"]> {
  return async function* createArchive(request, { refs, signal } = {}): AsyncGenerator<ArchiveEvent, void> {
    const maxMs = request.limits?.maxCpuMs;
    const pace = new SharedThread(
      signal,
      maxMs === undefined ? undefined : { name: "maxArchiveCpuMs", maxMs },
    );
    try {
      const steps = makeArchive(sourceOf(shelf), request, { createHasher: shelf.tools.createHasher });
      let answer: readonly ArchiveRef[] | undefined;
      for (let step = steps.next(); !step.done; step = steps.next(answer)) {
        answer = undefined;
        const event = step.value;
        pace.pause();
        if (event?.kind === "refs") answer = (await refs?.()) ?? [];
        else if (event !== undefined) yield event;
        signal?.throwIfAborted();
        pace.resume();
        await pace.breathe();
      }
    } catch (error) {
      throw portError(error, "reading", signal);
    }
  };
}

function sourceOf(shelf: ObjectShelf): ArchiveSource {
  const objects = shelf.table();
  const { loose } = shelf;
  const digits = Math.max(MIN_DIGITS, Math.ceil(bitsOf(objects.packedCount + loose.size) / 2));
  return {
    format: shelf.format,
    read(id) {
      const number = objects.findId(id);
      return number < 0 ? undefined : objects.read(number);
    },
    header(id) {
      const number = objects.findId(id);
      return number < 0 ? undefined : objects.header(number);
    },
    stream: (id) => objects.stream(objects.findId(id)),
    abbreviate(id, least = digits) {
      let shared = objects.sharedDigits(id);
      for (const other of loose.keys()) shared = Math.max(shared, sharedWith(id, other));
      return Math.min(Math.max(least, shared + 1), id.length);
    },
  };
}

/** Digits that two ids begin with; 0 for an id and itself. */
function sharedWith(id: ObjectId, other: ObjectId): number {
  if (id === other) return 0;
  let at = 0;
  while (id[at] === other[at]) at++;
  return at;
}

function bitsOf(count: number): number {
  return count === 0 ? 1 : Math.floor(Math.log2(count)) + 1;
}
