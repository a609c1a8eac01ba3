import { type BigIntStats, lstatSync } from "node:fs";
import { fromBytePath } from "../disk/byte-path.ts";
import type { StatData } from "./index-entry.ts";
import type { WorkTreeSettings } from "./settings.ts";

/** What `lstat` says of a byte path; `undefined` when nothing is there. */
export function lstatOf(path: string): BigIntStats | undefined {
  return lstatSync(fromBytePath(path), { bigint: true, throwIfNoEntry: false });
}

/** As the index keeps it. */
export function statDataOf(stats: BigIntStats): StatData {
  return {
    ctimeSeconds: low32(stats.ctimeNs / 1_000_000_000n),
    ctimeNanoseconds: Number(stats.ctimeNs % 1_000_000_000n),
    mtimeSeconds: low32(stats.mtimeNs / 1_000_000_000n),
    mtimeNanoseconds: Number(stats.mtimeNs % 1_000_000_000n),
    device: low32(stats.dev),
    inode: low32(stats.ino),
    uid: low32(stats.uid),
    gid: low32(stats.gid),
    size: sizeOf(stats.size),
  };
}

/** Whether a file looks as it did. The device does not count: network file systems change it. */
export function isSameStat(
  known: StatData,
  now: StatData,
  { trustCtime, checkStat }: Pick<WorkTreeSettings, "trustCtime" | "checkStat">,
): boolean {
  if (known.mtimeSeconds !== now.mtimeSeconds || known.size !== now.size) return false;
  if (!checkStat) return true;
  return (
    known.mtimeNanoseconds === now.mtimeNanoseconds &&
    known.uid === now.uid &&
    known.gid === now.gid &&
    known.inode === now.inode &&
    (!trustCtime ||
      (known.ctimeSeconds === now.ctimeSeconds && known.ctimeNanoseconds === now.ctimeNanoseconds))
  );
}

/**
 * Whether a file may have changed after the index was written without looking so: it is no older than the index.
 * Spec: racy-git (git's own documentation).
 */
export function isRacy(
  known: StatData,
  indexMtimeNs: bigint,
  { checkStat }: Pick<WorkTreeSettings, "checkStat">,
): boolean {
  const seconds = low32(indexMtimeNs / 1_000_000_000n);
  if (known.mtimeSeconds !== seconds || !checkStat) return known.mtimeSeconds >= seconds;
  return known.mtimeNanoseconds >= Number(indexMtimeNs % 1_000_000_000n);
}

function low32(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

/** Zero means "not known": no other size may become it. */
function sizeOf(size: bigint): number {
  const low = low32(size);
  return low === 0 && size !== 0n ? 0x8000_0000 : low;
}
