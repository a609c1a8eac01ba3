import { type ObjectId, objectIdToBytes, rawIdLength } from "@x/objects";
import { ENTRY_COMMIT } from "../format/entry-header.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { PackReader } from "../read/pack-reader.ts";
import { referenceBit } from "../take/reference-gatherer.ts";
import { CommitTable } from "../walk/commit-table.ts";
import { referencesConnect } from "../walk/connected-references.ts";
import { enumerateObjects } from "../walk/enumerate.ts";
import { type AncestryQuestion, storedNumbers } from "./ask-ancestry.ts";
import { hexOf } from "./hex-of.ts";
import type { Pace } from "./pace.ts";
import { isAboutObjects, Peeler } from "./peel.ts";

/** A pack that was taken in, and what was found out meanwhile. */
export interface ReceivedPack {
  /** Hex. */
  readonly packChecksum: string;
  /** Objects that came; what completes a thin pack stands behind them. */
  readonly count: number;
  /** Where their entries end. Unit: bytes. */
  readonly receivedEnd: number;
  /** Rows of {@link OuterReferences}; `undefined` when nothing is known of them. */
  readonly outerReferences: Uint8Array | undefined;
}

/** What may be connected or not. */
export interface UnconnectedQuestion {
  readonly tips: readonly ObjectId[];
  /** Whatever these reach is there. */
  readonly known: readonly ObjectId[];
  /** Commits whose parents the client has not. */
  readonly clientShallow: readonly ObjectId[];
  /** What came in; they are among the packs of the table. */
  readonly packs: readonly ReceivedPack[];
  readonly maxTreeDepth: number | undefined;
}

interface ConnectivityWork {
  readonly objects: ObjectTable;
  readonly pace: Pace;
  /** Commits with their parents, but for those that the store, or the client, has none of on purpose. */
  readonly commits: CommitTable;
  readonly shallow: ReadonlySet<number>;
  readonly maxTreeDepth: number | undefined;
}

/**
 * Answers `Quarantine.unconnected`: those of `tips` from which something is missing. What was found out while the packs
 * were taken in mostly does; otherwise everything new is walked, as `git rev-list --objects --not --all` does.
 * @param onLack called when something is missing, before many walks look for the tips that lack it
 */
export async function askUnconnected(
  { objects, pace, shallow: ends }: AncestryQuestion,
  args: UnconnectedQuestion,
  onLack: () => void = () => {},
): Promise<ObjectId[]> {
  const shallow = new Set(storedNumbers(objects, [...ends, ...args.clientShallow]));
  const commits = new CommitTable(objects, shallow);
  const work: ConnectivityWork = { objects, pace, commits, shallow, maxTreeDepth: args.maxTreeDepth };
  if (args.clientShallow.length === 0 && (await connectAtOnce(work, args))) return [];
  const haves = storedNumbers(objects, args.known);
  const lost: ObjectId[] = [];
  const stored: ObjectId[] = [];
  for (const tip of new Set(args.tips)) (objects.findId(tip) < 0 ? lost : stored).push(tip);
  if (stored.length === 0 || (await isConnected(work, stored, haves))) return lost;
  onLack();
  return [...lost, ...(await findLost(work, stored, haves))];
}

async function connectAtOnce(
  { objects, pace, commits }: ConnectivityWork,
  { tips, known, packs }: UnconnectedQuestion,
): Promise<boolean> {
  const readers = packs.map((pack) => ({
    ...pack,
    reader: objects.packs.find(({ index }) => hexOf(index.packChecksum) === pack.packChecksum),
  }));
  const names = new Set(known);
  const rows: Uint8Array[] = [];
  for (const { outerReferences, reader } of readers) {
    if (outerReferences === undefined || reader === undefined) return false;
    rows.push(outerReferences);
  }
  for (const tip of tips) {
    if (names.has(tip) || readers.some((pack) => cameWith(pack, pack.reader, tip))) continue;
    const number = objects.findId(tip);
    if (number < 0 || objects.header(number).type !== "commit") return false;
    const row = new Uint8Array(rawIdLength(objects.format) + 1);
    row.set(objectIdToBytes(tip));
    row[row.length - 1] = referenceBit(ENTRY_COMMIT);
    rows.push(row);
  }
  const references = { rows: joined(rows) };
  const knownCommits = () => commitsOf(objects, known);
  try {
    return await pace.run(referencesConnect({ commits, references, known: names, knownCommits }));
  } catch (error) {
    if (isAboutObjects(error)) return false;
    throw error;
  }
}

/** Whether the pack as it was received has the object: what completes a thin pack was not looked into. */
function cameWith(pack: ReceivedPack, reader: PackReader | undefined, id: ObjectId): boolean {
  const position = reader?.index.find(objectIdToBytes(id), 0) ?? -1;
  return position >= 0 && (reader as PackReader).index.offset(position) < pack.receivedEnd;
}

/** Halves tips that fail together until it is clear which of them do: mostly all are well, or one is not. */
async function findLost(
  work: ConnectivityWork,
  tips: readonly ObjectId[],
  haves: readonly number[],
): Promise<ObjectId[]> {
  if (tips.length === 1) return [...tips];
  const middle = tips.length >> 1;
  const lost: ObjectId[] = [];
  for (const half of [tips.slice(0, middle), tips.slice(middle)])
    if (!(await isConnected(work, half, haves))) lost.push(...(await findLost(work, half, haves)));
  return lost;
}

async function isConnected(
  { objects, pace, shallow, maxTreeDepth }: ConnectivityWork,
  tips: readonly ObjectId[],
  haves: readonly number[],
): Promise<boolean> {
  const wants = tips.map((id) => objects.findId(id));
  if (wants.includes(-1)) return false;
  try {
    await pace.run(
      enumerateObjects(objects, {
        wants,
        haves,
        shallow,
        withoutBitmaps: true,
        checkTypes: true,
        maxTreeDepth,
      }),
    );
    return true;
  } catch (error) {
    if (isAboutObjects(error)) return false;
    throw error;
  }
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
