import { isZeroId } from "@x/objects";
import { type RefEdit, type ReflogEntry, type RefOutcome, type RefRejection, RefsError } from "@x/refs";
import type { Peer } from "../service.ts";
import type { PlannedEdit } from "./judge-push.ts";
import { isDelete, type Push } from "./push.ts";

const WORDS: Readonly<Record<RefRejection, string>> = {
  stale: "incorrect old value provided",
  exists: "reference already exists",
  missing: "reference does not exist",
  "name-conflict": "refname conflict",
  locked: "failed to update ref",
  aborted: "atomic transaction failed",
};

/** Changes the refs by compare-and-swap. What was not as the client believed is never reported as done. */
export async function applyRefs(push: Push, plan: readonly PlannedEdit[]): Promise<void> {
  const { session } = push;
  const edits = plan.map(
    ({ result: { command }, target }): RefEdit => ({
      name: session.refs.fullName(target),
      expected: isZeroId(command.oldId) ? "absent" : command.oldId,
      next: isDelete(command) ? "delete" : command.newId,
    }),
  );
  let outcomes: readonly RefOutcome[];
  try {
    outcomes = await session.repository.refs.transact(edits, {
      atomic: push.atomic,
      reflog: reflogEntry(session.call.peer),
    });
  } catch (error) {
    session.stats.reason = `refs: ${error instanceof Error ? error.message : String(error)}`;
    session.logger?.error({ error }, "refs could not be changed");
    if (error instanceof RefsError) push.say(`error: ${error.message}\n`);
    push.failLive(push.atomic ? "atomic transaction failed" : "failed to update ref");
    return;
  }
  const anyRejected = outcomes.some(({ status }) => status === "rejected");
  for (const [i, { result }] of plan.entries()) {
    const outcome = outcomes[i];
    if (outcome?.status === "ok") continue;
    if (outcome !== undefined) push.say(`error: ${result.command.ref}: ${WORDS[outcome.reason]}\n`);
    result.error = push.atomic ? WORDS.aborted : WORDS[outcome?.reason ?? "locked"];
  }
  if (push.atomic && anyRejected) push.failLive(WORDS.aborted);
}

function reflogEntry(peer: Peer): ReflogEntry {
  const clean = (text: string) => text.replace(/[<>\p{Cc}]/gu, "") || "unknown";
  const name = clean(peer.user ?? "anonymous");
  return { committer: `${name} <${name}@${clean(peer.address ?? "localhost")}>`, message: "push" };
}
