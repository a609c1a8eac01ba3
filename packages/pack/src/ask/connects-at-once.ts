import { type ObjectId, objectIdToBytes, rawIdLength } from "@x/objects";
import { ENTRY_COMMIT } from "../format/entry-header.ts";
import type { PackIndex } from "../format/pack-index.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { referenceBit } from "../take/reference-gatherer.ts";
import type { CommitTable } from "../walk/commit-table.ts";
import { referencesConnect } from "../walk/connected-references.ts";
import { isAboutObjects, Peeler } from "./peel.ts";

/** What was found out of a pack while it was taken in. */
export interface ArrivedPack {
  /** Where the entries end that came; what completes a thin pack stands behind. Unit: bytes. */
  readonly receivedEnd: number;
  /** Rows of `OuterReferences`; `undefined` when nothing is known of them. */
  readonly outerReferences: Uint8Array | undefined;
  readonly index: PackIndex;
}

/** What may be connected. */
export interface ArrivedTips {
  readonly tips: readonly ObjectId[];
  /** Whatever these reach is there. */
  readonly known: readonly ObjectId[];
  readonly packs: readonly ArrivedPack[];
}

/**
 * Whether all that `tips` reach is there, by what was found out while `packs` were taken in, and a look at the trees of the
 * commits that the new ones stand on. `packs` need not be among those of the table.
 * @returns `false` when that does not do, whatever comes out when everything new is walked
 */
export function* connectsAtOnce(
  commits: CommitTable,
  { tips, known, packs }: ArrivedTips,
): Generator<unknown, boolean> {
  const { objects } = commits;
  const names = new Set(known);
  const rows: Uint8Array[] = [];
  for (const { outerReferences } of packs) {
    if (outerReferences === undefined) return false;
    rows.push(outerReferences);
  }
  try {
    for (const tip of tips) {
      if (names.has(tip) || packs.some((pack) => cameWith(pack, tip))) continue;
      const number = objects.findId(tip);
      if (number < 0 || objects.header(number).type !== "commit") return false;
      const row = new Uint8Array(rawIdLength(objects.format) + 1);
      row.set(objectIdToBytes(tip));
      row[row.length - 1] = referenceBit(ENTRY_COMMIT);
      rows.push(row);
    }
    const references = { rows: joined(rows) };
    const knownCommits = () => commitsOf(objects, known);
    return yield* referencesConnect({ commits, references, known: names, knownCommits });
  } catch (error) {
    if (isAboutObjects(error)) return false;
    throw error;
  }
}

/** Whether the pack as it was received has the object: what completes a thin pack was not looked into. */
function cameWith({ index, receivedEnd }: ArrivedPack, id: ObjectId): boolean {
  const position = index.find(objectIdToBytes(id), 0);
  return position >= 0 && index.offset(position) < receivedEnd;
}

/** The commits that refs of these ids stand for. One that is broken does not stand in the way of others. */
function* commitsOf(objects: ObjectTable, ids: readonly ObjectId[]): Generator<undefined, number[]> {
  const commits: number[] = [];
  const peeler = new Peeler(objects);
  for (const [i, id] of ids.entries()) {
    if (i % 64 === 0) yield;
    const peeled = peeler.peel(id);
    if (peeled?.type === "commit") commits.push(objects.findId(peeled.id));
  }
  return commits;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
