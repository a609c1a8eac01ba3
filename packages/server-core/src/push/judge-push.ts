import { isZeroId } from "@x/objects";
import type { ResolvedRef } from "@x/refs";
import type { PushCommand } from "../push-hooks.ts";
import { isDelete, type Push } from "./push.ts";
import { judge, pushRules } from "./push-rules.ts";
import type { CommandResult } from "./report-status.ts";

/** A command that may be carried out, and the ref that changes by it. */
export interface PlannedEdit {
  readonly result: CommandResult;
  readonly target: string;
}

/** Applies git's own rules and the repository's; fails what they forbid. @returns what is left to do */
export async function judgePush(push: Push): Promise<PlannedEdit[]> {
  const { session, objects } = push;
  const signal = session.signal;
  const symbolic = await session.refs.symbolic(push.live.map(({ command }) => command.ref));
  failDuplicates(push);
  findAliases(push, symbolic);

  const live = push.live;
  const commands = live.map(({ command }) => command);
  const rules = pushRules(session.repository.config);
  const currentBranch = await session.refs.currentBranch();
  const newHeaders = await objects.headers(
    commands.map(({ newId }) => newId),
    { signal },
  );
  const oldHeaders = rules.denyNonFastForwards
    ? await objects.headers(
        commands.map(({ oldId }) => oldId),
        { signal },
      )
    : [];
  const plan: PlannedEdit[] = [];
  for (const [i, result] of live.entries()) {
    const { command } = result;
    const target = symbolic.get(command.ref)?.name ?? command.ref;
    const candidate = { command, target, newHeader: newHeaders[i], oldHeader: oldHeaders[i] };
    const refusal = await judge(session, rules, currentBranch, objects, candidate);
    if (refusal === undefined) {
      const nothing = isDelete(command) && isZeroId(command.oldId);
      if (nothing) push.say("warning: deleting a non-existent ref\n");
      else if (!push.aliases.has(result)) plan.push({ result, target });
      continue;
    }
    result.error = refusal.error;
    if (refusal.text !== undefined) push.say(`error: ${refusal.text}\n`);
  }
  return plan;
}

/** Fails what would change a ref that the pusher cannot see. Whether there is one does not matter. */
export function refuseHidden(push: Push): void {
  for (const result of push.live)
    if (!push.session.refs.isVisible(result.command.ref)) result.error = hiddenRefusal(result.command);
}

function hiddenRefusal(command: PushCommand): string {
  return `deny ${isDelete(command) ? "deleting" : "updating"} a hidden ref`;
}

function failDuplicates(push: Push): void {
  const first = new Map<string, CommandResult>();
  for (const result of push.live) {
    const { ref } = result.command;
    const other = first.get(ref);
    if (other === undefined) first.set(ref, result);
    else other.error = result.error = `multiple updates for ref '${ref}' not allowed`;
  }
}

/** A symbolic ref and its target in one push: the same change once is enough, two different ones contradict. */
function findAliases(push: Push, symbolic: ReadonlyMap<string, ResolvedRef>): void {
  if (symbolic.size === 0) return;
  const byTarget = new Map<string, CommandResult>();
  for (const result of push.live)
    if (!symbolic.has(result.command.ref)) byTarget.set(result.command.ref, result);
  for (const result of push.live) {
    const resolved = symbolic.get(result.command.ref);
    if (resolved === undefined) continue;
    if (resolved.status === "broken") {
      result.error = "broken symref";
      continue;
    }
    if (!push.session.refs.isVisible(resolved.name)) {
      result.error = hiddenRefusal(result.command);
      continue;
    }
    const other = byTarget.get(resolved.name);
    if (other === undefined) byTarget.set(resolved.name, result);
    else if (sameChange(result, other)) push.aliases.set(result, other);
    else other.error = result.error = "inconsistent aliased update";
  }
}

function sameChange(a: CommandResult, b: CommandResult): boolean {
  return a.command.oldId === b.command.oldId && a.command.newId === b.command.newId;
}
