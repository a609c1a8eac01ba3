import { RefsError } from "../errors.ts";
import type { RefEdit, RefOutcome, TransactOptions } from "../ref-store.ts";
import { isStorableRefName } from "../worktree-ref.ts";

/** Makes edits that share nothing in two rounds, deletions before the rest, and those of an atomic transaction in one. */
export async function inRounds(
  edits: readonly RefEdit[],
  { atomic }: TransactOptions,
  run: (round: readonly RefEdit[]) => Promise<readonly RefOutcome[]>,
): Promise<readonly RefOutcome[]> {
  if (atomic) return run(edits);
  const outcomes = new Array<RefOutcome>(edits.length);
  for (const deleting of [true, false]) {
    const indexes = [...edits.keys()].filter((index) => (edits[index]?.next === "delete") === deleting);
    if (indexes.length === 0) continue;
    const results = await run(indexes.map((index) => edits[index] as RefEdit));
    for (const [at, index] of indexes.entries()) outcomes[index] = results[at] as RefOutcome;
  }
  return outcomes;
}

/** @throws RefsError `refs/bad-name` for names that cannot be changed, and for two edits of one */
export function checkEdits(edits: readonly RefEdit[]): void {
  const seen = new Set<string>();
  for (const { name, next } of edits) {
    // Without HEAD a directory is no repository any more.
    const fits = name === "HEAD" ? next !== "delete" : name.startsWith("refs/") && isStorableRefName(name);
    if (!fits) throw new RefsError("refs/bad-name", `not a ref that can be changed: ${name.slice(0, 256)}`);
    if (seen.has(name)) throw new RefsError("refs/bad-name", `two edits of one ref: ${name.slice(0, 256)}`);
    seen.add(name);
  }
}
