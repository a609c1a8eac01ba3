import type { ObjectFormat, ObjectId } from "@x/objects";
import type { RefEdit, RefOutcome, RefStore } from "@x/refs";

/** Ids of no objects: a ref store does not look. */
export function idsOf(format: ObjectFormat): readonly [ObjectId, ObjectId, ObjectId] {
  const id = (digit: string) => digit.repeat(format === "sha1" ? 40 : 64) as ObjectId;
  return [id("a"), id("b"), id("c")];
}

export const create = (name: string, next: ObjectId): RefEdit => ({ name, expected: "absent", next });
export const update = (name: string, expected: RefEdit["expected"], next: ObjectId): RefEdit => ({
  name,
  expected,
  next,
});
export const remove = (name: string, expected: RefEdit["expected"] = "any"): RefEdit => ({
  name,
  expected,
  next: "delete",
});

export const apart = { atomic: false } as const;
export const together = { atomic: true } as const;

/** `ok`, or why not, for each. */
export function reasons(outcomes: readonly RefOutcome[]): string[] {
  return outcomes.map((outcome) => (outcome.status === "ok" ? "ok" : outcome.reason));
}

/** Names and what they hold, as they are listed. */
export async function listed(
  refs: RefStore,
  prefixes?: readonly string[],
): Promise<(readonly [name: string, target: string])[]> {
  const all: (readonly [string, string])[] = [];
  for await (const batch of refs.list(prefixes === undefined ? {} : { prefixes }))
    for (const { name, target } of batch)
      all.push([name, target.kind === "id" ? target.id : `ref: ${target.name}`]);
  return all;
}
