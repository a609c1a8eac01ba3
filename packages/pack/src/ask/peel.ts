import { type ObjectId, ObjectsError, type PeeledObject, parseTagTarget } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { Pace } from "./pace.ts";

/** What an object peels to. One that is broken, or leads to one that is, counts as missing: it must not hide all others. */
export function tryPeel(objects: ObjectTable, id: ObjectId): PeeledObject | undefined {
  try {
    return peel(objects, id);
  } catch (error) {
    if (isAboutObjects(error)) return undefined;
    throw error;
  }
}

function peel(objects: ObjectTable, id: ObjectId): PeeledObject | undefined {
  for (let next = id; ; ) {
    const number = objects.findId(next);
    if (number < 0) return undefined;
    const { type } = objects.header(number);
    if (type !== "tag") return { id: next, type };
    next = parseTagTarget(objects.read(number).data, objects.format).id;
  }
}

/** What the objects peel to, as far as that is commits. */
export async function peelToCommits(
  objects: ObjectTable,
  numbers: readonly number[],
  pace: Pace,
): Promise<number[]> {
  const commits: number[] = [];
  for (const number of numbers) {
    await pace.breathe();
    const peeled = tryPeel(objects, objects.id(number));
    if (peeled?.type === "commit") commits.push(objects.findId(peeled.id));
  }
  return commits;
}

/** Whether `error` tells of an object, and not of the work that met it. */
export function isAboutObjects(error: unknown): boolean {
  if (error instanceof ObjectsError) return error.code !== "objects/limit-exceeded"; // that was the work's own
  return error instanceof PackError;
}
