import { PackError } from "../errors.ts";
import { ENTRY_REF_DELTA, objectEntryType } from "../format/entry-header.ts";
import { baseSize, type FindBase } from "./complete-thin-pack.ts";
import type { DeltaResolver } from "./delta-resolver.ts";
import { type EntryTable, NO_BASE } from "./entry-table.ts";

/** It comes up for air after making this much. Unit: bytes, and objects. */
const STEP_BYTES = 4 * 1024 * 1024;
const STEP_OBJECTS = 2000;

/**
 * Gives all `deltaCount` deltas their ids, those on bases that `findBase` has included; the bases become rows of `entries`.
 * Yields now and then. @throws PackError `pack/missing-base` and what the resolver throws
 */
export function* resolveDeltas(
  resolver: DeltaResolver,
  entries: EntryTable,
  deltaCount: number,
  findBase: FindBase,
): Generator<void, void> {
  const received = entries.count;
  yield* inSteps(resolver, wholeRows(entries, received));
  if (resolver.resolvedCount < deltaCount)
    yield* inSteps(resolver, externalRows(entries, received, findBase));
  const left = deltaCount - resolver.resolvedCount;
  if (left > 0)
    throw new PackError("pack/missing-base", `pack has ${left} unresolved delta${left === 1 ? "" : "s"}`);
}

/** Resolves what hangs on each of `rows`, yielding now and then. */
function* inSteps(resolver: DeltaResolver, rows: Iterable<number>): Generator<void, void> {
  let bytes = 0;
  let objects = 0;
  for (const row of rows)
    for (const made of resolver.resolveBelow(row)) {
      bytes += made;
      if (++objects < STEP_OBJECTS && bytes < STEP_BYTES) continue;
      bytes = 0;
      objects = 0;
      yield;
    }
}

function* wholeRows(entries: EntryTable, received: number): Generator<number, void> {
  for (let row = 0; row < received; row++) if (!entries.isDelta(row)) yield row;
}

/** Bases from elsewhere for what is still unresolved, in the order of the pack: most deltas stand after their bases. */
function* externalRows(entries: EntryTable, received: number, findBase: FindBase): Generator<number, void> {
  for (let row = 0; row < received; row++) {
    if (entries.types[row] !== ENTRY_REF_DELTA || entries.bases[row] !== NO_BASE) continue;
    const id = entries.id(row);
    const base = findBase(id);
    if (base === undefined) continue;
    const added = entries.push(-1, objectEntryType(base.type), baseSize(base), 0);
    entries.ids.set(id, added * entries.idLength);
    yield added;
  }
}
