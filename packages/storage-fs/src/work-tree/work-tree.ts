import type { Abortable, ObjectId } from "@x/objects";
import type { FileConfig } from "../config/repository-config.ts";
import { call } from "../pool/worker-call.ts";
import type { WorkerPool } from "../pool/worker-pool.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import type { RepositoryLayout } from "../repository/layout.ts";
import { readWorkTreeSettings } from "./settings.ts";
import type { WorkTreeLimits } from "./update-request.ts";

/** Which work tree {@link createWorkTreeUpdate} is about. */
export interface WorkTreePlace {
  /** Of this work tree: `.git` of the main one, `.git/worktrees/<name>` of a linked one. */
  readonly layout: Pick<RepositoryLayout, "gitDirectory" | "commonDirectory">;
  /** Where the files are. Absolute. */
  readonly directory: string;
  /** The objects of the repository. */
  readonly location: StoreLocation;
  /** Its settings, those of this work tree among them. */
  readonly config: FileConfig;
  /** The new index is to have reached the disk; yes when not given. */
  readonly sync?: boolean | undefined;
  readonly limits?: Partial<WorkTreeLimits> | undefined;
}

/** What an update may be told beside its commits. */
export interface WorkTreeUpdateOptions extends Abortable {
  /** Hears, line by line, what C git would tell the pusher. One character for each byte. */
  readonly onMessage?: ((line: string) => void) | undefined;
}

/** `update` of server-core's `WorkTree`. */
export type WorkTreeUpdate = (
  from: ObjectId | undefined,
  to: ObjectId,
  options: WorkTreeUpdateOptions,
) => Promise<string | undefined>;

const DEFAULT_LIMITS: WorkTreeLimits = {
  maxFiles: 500_000,
  maxPathsBytes: 64 * 1024 * 1024,
  maxBytes: 16 * 1024 * 1024 * 1024,
};

/**
 * Makes the function that brings the files and the index of a work tree from one commit to another, if nothing in it would
 * be lost: as `git receive-pack` does under `receive.denyCurrentBranch=updateInstead`. It works in a thread of the pool.
 * The index is locked meanwhile; the ref is the caller's to move afterwards. Once the first file is touched, it no longer
 * heeds the signal.
 * @returns a function that says in C git's words why not, then nothing has changed, or `undefined` when it is done
 */
export function createWorkTreeUpdate(pool: WorkerPool, place: WorkTreePlace): WorkTreeUpdate {
  const { layout, directory, location, config, sync = true, limits } = place;
  const { gitDirectory, commonDirectory } = layout;
  const given = { ...limits };
  return async (from, to, { signal, onMessage }) => {
    const request = {
      gitDirectory,
      commonDirectory,
      directory,
      from,
      to,
      settings: readWorkTreeSettings(config),
      limits: {
        maxFiles: given.maxFiles ?? DEFAULT_LIMITS.maxFiles,
        maxPathsBytes: given.maxPathsBytes ?? DEFAULT_LIMITS.maxPathsBytes,
        maxBytes: given.maxBytes ?? DEFAULT_LIMITS.maxBytes,
      },
      sync,
      access: location.access,
    };
    const answer = await call(pool.pick("heavy"), "updateWorkTree", location, request, { signal });
    for (const line of answer.messages) onMessage?.(line);
    return answer.refusal;
  };
}
