import { isZeroId } from "@x/objects";
import type { RepositoryConfig } from "../ports.ts";
import type { ProcReceiveAnswer, PushCommand } from "../push-hooks.ts";
import { askHook, commandsOf, receivedContext } from "./hook-context.ts";
import type { Push } from "./push.ts";
import type { CommandResult } from "./report-status.ts";

/** One value of `receive.procReceiveRefs`: `[adm!:]prefix`. */
interface HandOver {
  readonly adds: boolean;
  readonly deletes: boolean;
  readonly modifies: boolean;
  readonly isNegative: boolean;
  readonly prefix: string;
}

/** @returns whether a command is for the proc-receive hook. Spec: git-config, `receive.procReceiveRefs`. */
function procReceiveRefs(config: RepositoryConfig): (command: PushCommand) => boolean {
  const rules = config.getAll("receive.procReceiveRefs").map(parseHandOver);
  return ({ ref, oldId, newId }) =>
    rules.some(({ adds, deletes, modifies, isNegative, prefix }) => {
      if (isZeroId(oldId) ? !adds : isZeroId(newId) ? !deletes : !modifies) return false;
      const isBelow = ref === prefix || ref.startsWith(`${prefix}/`);
      return isBelow !== isNegative;
    });
}

function parseHandOver(value: string): HandOver {
  const colon = value.indexOf(":");
  const letters = colon < 0 ? "adm" : value.slice(0, colon);
  return {
    adds: letters.includes("a"),
    deletes: letters.includes("d"),
    modifies: letters.includes("m"),
    isNegative: letters.includes("!"),
    prefix: value.slice(colon + 1).replace(/\/+$/, ""),
  };
}

/** Marks what the hook is to do. */
export function schedule(push: Push): void {
  const isForHook = procReceiveRefs(push.session.repository.config);
  for (const result of push.live) result.isForHook = isForHook(result.command);
}

/** Hands over what is for the hook, and takes its answers. Spec: githooks, "proc-receive". */
export async function runProcReceive(push: Push): Promise<void> {
  const scheduled = push.live.filter((result) => result.isForHook && !push.aliases.has(result));
  if (scheduled.length === 0) return;
  if (!(await handOver(push, scheduled))) return;
  const error = "fail to run proc-receive hook";
  for (const result of push.live)
    if (!result.isDone && (result.isForHook || push.atomic)) result.error = error;
}

/** @returns whether the hook failed, wholly or for a command */
async function handOver(push: Push, scheduled: readonly CommandResult[]): Promise<boolean> {
  const { procReceive } = push.hooks;
  const context = receivedContext(push, commandsOf(scheduled));
  let thrown = false;
  const answers = await askHook(
    push,
    "procReceive",
    async () =>
      procReceive?.(context).catch((error: unknown) => {
        thrown = true;
        throw error;
      }),
    undefined,
  );
  if (answers === undefined) {
    if (!thrown) push.say("error: cannot find hook 'proc-receive'\n");
    return true;
  }
  let failed = false;
  const known = new Map(push.results.map((result) => [result.command.ref, result]));
  for (const [ref, some] of answers) {
    const result = known.get(ref);
    if (result !== undefined && scheduled.includes(result)) {
      if (!takeAnswers(result, some)) failed = true;
      continue;
    }
    failed = true;
    const what = result === undefined ? "unknown" : "unexpected";
    push.say(`error: proc-receive reported status on ${what} ref: ${ref}\n`);
  }
  for (const result of scheduled) {
    if (!result.isForHook || result.isDone || result.error !== undefined) continue;
    result.error = "proc-receive failed to report status";
    failed = true;
  }
  return failed;
}

/** @returns whether the hook did what it was asked to */
function takeAnswers(result: CommandResult, answers: readonly ProcReceiveAnswer[]): boolean {
  for (const answer of answers) {
    if (answer.status === "refused") {
      result.error = answer.reason || "failed";
      return false;
    }
    if (answer.status === "fall-through") {
      result.isForHook = false;
      result.isDone = false;
      continue;
    }
    result.isDone = result.isForHook;
    const { ref, oldId, newId, forcedUpdate } = answer;
    if (ref ?? oldId ?? newId ?? forcedUpdate) result.reports.push({ ref, oldId, newId, forcedUpdate });
  }
  return true;
}
