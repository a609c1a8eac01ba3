import type { ObjectId } from "@x/objects";
import { type CurrentRef, formatLooseRef, type RefEdit, type RefOutcome } from "@x/refs";
import type { LockFile } from "../disk/lock-file.ts";
import type { LooseState } from "./ref-files.ts";

/** One edit on its way through a transaction. */
export interface RefStep {
  readonly edit: RefEdit;
  lock?: LockFile;
  loose: LooseState;
  current: CurrentRef;
  outcome?: RefOutcome;
}

/** Whether there is something to write. */
export function isUpdate({ edit, current }: RefStep): boolean {
  if (edit.next === "delete") return false;
  return typeof current === "string" || current.id !== edit.next;
}

/** Whether there is something to take away. */
export function isDeletion({ edit, current }: RefStep): boolean {
  return edit.next === "delete" && current !== "absent";
}

/** What the loose file of the ref shall hold. */
export function contentOf({ next }: RefEdit): Uint8Array {
  return next === "delete" ? new Uint8Array() : formatLooseRef({ kind: "id", id: next });
}

/** What the reflog says. */
export function refChange({ edit, current }: RefStep): {
  from: ObjectId | undefined;
  to: ObjectId | undefined;
} {
  return {
    from: typeof current === "string" ? undefined : current.id,
    to: edit.next === "delete" ? undefined : edit.next,
  };
}
