import type { ObjectHeader, ObjectId, PeeledObject, StoredObject } from "@x/objects";
import type { ObjectTable } from "../read/object-table.ts";
import type { Pace } from "./pace.ts";
import { Peeler } from "./peel.ts";

/** Objects looked for between two breaths. */
const HAS_BATCH = 1024;

/** Answers `ObjectReader.has`. */
export async function askHas(objects: ObjectTable, ids: readonly ObjectId[], pace: Pace): Promise<boolean[]> {
  const has: boolean[] = [];
  for (let at = 0; at < ids.length; at += HAS_BATCH) {
    await pace.breathe();
    has.push(...objects.hasEach(ids.slice(at, at + HAS_BATCH)));
  }
  return has;
}

/** Answers `ObjectReader.headers`. @throws PackError */
export async function askHeaders(
  objects: ObjectTable,
  ids: readonly ObjectId[],
  pace: Pace,
): Promise<(ObjectHeader | undefined)[]> {
  const headers: (ObjectHeader | undefined)[] = [];
  for (const id of ids) {
    await pace.breathe();
    const number = objects.findId(id);
    headers.push(number < 0 ? undefined : objects.header(number));
  }
  return headers;
}

/** Answers `ObjectReader.read`; the data is the caller's own. @throws PackError */
export function askRead(objects: ObjectTable, id: ObjectId): StoredObject | undefined {
  const number = objects.findId(id);
  if (number < 0) return undefined;
  const { type, data } = objects.read(number);
  return { type, data: data.slice() }; // the original belongs to a cache
}

/** Answers `ObjectReader.peel`. */
export async function askPeel(
  objects: ObjectTable,
  ids: readonly ObjectId[],
  pace: Pace,
): Promise<(PeeledObject | undefined)[]> {
  const peeled: (PeeledObject | undefined)[] = [];
  const peeler = new Peeler(objects);
  for (const id of ids) {
    await pace.breathe();
    peeled.push(peeler.peel(id));
  }
  return peeled;
}
