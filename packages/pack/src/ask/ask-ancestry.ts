import type { DeepenAnswer, DeepenRequest, ObjectId } from "@x/objects";
import type { ObjectTable } from "../read/object-table.ts";
import { allReach, unreachableCommits, withParents } from "../walk/ancestry.ts";
import { CommitTable, MISSING } from "../walk/commit-table.ts";
import { findDepths } from "../walk/deepen.ts";
import type { Pace } from "./pace.ts";
import { peelToCommits } from "./peel.ts";

/** Where questions about history are answered. */
export interface AncestryQuestion {
  readonly objects: ObjectTable;
  readonly pace: Pace;
  /** The commits whose parents the store lacks on purpose. */
  readonly shallow: readonly ObjectId[];
}

/**
 * Finds those of `ids`, which are no commits, that none of `tips` reaches. Stores that are asked again and again keep
 * what `ReachableObjects` found.
 */
export type FindLost = (
  ids: readonly ObjectId[],
  tips: readonly ObjectId[],
) => Promise<ReadonlySet<ObjectId>>;

/** The numbers of those that are stored. */
export function storedNumbers(objects: ObjectTable, ids: readonly ObjectId[]): number[] {
  return ids.map((id) => objects.findId(id)).filter((number) => number >= 0);
}

/** Answers `Ancestry.unreachable`. @throws PackError */
export async function askUnreachable(
  question: AncestryQuestion,
  { ids, tips }: { readonly ids: readonly ObjectId[]; readonly tips: readonly ObjectId[] },
  findLost: FindLost,
): Promise<ObjectId[]> {
  const { objects, pace } = question;
  const stored = new Map(ids.map((id) => [id, objects.findId(id)]));
  const commits = new Set<number>();
  const others = new Set<number>();
  for (const number of stored.values()) {
    await pace.breathe();
    if (number < 0) continue;
    if (objects.header(number).type === "commit") commits.add(number);
    else others.add(number);
  }
  let lost = new Set<number>();
  if (commits.size > 0) {
    const peeledTips = await peelToCommits(objects, storedNumbers(objects, tips), pace);
    lost = await pace.run(unreachableCommits(commitTable(question), commits, peeledTips));
  }
  const otherIds = [...others].map((number) => objects.id(number));
  const notFound = otherIds.length === 0 ? new Set<ObjectId>() : await findLost(otherIds, tips);
  return ids.filter((id) => {
    const number = stored.get(id) as number;
    return number < 0 || lost.has(number) || notFound.has(id);
  });
}

/** Answers `Ancestry.allReach`. @throws PackError */
export async function askAllReach(
  question: AncestryQuestion,
  wants: readonly ObjectId[],
  common: readonly ObjectId[],
): Promise<boolean> {
  const { objects, pace } = question;
  const from = await peelToCommits(objects, storedNumbers(objects, wants), pace);
  const to = await peelToCommits(objects, storedNumbers(objects, common), pace);
  const commits = commitTable(question);
  return pace.run(allReach(commits, from, await pace.run(withParents(commits, to))));
}

/** Answers `Ancestry.isAncestor`. @throws PackError */
export async function askIsAncestor(
  question: AncestryQuestion,
  ancestor: ObjectId,
  descendant: ObjectId,
): Promise<boolean> {
  const { objects, pace } = question;
  const [old = MISSING, young = MISSING] = [ancestor, descendant].map((id) => objects.findId(id));
  if (old === MISSING || young === MISSING) return false;
  const lost = await pace.run(unreachableCommits(commitTable(question), new Set([old]), [young]));
  return lost.size === 0;
}

/** Answers `Ancestry.deepen`. @throws PackError `pack/nothing-selected` */
export async function askDeepen(question: AncestryQuestion, request: DeepenRequest): Promise<DeepenAnswer> {
  const { objects, pace, shallow } = question;
  const commits = commitTable(question);
  const clientShallow = storedNumbers(objects, request.clientShallow);
  const search = {
    ...request,
    wants: await peelToCommits(objects, storedNumbers(objects, request.wants), pace),
    tips: await peelToCommits(objects, storedNumbers(objects, request.tips ?? []), pace),
    clientShallow,
    not: await peelToCommits(objects, storedNumbers(objects, request.not ?? []), pace),
  };
  const ends = new Set(storedNumbers(objects, shallow));
  const { inner, border } = await pace.run(findDepths(commits, search, ends));
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
}

function commitTable({ objects, shallow }: AncestryQuestion): CommitTable {
  return new CommitTable(objects, new Set(storedNumbers(objects, shallow)));
}
