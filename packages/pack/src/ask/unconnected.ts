import type { ObjectId } from "@x/objects";
import type { ObjectTable } from "../read/object-table.ts";
import { CommitTable } from "../walk/commit-table.ts";
import { enumerateObjects } from "../walk/enumerate.ts";
import { type AncestryQuestion, storedNumbers } from "./ask-ancestry.ts";
import { type ArrivedPack, connectsAtOnce } from "./connects-at-once.ts";
import { hexOf } from "./hex-of.ts";
import type { Pace } from "./pace.ts";
import { isAboutObjects } from "./peel.ts";

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
  const atOnce = args.clientShallow.length === 0 && arrivals(objects, args.packs);
  if (atOnce && (await pace.run(connectsAtOnce(commits, { ...args, packs: atOnce })))) return [];
  const haves = storedNumbers(objects, args.known);
  const lost: ObjectId[] = [];
  const stored: ObjectId[] = [];
  for (const tip of new Set(args.tips)) (objects.findId(tip) < 0 ? lost : stored).push(tip);
  if (stored.length === 0 || (await isConnected(work, stored, haves))) return lost;
  onLack();
  return [...lost, ...(await findLost(work, stored, haves))];
}

/** @returns `undefined` when one of `packs` is not there */
function arrivals(objects: ObjectTable, packs: readonly ReceivedPack[]): ArrivedPack[] | undefined {
  const arrived: ArrivedPack[] = [];
  for (const pack of packs) {
    const reader = objects.packs.find(({ index }) => hexOf(index.packChecksum) === pack.packChecksum);
    if (reader === undefined) return undefined;
    arrived.push({ ...pack, index: reader.index });
  }
  return arrived;
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
