import type { RefEdit, RefOutcome } from "@x/refs";
import type { Intent } from "../journal/journal.ts";
import { parseRefIntent } from "./ref-intent.ts";
import { RefTransaction, type RefTransactionContext } from "./ref-transaction.ts";
import { currentRef } from "./ref-verdict.ts";

/**
 * Clears up after processes that died while they changed refs: removes their locks, and finishes what was to be done
 * together if a part of it is done already; otherwise it never happened. Where this process may not write, all stays.
 */
export async function recoverRefs(context: RefTransactionContext): Promise<void> {
  for (const intent of await context.journal.takeOver()) {
    try {
      if (await isSettled(context, intent)) await intent.drop();
      else await intent.abandon();
    } catch (error) {
      await intent.abandon().catch(() => {});
      throw error;
    }
  }
}

async function isSettled(context: RefTransactionContext, { text }: Intent): Promise<boolean> {
  const intent = parseRefIntent(text, context.format);
  if (intent === undefined) return true;
  const { edits, reflog } = intent;
  const made = await Promise.all(edits.map((edit) => isMade(context, edit)));
  if (!made.includes(true)) return true;
  const left = edits.filter((_, i) => made[i] !== true);
  context.warn(`finishing a push of ${edits.length} refs that was interrupted`);
  const outcomes: RefOutcome[] = [];
  for (const deleting of [true, false]) {
    const round = left.filter(({ next }) => (next === "delete") === deleting);
    if (round.length > 0)
      outcomes.push(...(await new RefTransaction(context, round, { atomic: false, reflog }).run()));
  }
  // What somebody else has changed since is theirs.
  return !outcomes.some((outcome) => outcome.status === "rejected" && outcome.reason === "locked");
}

async function isMade({ files, packed }: RefTransactionContext, edit: RefEdit): Promise<boolean> {
  const loose = await files.read(edit.name);
  const current = currentRef(edit.name, loose, await packed.read());
  if (edit.next === "delete") return current === "absent";
  return typeof current === "object" && current.id === edit.next;
}
