import { isZeroId, type ObjectHeader, type ObjectId, type ObjectReader } from "@x/objects";
import { isValidRefName, type ResolvedRef } from "@x/refs";
import type { Limits } from "../limits.ts";
import type { WorkTree } from "../ports.ts";
import type { PushCommand } from "../push-hooks.ts";
import { type CheckedOut, checkedOut } from "./checked-out.ts";
import { isDelete, type Push } from "./push.ts";
import { type PushRules, pushRules } from "./push-rules.ts";
import type { CommandResult } from "./report-status.ts";

/** Where objects of a push can be asked for: in its quarantine, or in the store when it brought none. */
export interface PushObjects extends ObjectReader {
  isAncestor(
    ancestor: ObjectId,
    descendant: ObjectId,
    options?: { readonly signal?: AbortSignal },
  ): Promise<boolean>;
}

/** What git's own rules and the repository's say of a command. */
export interface Verdict {
  /** The ref that would change: the command's own, or the one its symbolic ref stands for. */
  readonly target: string;
  /** For the user, in order. */
  readonly texts: readonly string[];
  /** Git's word for the report, when it is refused. */
  readonly error?: string | undefined;
  /** To be brought up to date with the ref. */
  readonly workTree?: WorkTree | undefined;
  /** A branch would hold what is no commit. Refused after hooks were asked, as in C git. */
  readonly invalidValue?: boolean;
  /** There is nothing to delete. */
  readonly didNotExist?: boolean;
  /** What the ref has to hold, where that is not what the client believes. */
  readonly expected?: ObjectId | undefined;
}

interface Knowledge {
  readonly push: Push;
  readonly rules: PushRules;
  readonly places: CheckedOut;
  readonly symbolic: ReadonlyMap<string, ResolvedRef>;
}

/** Judges all commands that the server has to carry out, changing nothing. In C git's order for each. */
export async function judgeAll(
  push: Push,
  symbolic: ReadonlyMap<string, ResolvedRef>,
): Promise<ReadonlyMap<CommandResult, Verdict>> {
  const { session, objects } = push;
  const options = { signal: session.signal };
  const rules = pushRules(session.repository.config);
  const live = push.live;
  const newHeaders = await objects.headers(
    live.map(({ command }) => command.newId),
    options,
  );
  // Old values matter to deletions, and to what may not be rewound.
  const asked = live.filter(({ command }) => isDelete(command) || rules.denyNonFastForwards);
  const oldHeaders = await objects.headers(
    asked.map(({ command }) => command.oldId),
    options,
  );
  const old = new Map(asked.map((result, i) => [result, oldHeaders[i]]));
  const knowledge = { push, rules, places: await checkedOut(session), symbolic };
  const verdicts = new Map<CommandResult, Verdict>();
  for (const [i, result] of live.entries())
    verdicts.set(result, await judge(knowledge, result.command, newHeaders[i], old.get(result)));
  return verdicts;
}

async function judge(
  { push, rules, places, symbolic }: Knowledge,
  command: PushCommand,
  newHeader: ObjectHeader | undefined,
  oldHeader: ObjectHeader | undefined,
): Promise<Verdict> {
  const { session, objects } = push;
  const { ref, oldId, newId } = command;
  const target = symbolic.get(ref)?.name ?? ref;
  const texts: string[] = [];
  const refuse = (error: string, ...lines: string[]): Verdict => ({
    target,
    error,
    texts: [...texts, ...lines.map((line) => `error: ${line}\n`)],
  });
  const deletes = isDelete(command);
  const isBranch = target.startsWith("refs/heads/");
  if (!ref.startsWith("refs/") || !isValidRefName(ref.slice(5), { oneLevel: deletes }))
    return refuse("funny refname", `refusing to update funny ref '${ref}' remotely`);
  if (!deletes && isTooLong(target, session.limits))
    return refuse("failed to update ref", `cannot lock ref '${ref}': File name too long`);

  let workTree: WorkTree | undefined;
  const place = places.of(target);
  if (place.isCheckedOut) {
    const refusal = `refusing to update checked out branch: ${ref}`;
    if (rules.denyCurrentBranch === "warn") texts.push("warning: updating the current branch\n");
    else if (rules.denyCurrentBranch === "updateInstead") {
      if (place.workTree === undefined) return refuse("denyCurrentBranch = updateInstead needs a worktree");
      workTree = place.workTree;
    } else if (rules.denyCurrentBranch === "refuse")
      return refuse("branch is currently checked out", refusal);
    else if (rules.denyCurrentBranch === "unconfigured")
      return refuse("branch is currently checked out", refusal, ADVICE_ON_UPDATING);
  }
  if (!deletes && newHeader === undefined)
    return refuse("bad pack", `unpack should have generated ${newId}, but I can't find it!`);

  if (deletes) {
    if (!isZeroId(oldId)) {
      if (rules.denyDeletes && isBranch)
        return refuse("deletion prohibited", `denying ref deletion for ${ref}`);
      if (place.isCurrent) {
        const refusal = `refusing to delete the current branch: ${ref}`;
        const prohibited = "deletion of the current branch prohibited";
        if (rules.denyDeleteCurrent === "warn") texts.push("warning: deleting the current branch\n");
        else if (rules.denyDeleteCurrent === "unconfigured")
          return refuse(prohibited, ADVICE_ON_DELETING, refusal);
        else if (rules.denyDeleteCurrent !== "ignore") return refuse(prohibited, refusal);
      }
    }
    const { texts: more = [], ...deletion } = await judgeDeletion(push, command, target, oldHeader);
    return { target, workTree, texts: [...texts, ...more], ...deletion };
  }
  if (rules.denyNonFastForwards && isBranch && !isZeroId(oldId)) {
    if (oldHeader?.type !== "commit" || newHeader?.type !== "commit") return refuse("bad ref");
    if (!(await objects.isAncestor(oldId, newId, { signal: session.signal })))
      return refuse("non-fast-forward", `denying non-fast-forward ${ref} (you should pull first)`);
  }
  return { target, workTree, texts, invalidValue: isBranch && newHeader?.type !== "commit" };
}

type Deletion = Pick<Verdict, "error" | "didNotExist" | "expected"> & { readonly texts?: readonly string[] };

/** A ref that holds what is lost may be deleted by whoever cannot know of it; a sound one only by whoever knows its value. */
async function judgeDeletion(
  { session }: Push,
  { oldId }: PushCommand,
  target: string,
  oldHeader: ObjectHeader | undefined,
): Promise<Deletion> {
  if (oldHeader !== undefined) return {};
  const current = await session.refs.resolve(target);
  if (current === undefined) return { didNotExist: true, texts: ["warning: deleting a non-existent ref\n"] };
  const [isSound] = await session.repository.objects.has([current.id], { signal: session.signal });
  if (isSound === true) return { error: "incorrect old value provided" };
  if (!isZeroId(oldId) && oldId !== current.id) return { error: "incorrect old value provided" };
  return { expected: current.id, texts: ["warning: allowing deletion of corrupt ref\n"] };
}

function isTooLong(name: string, { maxRefNameBytes, maxRefComponentBytes }: Limits): boolean {
  return name.length > maxRefNameBytes || name.split("/").some((part) => part.length > maxRefComponentBytes);
}

const ADVICE_ON_UPDATING = `By default, updating the current branch in a non-bare repository
is denied, because it will make the index and work tree inconsistent
with what you pushed, and will require 'git reset --hard' to match
the work tree to HEAD.

You can set the 'receive.denyCurrentBranch' configuration variable
to 'ignore' or 'warn' in the remote repository to allow pushing into
its current branch; however, this is not recommended unless you
arranged to update its work tree to match what you pushed in some
other way.

To squelch this message and still keep the default behaviour, set
'receive.denyCurrentBranch' configuration variable to 'refuse'.`;

const ADVICE_ON_DELETING = `By default, deleting the current branch is denied, because the next
'git clone' won't result in any file checked out, causing confusion.

You can set 'receive.denyDeleteCurrent' configuration variable to
'warn' or 'ignore' in the remote repository to allow deleting the
current branch, with or without a warning message.

To squelch this message, you can set it to 'refuse'.`;
