import type { ObjectId } from "@x/objects";
import {
  lowerBound,
  type PackedRefs,
  parentRefNames,
  type RefEdit,
  type RefOutcome,
  type RefRejection,
} from "@x/refs";
import type { LooseState } from "./ref-files.ts";

/** What a ref holds while it is locked. `special`: a name, or nothing that can be read. */
export type CurrentRef = { readonly kind: "id"; readonly id: ObjectId } | "absent" | "special";

/** Loose beats packed. */
export function currentRef(name: string, loose: LooseState, packed: PackedRefs): CurrentRef {
  if (loose === "missing" || loose === "directory") {
    const target = packed.get(name)?.target;
    return target?.kind === "id" ? target : "absent";
  }
  return loose !== "broken" && loose.kind === "id" ? loose : "special";
}

/** Why an edit may not be made, going by the value that the ref holds. */
export function refusalByValue(edit: RefEdit, current: CurrentRef): RefRejection | undefined {
  if (edit.expected === "any") return undefined;
  if (edit.expected === "absent") return current === "absent" ? undefined : "exists";
  if (current === "absent") return "missing";
  return current !== "special" && current.id === edit.expected ? undefined : "stale";
}

/** Whether a packed ref stands where `name` would need a directory, or below it. */
export function conflictsWithPacked(name: string, packed: PackedRefs): boolean {
  if (parentRefNames(name).some((parent) => packed.has(parent))) return true;
  const below = lowerBound(packed, `${name}/`);
  return below < packed.length && packed.nameAt(below).startsWith(`${name}/`);
}

/**
 * The indexes of edits whose refs cannot exist beside those that earlier edits leave behind, and, when all have to
 * be made together, beside those that edits delete: C git refuses that too.
 */
export function conflictsAmong(edits: readonly RefEdit[], together: boolean): Set<number> {
  const conflicts = new Set<number>();
  const taken = new Set<string>();
  const above = new Set<string>();
  const take = (name: string) => {
    taken.add(name);
    for (const parent of parentRefNames(name)) above.add(parent);
  };
  if (together) for (const edit of edits) if (edit.next === "delete") take(edit.name);
  for (const [index, edit] of edits.entries()) {
    if (edit.next === "delete") continue;
    if (above.has(edit.name) || parentRefNames(edit.name).some((parent) => taken.has(parent)))
      conflicts.add(index);
    else take(edit.name);
  }
  return conflicts;
}

/** What receive-pack tells the pusher after `ng <ref>`. */
const MESSAGES: Readonly<Record<RefRejection, string>> = {
  stale: "incorrect old value provided",
  exists: "reference already exists",
  missing: "reference does not exist",
  "name-conflict": "refname conflict",
  locked: "failed to update ref",
  aborted: "atomic transaction failed",
};

/** The outcome of an edit that was not made. */
export function rejected(reason: RefRejection): RefOutcome {
  return { status: "rejected", reason, message: MESSAGES[reason] };
}
