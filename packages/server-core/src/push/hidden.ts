import { isDelete, type Push } from "./push.ts";
import type { CommandResult } from "./report-status.ts";

/** Fails what would change a ref that the pusher cannot see. Whether there is one does not matter. */
export function refuseAllHidden(push: Push): void {
  for (const result of push.live) refuseHidden(push, result, result.command.ref);
}

/** @param name the ref that would change @returns whether it is hidden, then the command has failed */
export function refuseHidden(push: Push, result: CommandResult, name: string): boolean {
  if (push.session.refs.isVisible(name)) return false;
  result.error = `deny ${isDelete(result.command) ? "deleting" : "updating"} a hidden ref`;
  return true;
}
