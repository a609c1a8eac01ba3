import type { ObjectId } from "@x/objects";
import { decodeLatin1 } from "@x/pktline";
import {
  type RefChangePhase,
  type ReflogEntry,
  type RefOutcome,
  type RefRejection,
  RefsError,
  type StagedRefChange,
} from "@x/refs";
import { timed } from "../metrics.ts";
import type { ServiceCall } from "../service.ts";
import type { PlannedEdit } from "./carry-out.ts";
import { commandsOf, pushContext } from "./hook-context.ts";
import { keepObjects } from "./keep-objects.ts";
import type { Push } from "./push.ts";

const utf8 = new TextEncoder();

const WORDS: Readonly<Record<RefRejection, string>> = {
  stale: "incorrect old value provided",
  exists: "reference already exists",
  missing: "reference does not exist",
  "name-conflict": "refname conflict",
  locked: "failed to update ref",
  aborted: "atomic transaction failed",
};

/** Changes refs by compare-and-swap. What was not as the client believed is never reported as done. */
export async function applyEdits(push: Push, plan: readonly PlannedEdit[]): Promise<void> {
  const { session } = push;
  const general = push.atomic ? WORDS.aborted : "failed to update refs";
  const twice = repeated(plan);
  if (twice !== undefined) {
    push.say(`error: multiple updates for ref '${twice}' not allowed\n`);
    return push.failLive(general);
  }
  if (plan.length === 0) return;
  const phases = watchPhases(push);
  let outcomes: readonly RefOutcome[];
  try {
    outcomes = await timed(session.metrics, "refs", () =>
      session.repository.refs.transact(
        plan.map(({ edit }) => edit),
        { atomic: push.atomic, reflog: reflogEntry(session.call), onPhase: phases.onPhase },
      ),
    );
  } catch (error) {
    if (phases.isLost) return;
    if (phases.gone.size > 0) {
      const rest = plan.filter((planned) => !isGone(push, planned, phases.gone));
      return push.atomic ? failAll(push) : applyEdits(push, rest);
    }
    if (phases.declined !== undefined) {
      push.say(`error: in '${phases.declined}' phase, update aborted by the reference-transaction hook\n`);
    } else {
      session.stats.reason = `refs: ${error instanceof Error ? error.message : String(error)}`;
      session.logger?.error({ error }, "refs could not be changed");
      if (error instanceof RefsError) push.say(`error: ${error.message}\n`);
    }
    return push.failLive(general);
  }
  for (const [i, { result }] of plan.entries()) {
    const outcome = outcomes[i];
    if (outcome?.status === "ok") {
      result.isDone = true;
      continue;
    }
    const word = WORDS[outcome?.reason ?? "locked"];
    if (outcome !== undefined && outcome.reason !== "aborted") {
      const { ref } = result.command;
      const isTelling = outcome.message.includes(ref) && mayKnow(push, outcome.conflict);
      push.say(`error: ${isTelling ? outcome.message : `${ref}: ${word}`}\n`);
    }
    result.error = push.atomic ? WORDS.aborted : word;
  }
  if (push.atomic && plan.some(({ result }) => result.error !== undefined)) failAll(push);
}

/** Whether the pusher may be told that there is a ref of this full name. */
function mayKnow({ session: { refs } }: Push, name: string | undefined): boolean {
  if (name === undefined) return true;
  const prefix = refs.fullName("");
  return name.startsWith(prefix) && refs.isVisible(name.slice(prefix.length));
}

function failAll(push: Push): void {
  for (const result of push.results) if (!result.isDone) result.error ??= WORDS.aborted;
}

function repeated(plan: readonly PlannedEdit[]): string | undefined {
  const seen = new Set<string>();
  for (const { edit } of plan) {
    if (seen.has(edit.name)) return edit.name;
    seen.add(edit.name);
  }
  return undefined;
}

interface PhaseWatch {
  /** The phase in which a hook declined. */
  declined?: RefChangePhase;
  /** New values that are not there any more. */
  gone: ReadonlySet<ObjectId>;
  /** What was pushed could not be kept; all have failed by that. */
  isLost: boolean;
  onPhase(phase: RefChangePhase, changes: readonly StagedRefChange[]): Promise<void>;
}

/**
 * Tells the reference-transaction hook of each phase. Then, when all is locked, looks for the new values once more: what
 * was stored before the push may have been pruned while hooks ran.
 */
function watchPhases(push: Push): PhaseWatch {
  const { session } = push;
  const { referenceTransaction } = push.hooks;
  const context = pushContext(push, commandsOf(push.ownLive));
  const watch: PhaseWatch = {
    gone: new Set(),
    isLost: false,
    async onPhase(phase, changes) {
      if (phase === "prepared" && push.settled !== undefined) {
        watch.isLost = !(await keepObjects(push, () => push.settled));
        if (watch.isLost) throw new Error("pushed objects could not be kept");
      }
      try {
        await referenceTransaction?.(context, phase, changes);
      } catch (error) {
        session.logger?.warn({ error, hook: "referenceTransaction", phase }, "a hook failed");
        if (phase !== "preparing" && phase !== "prepared") return;
        watch.declined = phase;
        throw error;
      }
      if (phase !== "prepared") return;
      const ids = newIds(changes);
      if (ids.length === 0) return;
      const found = await session.repository.objects.has(ids);
      watch.gone = new Set(ids.filter((_, i) => found[i] !== true));
      if (watch.gone.size > 0) throw new Error("an object that a ref shall hold is gone");
    },
  };
  return watch;
}

function newIds(changes: readonly StagedRefChange[]): ObjectId[] {
  const ids = changes.flatMap(({ to }) => (to !== "absent" && to.kind === "id" ? [to.id] : []));
  return [...new Set(ids)];
}

/** Whether the new value of an edit is among `gone`; the edit has failed then. */
function isGone(push: Push, { edit, result }: PlannedEdit, gone: ReadonlySet<ObjectId>): boolean {
  if (edit.next === "delete" || !gone.has(edit.next)) return false;
  push.say(`error: trying to write ref '${result.command.ref}' with nonexistent object ${edit.next}\n`);
  result.error = "missing necessary objects";
  return true;
}

function reflogEntry({ peer, transport }: ServiceCall): ReflogEntry {
  const entry = (committer: string) => ({ committer: decodeLatin1(utf8.encode(committer)), message: "push" });
  if (peer.committer !== undefined) return entry(peer.committer);
  const clean = (text: string) => text.replace(/[<>\p{Cc}]/gu, "") || "unknown";
  const name = clean(peer.user ?? "anonymous");
  const host = clean(peer.address ?? "localhost");
  return entry(`${name} <${name}@${/^https?$/.test(transport) ? "http." : ""}${host}>`);
}
