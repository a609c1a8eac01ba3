import type { ObjectId } from "@x/objects";
import type { RefEdit, RefTarget, StagedRefChange } from "../ref-store.ts";

/** What those who are told of phases are shown of an edit. */
export function stagedChange({ name, expected, next }: RefEdit): StagedRefChange {
  return { name, from: expected === "any" ? undefined : targetOf(expected), to: targetOf(next) };
}

function targetOf(id: ObjectId | "absent" | "delete"): RefTarget | "absent" {
  return id === "absent" || id === "delete" ? "absent" : { kind: "id", id };
}
