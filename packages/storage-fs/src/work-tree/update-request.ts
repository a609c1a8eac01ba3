import type { ObjectId } from "@x/objects";
import type { SharedAccess } from "../disk/shared-access.ts";
import type { WorkTreeSettings } from "./settings.ts";
import type { TreeLimits } from "./tree-files.ts";

/** What the files of a commit may come to. */
export interface WorkTreeLimits extends TreeLimits {
  /** All files that one update writes. Unit: bytes. */
  readonly maxBytes: number;
}

/** Which work tree is to go where. Goes to a worker: plain data. */
export interface WorkTreeRequest {
  /** Of this work tree: its index is there. */
  readonly gitDirectory: string;
  readonly commonDirectory: string;
  /** The work tree. */
  readonly directory: string;
  /** The commit that is checked out; `undefined` when there is none yet. */
  readonly from: ObjectId | undefined;
  readonly to: ObjectId;
  readonly settings: WorkTreeSettings;
  readonly limits: WorkTreeLimits;
  /** The new index is to have reached the disk. */
  readonly sync: boolean;
  /** What others may do with the new index. */
  readonly access?: SharedAccess | undefined;
}

/** What became of it. */
export interface WorkTreeAnswer {
  /** Why not, in C git's words; `undefined` when files and index are those of the new commit. */
  readonly refusal: string | undefined;
  /** What C git would tell the pusher beside it, a line each. One character for each byte. */
  readonly messages: readonly string[];
}
