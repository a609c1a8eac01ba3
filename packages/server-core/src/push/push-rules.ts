import { isZeroId, type ObjectHeader, type ObjectId, type ObjectReader } from "@x/objects";
import { isValidRefName } from "@x/refs";
import { configBoolean } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";
import type { PushCommand } from "../push-hooks.ts";
import type { Session } from "../session.ts";

/** What a repository's own settings forbid. Spec: git-config, `receive.deny*`. */
export interface PushRules {
  readonly denyDeletes: boolean;
  readonly denyNonFastForwards: boolean;
  readonly denyDeleteCurrent: boolean;
  readonly denyCurrentBranch: boolean;
}

/** Reads the rules; what git refuses by default is refused here. */
export function pushRules(config: RepositoryConfig): PushRules {
  // "updateInstead" is not to be had here, and refusing is the safe side of it.
  const refuses = (key: string): boolean => {
    const value = config.get(key)?.toLowerCase();
    if (value === "ignore" || value === "warn") return false;
    return configBoolean(config, key) ?? true;
  };
  return {
    denyDeletes: configBoolean(config, "receive.denyDeletes") ?? false,
    denyNonFastForwards: configBoolean(config, "receive.denyNonFastForwards") ?? false,
    denyDeleteCurrent: refuses("receive.denyDeleteCurrent"),
    denyCurrentBranch: refuses("receive.denyCurrentBranch"),
  };
}

/** Where objects of a push can be asked for: in its quarantine, or in the store when it brought none. */
export interface PushObjects extends ObjectReader {
  isAncestor(
    ancestor: ObjectId,
    descendant: ObjectId,
    options?: { readonly signal?: AbortSignal },
  ): Promise<boolean>;
}

/** Why a command is refused: git's word for the report, and a sentence for the user. */
export interface Refusal {
  readonly error: string;
  readonly text?: string;
}

/** A command with what has to be known to judge it. */
export interface Candidate {
  readonly command: PushCommand;
  /** The ref that would change: the command's own, or the one its symbolic ref stands for. */
  readonly target: string;
  readonly oldHeader: ObjectHeader | undefined;
  readonly newHeader: ObjectHeader | undefined;
}

/** Whether a name can be pushed to. One level below `refs/` can only be deleted, as in C git. */
function isPushableName(name: string, isDelete: boolean): boolean {
  return name.startsWith("refs/") && isValidRefName(name.slice(5), { oneLevel: isDelete });
}

/** Judges one command, in C git's order. */
export async function judge(
  session: Session,
  rules: PushRules,
  currentBranch: string | undefined,
  objects: PushObjects,
  candidate: Candidate,
): Promise<Refusal | undefined> {
  const { command, target, oldHeader, newHeader } = candidate;
  const { ref, oldId, newId } = command;
  const isDelete = isZeroId(newId);
  const isBranch = target.startsWith("refs/heads/");
  if (!isPushableName(ref, isDelete))
    return { error: "funny refname", text: `refusing to update funny ref '${ref}' remotely` };
  if (isDelete) {
    // Nothing is deleted for a client that saw nothing, unlike in C git, which would pass over denyDeletes here.
    if (isZeroId(oldId))
      return (await session.refs.resolve(ref)) && { error: "incorrect old value provided" };
    if (rules.denyDeletes && isBranch)
      return { error: "deletion prohibited", text: `denying ref deletion for ${ref}` };
    const isCurrent =
      session.refs.fullName(target) === currentBranch ||
      (!session.repository.bare && target === currentBranch);
    if (rules.denyDeleteCurrent && isCurrent)
      return {
        error: "deletion of the current branch prohibited",
        text: `refusing to delete the current branch: ${ref}`,
      };
    return undefined;
  }
  if (rules.denyCurrentBranch && !session.repository.bare && target === currentBranch)
    return {
      error: "branch is currently checked out",
      text: `refusing to update checked out branch: ${ref}`,
    };
  if (newHeader === undefined)
    return { error: "bad pack", text: `unpack should have generated ${newId}, but I can't find it!` };
  if (rules.denyNonFastForwards && isBranch && !isZeroId(oldId)) {
    if (oldHeader?.type !== "commit" || newHeader.type !== "commit") return { error: "bad ref" };
    if (!(await objects.isAncestor(oldId, newId, { signal: session.signal })))
      return {
        error: "non-fast-forward",
        text: `denying non-fast-forward ${ref} (you should pull first)`,
      };
  }
  if (isBranch && newHeader.type !== "commit")
    return {
      error: "invalid new value provided",
      text: `trying to write non-commit object ${newId} to branch '${ref}'`,
    };
  return undefined;
}
