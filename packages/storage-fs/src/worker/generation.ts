import type { LooseObjects, ObjectTable } from "@x/pack";
import type { PackFile } from "./pack-files.ts";

/** A set of packs in use: by the database while it is the latest, and by snapshots. */
export interface Generation {
  readonly packed: ObjectTable;
  readonly packs: Map<string, PackFile>;
  /** The packs that were there, whether they could be opened or not. */
  readonly paths: Set<string>;
  /** The object directories that were looked into. */
  readonly directories: readonly string[];
  readonly loose: LooseObjects;
  users: number;
}

/** Ends a use of a generation; its packs are closed after the last one. */
export function letGo(generation: Generation): void {
  if (--generation.users > 0) return;
  for (const pack of generation.packs.values()) pack.release();
}
