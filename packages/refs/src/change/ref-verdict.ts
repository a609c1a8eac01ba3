import type { ObjectId } from "@x/objects";
import { parentRefNames } from "../ref-name.ts";
import type { RefEdit, RefOutcome, RefRejection } from "../ref-store.ts";

/** What a ref holds while it is locked. `special`: a name, or nothing that can be read. */
export type CurrentRef = { readonly kind: "id"; readonly id: ObjectId } | "absent" | "special";

/** Why an edit may not be made, going by the value that the ref holds. */
export function refusalByValue(edit: RefEdit, current: CurrentRef): RefRejection | undefined {
  if (edit.expected === "any") return undefined;
  if (edit.expected === "absent") return current === "absent" ? undefined : "exists";
  if (current === "absent") return "missing";
  return current !== "special" && current.id === edit.expected ? undefined : "stale";
}

/**
 * The indexes of edits whose refs cannot exist beside those that earlier edits leave behind, and, when all have to
 * be made together, beside those that edits delete: C git refuses that too.
 */
export function conflictsAmong(edits: readonly RefEdit[], together: boolean): Map<number, RefOutcome> {
  const conflicts = new Map<number, RefOutcome>();
  const taken = new Set<string>();
  const above = new Map<string, string>();
  const deleted = new Set<string>();
  const take = (name: string) => {
    taken.add(name);
    for (const parent of parentRefNames(name)) above.set(parent, name);
  };
  if (together)
    for (const { name, next } of edits) {
      if (next !== "delete") continue;
      take(name);
      deleted.add(name);
    }
  for (const [index, { name, next }] of edits.entries()) {
    if (next === "delete") continue;
    const other = above.get(name) ?? parentRefNames(name).find((parent) => taken.has(parent));
    if (other === undefined) take(name);
    else if (deleted.has(other)) conflicts.set(index, conflicting(name, other));
    else
      conflicts.set(index, {
        ...rejected("name-conflict"),
        message: `cannot process '${name}' and '${other}' at the same time`,
        conflict: other,
      });
  }
  return conflicts;
}

/** The outcome of an edit whose ref does not hold what it should. */
export function rejectedByValue(
  { name, expected }: RefEdit,
  reason: RefRejection,
  current: CurrentRef,
): RejectedRef {
  const say = (what: string): RejectedRef => ({
    ...rejected(reason),
    message: `cannot lock ref '${name}': ${what}`,
  });
  if (reason === "exists") return say("reference already exists");
  if (reason === "missing") return say(`unable to resolve reference '${name}'`);
  if (reason !== "stale" || typeof current === "string") return rejected(reason);
  return say(`is at ${current.id} but expected ${expected}`);
}

/** The outcome of an edit whose ref cannot be where `other` is. */
export function conflicting(name: string, other: string | undefined): RejectedRef {
  if (other === undefined) return rejected("name-conflict");
  return {
    ...rejected("name-conflict"),
    message: `'${other}' exists; cannot create '${name}'`,
    conflict: other,
  };
}

/** The outcome of an edit that was not made. */
export type RejectedRef = Extract<RefOutcome, { readonly status: "rejected" }>;

/** What receive-pack tells the pusher after `ng <ref>`. */
const MESSAGES: Readonly<Record<RefRejection, string>> = {
  stale: "incorrect old value provided",
  exists: "reference already exists",
  missing: "reference does not exist",
  "name-conflict": "refname conflict",
  locked: "failed to update ref",
  aborted: "atomic transaction failed",
};

/** The outcome of an edit that was not made, in the usual words. */
export function rejected(reason: RefRejection): RejectedRef {
  return { status: "rejected", reason, message: MESSAGES[reason] };
}
