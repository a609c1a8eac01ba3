import { isZeroId, type ObjectId } from "@x/objects";
import type { RefEdit } from "@x/refs";
import { applyEdits } from "./apply-refs.ts";
import { askHook, commandsOf, receivedContext } from "./hook-context.ts";
import type { Verdict } from "./judge.ts";
import { isDelete, type Push } from "./push.ts";
import type { CommandResult } from "./report-status.ts";

/** A command that may be carried out, and what becomes of its ref. */
export interface PlannedEdit {
  readonly result: CommandResult;
  readonly verdict: Verdict;
  readonly edit: RefEdit;
}

/**
 * Changes the refs: deletions in a transaction of their own before the rest, so that a name can become a directory; or
 * all together, if the pusher wants all or nothing.
 */
export async function carryOut(push: Push, verdicts: ReadonlyMap<CommandResult, Verdict>): Promise<void> {
  const own = push.ownLive.filter((result) => !push.aliases.has(result));
  const phases = push.atomic
    ? [own]
    : [own.filter(({ command }) => isDelete(command)), own.filter(({ command }) => !isDelete(command))];
  const refused = push.atomic ? own.find((result) => verdicts.get(result)?.error !== undefined) : undefined;
  if (refused !== undefined) {
    for (const text of verdicts.get(refused)?.texts ?? []) push.say(text);
    refused.error = verdicts.get(refused)?.error;
    return push.failLive("atomic push failure");
  }
  for (const phase of phases) {
    const plan: PlannedEdit[] = [];
    for (const result of phase) {
      const verdict = verdicts.get(result);
      if (verdict === undefined || result.error !== undefined) continue;
      for (const text of verdict.texts) push.say(text);
      result.error =
        verdict.error ?? (await askOutside(push, result, verdict)) ?? refuseValue(push, result, verdict);
      if (verdict.didNotExist === true && result.error === undefined)
        result.isDone = result.didNotExist = true;
      else if (result.error === undefined)
        plan.push({ result, verdict, edit: editOf(push, result, verdict) });
      else if (push.atomic) return push.failLive("atomic push failure");
    }
    await applyEdits(push, await withShallow(push, plan));
  }
}

function editOf({ session }: Push, { command }: CommandResult, { target, expected }: Verdict): RefEdit {
  const { oldId, newId } = command;
  return {
    name: session.refs.fullName(target),
    expected: expected ?? (isZeroId(oldId) ? "absent" : oldId),
    next: isDelete(command) ? "delete" : newId,
  };
}

/** What no branch can hold. */
function refuseValue(push: Push, { command }: CommandResult, verdict: Verdict): string | undefined {
  if (verdict.invalidValue !== true) return undefined;
  push.say(`error: trying to write non-commit object ${command.newId} to branch '${command.ref}'\n`);
  return "invalid new value provided";
}

/** Asks the update hook, and brings the files of a checked out branch up to date. @returns why not */
async function askOutside(
  push: Push,
  { command }: CommandResult,
  { target, workTree }: Verdict,
): Promise<string | undefined> {
  const { update, pushToCheckout } = push.hooks;
  // A list of all commands for each of them is more than a push of thousands can do with.
  const context = receivedContext(push, () => commandsOf(push.live));
  if (update !== undefined) {
    const reason = await askHook(push, "update", () => update(context, command), "hook declined");
    if (reason !== undefined) return reason;
  }
  if (workTree === undefined || isDelete(command)) return undefined;
  const { session } = push;
  const current = await session.refs.resolve(target);
  // What the ref would not be changed for changes no file either.
  if (current === undefined ? !isZeroId(command.oldId) : current.id !== command.oldId)
    return current === undefined ? "reference does not exist" : "incorrect old value provided";
  if (pushToCheckout !== undefined) {
    const ask = () => pushToCheckout(context, command, workTree.directory);
    const reason = await askHook(push, "pushToCheckout", ask, "push-to-checkout hook declined");
    if (reason !== false) return reason;
  }
  try {
    const onMessage = (line: string) => push.say(`${line}\n`);
    return await workTree.update(current?.id, command.newId, { signal: session.signal, onMessage });
  } catch (error) {
    session.logger?.error({ error }, "a work tree could not be updated");
    return "Could not update working tree to new HEAD";
  }
}

/** Lets the repository's history end where that of what comes in does. @returns what of `plan` is left */
async function withShallow(push: Push, plan: PlannedEdit[]): Promise<PlannedEdit[]> {
  const rootsOf = ({ result }: PlannedEdit) => push.shallowRoots.get(result.command.newId) ?? [];
  const roots = new Set<ObjectId>(plan.flatMap(rootsOf));
  if (roots.size === 0) return plan;
  try {
    await push.session.repository.objects.addShallow?.([...roots]);
    return plan;
  } catch (error) {
    push.session.logger?.error({ error }, "the shallow commits could not be kept");
    for (const planned of plan) if (rootsOf(planned).length > 0) planned.result.error = "shallow error";
    push.settleAtomic();
    return plan.filter(({ result }) => result.error === undefined);
  }
}
