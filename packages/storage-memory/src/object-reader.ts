import type { ObjectId, ObjectReader, Quarantine } from "@x/objects";
import {
  type AncestryQuestion,
  askHas,
  askHeaders,
  askIsAncestor,
  askPeel,
  askRead,
  type ObjectTable,
} from "@x/pack";
import type { MemoryLimits } from "./limits.ts";
import { throughPort } from "./port-errors.ts";
import { SharedThread } from "./shared-thread.ts";

/** Where answers come from. */
export interface Answering {
  /** All there is now. */
  table(): ObjectTable;
  /** The commits whose parents are missing on purpose. */
  shallow(): readonly ObjectId[];
  readonly limits: MemoryLimits;
}

/** A question about history, with what it may cost. */
export function aboutHistory(
  { table, shallow, limits }: Answering,
  signal: AbortSignal | undefined,
): AncestryQuestion {
  const pace = new SharedThread(signal, { name: "maxWalkMs", maxMs: limits.maxWalkMs });
  return { objects: table(), pace, shallow: shallow() };
}

/** What a store and a quarantine have in common. */
export function createReader(answering: Answering): ObjectReader & Pick<Quarantine, "isAncestor"> {
  const { table } = answering;
  return {
    has: (ids, options) =>
      throughPort(() => askHas(table(), ids, new SharedThread(options?.signal)), options),
    headers: (ids, options) =>
      throughPort(() => askHeaders(table(), ids, new SharedThread(options?.signal)), options),
    read: (id, options) => throughPort(() => askRead(table(), id), options),
    peel: (ids, options) =>
      throughPort(() => askPeel(table(), ids, new SharedThread(options?.signal)), options),
    isAncestor: (ancestor, descendant, options) =>
      throughPort(
        () => askIsAncestor(aboutHistory(answering, options?.signal), ancestor, descendant),
        options,
      ),
  };
}
