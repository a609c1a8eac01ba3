import { encodePackets, flush } from "@x/pktline";
import { advertiseRefs } from "../announce/advertise.ts";
import { frameData, frameMessage, frameNothing, type Sideband } from "../band-writer.ts";
import { configKeepaliveMs } from "../config-value.ts";
import { type Voice, whileWorking } from "../keepalive.ts";
import type { PushResult } from "../push-hooks.ts";
import type { Session } from "../session.ts";
import { discardRest } from "./discard.ts";
import { runPostHooks, tellPushOver } from "./post-hooks.ts";
import { MUTE, Push } from "./push.ts";
import { type PushRequest, readPushRequest } from "./receive-request.ts";
import { formatReport } from "./report-status.ts";
import { runPush } from "./run-push.ts";

/** Push. Spec: gitprotocol-pack, "Pushing Data To a Server". */
export async function* receivePack(session: Session): AsyncGenerator<Uint8Array, void, undefined> {
  const { mode } = session.call;
  if (mode !== "rpc") yield* advertiseRefs(session);
  if (mode === "advertise") return;
  const request = await readPushRequest(session);
  if (request !== undefined) yield* answer(session, request);
}

async function* answer(session: Session, request: PushRequest): AsyncGenerator<Uint8Array, void, undefined> {
  const sideband: Sideband = request.capabilities.has("side-band-64k") ? 65520 : undefined;
  const keepaliveMs = configKeepaliveMs(
    session.repository.config,
    "receive.keepAlive",
    session.limits.keepaliveMs,
  );
  const push = new Push(session, request);
  const started = performance.now();
  let outcome: PushResult["outcome"] = "failed";
  let unpack = "ok";
  // While the pack comes in the client is busy itself.
  let isListening = false;
  let hooksTold = false;
  const work = (task: () => Promise<void>) => {
    const speak = (voice: Voice) => {
      push.voice = voice;
      return task();
    };
    return withVoice(session, sideband, () => (isListening ? keepaliveMs : undefined), speak);
  };
  try {
    yield* work(async () => {
      try {
        unpack = await runPush(push, () => {
          isListening = true;
          push.voice.say(new Uint8Array(0));
        });
      } finally {
        push.place?.leave();
        await push.quarantine?.discard();
      }
    });
    const { results } = push;
    session.stats.commands = results.length;
    session.stats.rejected = results.filter(({ error }) => error !== undefined).length;
    const version = request.capabilities.has("report-status-v2") ? 2 : 1;
    if (version === 2 || request.capabilities.has("report-status"))
      yield* frameData(formatReport(unpack, results, version), sideband);
    yield* work(() => {
      hooksTold = true;
      return runPostHooks(push);
    });
    outcome = "ok";
  } finally {
    // A ref that has changed is told of, though its pusher has left meanwhile.
    push.voice = MUTE;
    if (!hooksTold) await runPostHooks(push);
    if (outcome !== "ok" && session.signal.aborted) outcome = "left";
    await tellPushOver(push, outcome, Math.round(performance.now() - started));
  }
  if (sideband !== undefined) yield encodePackets([flush]);
  if (request.bringsPack) await discardRest(session);
}

async function* withVoice(
  { call }: Session,
  sideband: Sideband,
  idleMs: () => number | undefined,
  task: (voice: Voice) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const event of whileWorking(task, sideband === undefined ? () => undefined : idleMs)) {
    if (sideband === undefined) {
      if (event.kind === "text") call.aside?.(event.bytes);
    } else if (event.kind === "idle") yield frameNothing(sideband);
    else if (event.kind === "text") yield* frameMessage(event.bytes, sideband);
  }
}
