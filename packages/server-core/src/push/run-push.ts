import { timed } from "../metrics.ts";
import { findAliases } from "./aliases.ts";
import { findAttendance } from "./attendance.ts";
import { carryOut } from "./carry-out.ts";
import { examineCertificate, hasSignedOptions } from "./certificate.ts";
import { checkConnected } from "./connected.ts";
import { refuseAllHidden } from "./hidden.ts";
import { askHook, commandsOf, pushContext, receivedContext, refuse } from "./hook-context.ts";
import { judgeAll, type Verdict } from "./judge.ts";
import { keepObjects } from "./keep-objects.ts";
import { runProcReceive, schedule } from "./proc-receive.ts";
import type { Push } from "./push.ts";
import type { CommandResult } from "./report-status.ts";
import { takeObjects } from "./take-pack.ts";

/** What a hook that throws has refused with. */
const PRE_RECEIVE_DECLINED = "pre-receive hook declined";

/**
 * The push itself up to its report, in C git's order. Never throws for what is the push's own fault.
 * @returns `ok`, or why its objects could not be taken in
 */
export async function runPush(push: Push, onPackIn: () => void): Promise<string> {
  const { session, request } = push;
  if (!hasSignedOptions(push)) push.failLive("inconsistent push options");
  if (request.certificate !== undefined)
    push.certificate = await examineCertificate(session, request.certificate);
  if (await refusesBeforehand(push)) return "ok";
  const { metrics } = session;
  let failure = await takeObjects(push, onPackIn);
  onPackIn();
  failure ??= await timed(metrics, "connectivity", () => checkConnected(push));
  // What follows waits for hooks and disks.
  push.place?.leave();
  if (failure !== undefined) {
    for (const result of push.results) result.error = "unpacker error";
    return failure;
  }
  refuseAllHidden(push);
  schedule(push);
  push.settleAtomic();
  await findAttendance(push);
  await runPreReceive(push);
  push.settleAtomic();
  if (push.live.length > 0) await changeRefs(push);
  push.settleAliases();
  return "ok";
}

/** Lets a hook decide on the commands alone. @returns whether nothing is left: then the pack is not read */
async function refusesBeforehand(push: Push): Promise<boolean> {
  const { prePush } = push.session.hooks;
  const live = push.live;
  if (prePush === undefined || live.length === 0) return false;
  const context = pushContext(push, commandsOf(live));
  refuse(live, await askHook(push, "prePush", () => prePush(context), PRE_RECEIVE_DECLINED));
  push.settleAtomic();
  return push.live.length === 0;
}

/** As in C git, even when nothing is left that could be refused. */
async function runPreReceive(push: Push): Promise<void> {
  const { preReceive } = push.hooks;
  if (preReceive === undefined) return;
  const live = push.live;
  // What it can be asked for stays unasked.
  const context = Object.assign(receivedContext(push, commandsOf(live)), {
    allCommands: push.request.commands,
  });
  refuse(live, await askHook(push, "preReceive", () => preReceive(context), PRE_RECEIVE_DECLINED));
}

async function changeRefs(push: Push): Promise<void> {
  const { session } = push;
  const symbolic = await session.refs.symbolic(push.live.map(({ command }) => command.ref));
  const verdicts = await judgeAll(push, symbolic);
  // From here on the push is carried through, whether the client is still there or not.
  session.signal.throwIfAborted();
  const refused = push.live.filter((result) => verdicts.get(result)?.error !== undefined);
  const isLost =
    push.live.every(({ isForHook }) => !isForHook) &&
    (isAnyRepeated(push) || (push.atomic ? refused.length > 0 : refused.length === push.live.length));
  // What is refused in any case needs no objects.
  if (!isLost && !(await publish(push, verdicts))) return;
  findAliases(push, symbolic);
  push.settleAtomic();
  await runProcReceive(push);
  await carryOut(push, verdicts);
  if (push.settled !== undefined) await keepObjects(push, () => push.settled);
}

/** Then nothing is created or changed at all. */
function isAnyRepeated(push: Push): boolean {
  return new Set(push.live.map(({ command }) => command.ref)).size < push.live.length;
}

function publish(push: Push, verdicts: ReadonlyMap<CommandResult, Verdict>): Promise<boolean> {
  // Where nothing but refs changes, these are prepared while the disk takes the objects in.
  const changesOnlyRefs =
    push.shallowRoots.size === 0 &&
    push.live.every((result) => !result.isForHook && verdicts.get(result)?.workTree === undefined);
  return keepObjects(push, () =>
    timed(push.session.metrics, "publish", async () => {
      const { quarantine } = push;
      if (changesOnlyRefs && quarantine?.publishAhead !== undefined)
        push.settled = (await quarantine.publishAhead()).settled;
      else await quarantine?.publish();
      push.isPublished = true;
    }),
  );
}
