import { type ObjectId, ObjectsError, type PeeledObject, parseTagTarget } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { Pace } from "./pace.ts";

/** Follows tags to what they stand for. Where many tags are one chain, each of them is read once. */
export class Peeler {
  readonly #objects: ObjectTable;
  /** What the tags of longer chains stand for; most tags are chains of one. */
  readonly #ends = new Map<ObjectId, PeeledObject | undefined>();

  constructor(objects: ObjectTable) {
    this.#objects = objects;
  }

  /** What an object peels to. One that is broken, or leads to one that is, counts as missing: it must not hide all others. */
  peel(id: ObjectId): PeeledObject | undefined {
    const chain: ObjectId[] = [];
    let end: PeeledObject | undefined;
    try {
      end = this.#follow(id, chain);
    } catch (error) {
      if (!isAboutObjects(error)) throw error;
    }
    if (chain.length > 1) for (const tag of chain) this.#ends.set(tag, end);
    return end;
  }

  #follow(id: ObjectId, chain: ObjectId[]): PeeledObject | undefined {
    const objects = this.#objects;
    for (let next = id; ; ) {
      if (this.#ends.has(next)) return this.#ends.get(next);
      const number = objects.findId(next);
      if (number < 0) return undefined;
      const { type } = objects.header(number);
      if (type !== "tag") return { id: next, type };
      chain.push(next);
      next = parseTagTarget(objects.read(number).data, objects.format).id;
    }
  }
}

/** What the objects peel to, as far as that is commits. */
export async function peelToCommits(
  objects: ObjectTable,
  numbers: readonly number[],
  pace: Pace,
): Promise<number[]> {
  const commits: number[] = [];
  const peeler = new Peeler(objects);
  for (const number of numbers) {
    await pace.breathe();
    const peeled = peeler.peel(objects.id(number));
    if (peeled?.type === "commit") commits.push(objects.findId(peeled.id));
  }
  return commits;
}

/** Whether `error` tells of an object, and not of the work that met it. */
export function isAboutObjects(error: unknown): boolean {
  if (error instanceof ObjectsError) return error.code !== "objects/limit-exceeded"; // that was the work's own
  return error instanceof PackError;
}
