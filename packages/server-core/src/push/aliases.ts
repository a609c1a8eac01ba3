import type { ResolvedRef } from "@x/refs";
import { refuseHidden } from "./hidden.ts";
import type { Push } from "./push.ts";
import type { CommandResult } from "./report-status.ts";

/** A symbolic ref and its target in one push: the same change once is enough, two different ones contradict. */
export function findAliases(push: Push, symbolic: ReadonlyMap<string, ResolvedRef>): void {
  if (symbolic.size === 0) return;
  const byTarget = new Map<string, CommandResult>();
  for (const result of push.results)
    if (!symbolic.has(result.command.ref)) byTarget.set(result.command.ref, result);
  for (const result of push.live) {
    const { ref } = result.command;
    const resolved = symbolic.get(ref);
    if (resolved === undefined) continue;
    if (resolved.status === "broken") {
      push.say(`error: refusing update to broken symref '${ref}'\n`);
      result.error = "broken symref";
      continue;
    }
    if (refuseHidden(push, result, resolved.name)) continue;
    const other = byTarget.get(resolved.name);
    if (other === undefined) byTarget.set(resolved.name, result);
    else if (sameChange(result, other)) push.aliases.set(result, other);
    else {
      push.say(
        `error: refusing inconsistent update between symref '${ref}' (${change(result)}) and its target '${other.command.ref}' (${change(other)})\n`,
      );
      other.error = result.error = "inconsistent aliased update";
    }
  }
}

function sameChange(a: CommandResult, b: CommandResult): boolean {
  return a.command.oldId === b.command.oldId && a.command.newId === b.command.newId;
}

function change({ command }: CommandResult): string {
  return `${command.oldId.slice(0, 7)}..${command.newId.slice(0, 7)}`;
}
