import { encodePackets, flush } from "@x/pktline";
import { advertiseRefs } from "../announce/advertise.ts";
import { frameData, frameNothing, frameText, type Sideband } from "../band-writer.ts";
import { whileWorking } from "../keepalive.ts";
import type { PushCommand } from "../push-hooks.ts";
import type { Session } from "../session.ts";
import { applyRefs } from "./apply-refs.ts";
import { judgePush, refuseHidden } from "./judge-push.ts";
import { Push } from "./push.ts";
import { type PushRequest, readPushRequest } from "./receive-request.ts";
import { formatReport } from "./report-status.ts";
import { checkConnected, takePack } from "./take-pack.ts";

/** Push. Spec: gitprotocol-pack, "Pushing Data To a Server". */
export async function* receivePack(session: Session): AsyncGenerator<Uint8Array, void, undefined> {
  const { mode } = session.call;
  if (mode !== "rpc") yield* advertiseRefs(session);
  if (mode === "advertise") return;
  const request = await readPushRequest(session);
  if (request === undefined) return;

  const sideband: Sideband = request.capabilities.has("side-band-64k") ? 65520 : undefined;
  if (sideband !== undefined) session.channel = { kind: "sideband", maxPacketBytes: sideband };
  let packIsIn = false;
  const work = whileWorking(
    (say) =>
      run(session, request, say, () => {
        packIsIn = true;
      }),
    // While the pack comes in the client is busy itself.
    () => (packIsIn && sideband !== undefined ? session.limits.keepaliveMs : undefined),
  );
  let finished: FinishedPush | undefined;
  for await (const event of work) {
    if (event.kind === "result") finished = event.value;
    else if (sideband !== undefined)
      yield event.kind === "idle" ? frameNothing(sideband) : frameText(event.text, sideband);
  }
  if (finished === undefined) return;
  const { unpack, push } = finished;
  session.stats.commands = push.results.length;
  session.stats.rejected = push.results.length - push.live.length;
  if (request.capabilities.has("report-status") || request.capabilities.has("report-status-v2"))
    yield* frameData(formatReport(unpack, push.results), sideband);
  if (sideband !== undefined) yield encodePackets([flush]);
}

interface FinishedPush {
  /** `ok`, or why the pack could not be taken in. */
  readonly unpack: string;
  readonly push: Push;
}

/** The push itself, in C git's order. Never throws for what is the push's own fault. */
async function run(
  session: Session,
  request: PushRequest,
  say: (text: string) => void,
  onPackIn: () => void,
): Promise<FinishedPush> {
  const push = new Push(session, request, say);
  try {
    const failure = request.bringsPack ? await takePack(push) : undefined;
    onPackIn();
    if (failure !== undefined) {
      push.failLive("unpacker error");
      return { unpack: failure, push };
    }
    await checkConnected(push);
    refuseHidden(push);
    await runPreReceive(push);
    const plan = await judgePush(push);
    push.settleAtomic();
    await carryOut(
      push,
      plan.filter(({ result }) => result.error === undefined),
    );
    push.settleAliases();
    return { unpack: "ok", push };
  } finally {
    await push.quarantine?.discard();
  }
}

async function carryOut(push: Push, plan: Parameters<typeof applyRefs>[1]): Promise<void> {
  // From here on the push is carried through, whether the client is still there or not.
  push.session.signal.throwIfAborted();
  if (plan.length === 0) return;
  try {
    await push.quarantine?.publish();
  } catch (error) {
    push.session.stats.reason = `publish: ${error instanceof Error ? error.message : String(error)}`;
    push.session.logger?.error({ error }, "pushed objects could not be kept");
    push.failLive("unable to migrate objects to permanent storage");
    return;
  }
  await applyRefs(push, plan);
}

async function runPreReceive(push: Push): Promise<void> {
  const { session } = push;
  const { preReceive } = session.hooks;
  const live = push.live;
  if (preReceive === undefined || live.length === 0) return;
  const commands: PushCommand[] = live.map(({ command }) => command);
  const { call, repository, signal } = session;
  let refusals: string | ReadonlyMap<string, string> | undefined;
  try {
    refusals = await preReceive({
      call,
      repository,
      commands,
      allCommands: push.request.commands,
      atomic: push.atomic,
      pushOptions: undefined,
      certificate: undefined,
      objects: push.objects,
      received: () => push.quarantine?.received?.({ signal }) ?? nothing(),
      environment: push.quarantine?.environment ?? new Map(),
      signal,
      progress: push.say,
    });
  } catch (error) {
    signal.throwIfAborted();
    session.logger?.warn({ error }, "a pre-receive hook failed");
    refusals = "pre-receive hook declined";
  }
  if (refusals === undefined) return;
  for (const result of live)
    result.error = typeof refusals === "string" ? refusals : refusals.get(result.command.ref);
}

async function* nothing(): AsyncGenerator<never, void, undefined> {}
