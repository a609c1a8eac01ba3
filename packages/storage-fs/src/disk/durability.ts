/**
 * What has reached the disk when a push is reported done. `full`: all of it, so that it survives a loss of power. `git`:
 * what C git waits for unless told otherwise, that is packs and their indexes; refs survive the death of the process only.
 * `none`: nothing. Spec: git-config, `core.fsync`.
 */
export type Durability = "full" | "git" | "none";

/** Which kinds of writing wait for the disk. */
export interface Syncs {
  /** Packs and their indexes. */
  readonly packs: boolean;
  /** Objects in files of their own. */
  readonly looseObjects: boolean;
  /** Refs, and what says which of them are to change together. */
  readonly refs: boolean;
  /** That files have got their names. */
  readonly directories: boolean;
}

/** @see Durability */
export function syncsOf(durability: Durability): Syncs {
  const full = durability === "full";
  return { packs: durability !== "none", looseObjects: full, refs: full, directories: full };
}
