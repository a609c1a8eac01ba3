import { ObjectsError, type ReceiveLimits } from "@x/objects";
import { encodeLatin1 } from "@x/pktline";
import { enterGate } from "../admission/enter-gate.ts";
import { configBytes, configUnsigned } from "../config-value.ts";
import { ServiceError } from "../errors.ts";
import { plain, type Session } from "../session.ts";
import { storeCertificate } from "./certificate.ts";
import { connectivityOf } from "./connected.ts";
import { isToldByIndexPack, readFsckSettings } from "./fsck-settings.ts";
import type { Push } from "./push.ts";

/**
 * Opens the quarantine and takes the pack into it, and the certificate if there is one.
 * @param onPackIn called when the last of the pack has been read
 * @throws ServiceError `server-core/busy` before any of it was
 * @returns why that failed, fit for the `unpack` line; `undefined` when all is in
 */
export async function takeObjects(push: Push, onPackIn: () => void): Promise<string | undefined> {
  const { session, request } = push;
  if (!request.bringsPack && request.certificate === undefined) return undefined;
  if (request.bringsPack) push.place = await enterGate(session, session.pushGate);
  try {
    push.quarantine = await session.repository.objects.receive({ signal: session.signal });
  } catch (error) {
    return failure(session, error, "unable to start object transaction");
  }
  if (request.bringsPack) {
    try {
      await takePack(push, onPackIn);
    } catch (error) {
      if (isToldByIndexPack(error)) push.voice.say(encodeLatin1(`fatal: ${plain(error.message)}\n`));
      return failure(session, error, "index-pack abnormal exit");
    }
  }
  await storeCertificate(push);
  return undefined;
}

async function takePack(push: Push, onPackIn: () => void): Promise<void> {
  const { session, request, quarantine } = push;
  const say = (text: string) => push.voice.say(encodeLatin1(text));
  const started = performance.now();
  let lastChunk = started;
  const onChunk = () => {
    lastChunk = performance.now();
  };
  const receipt = await quarantine?.takePack(watched(session.input.rest(), onChunk, onPackIn), {
    limits: receiveLimits(session),
    fsck: readFsckSettings(session, say),
    unpackBelow: unpackLimit(session),
    onMessage: say,
    onProgress: request.capabilities.has("quiet") ? undefined : say,
    connects: connectivityOf(push),
    signal: session.signal,
  });
  if (receipt === undefined) return;
  push.connects = receipt.connects === true;
  session.stats.objects = receipt.objects;
  session.metrics.phase("receive", lastChunk - started);
  session.metrics.phase("index", performance.now() - lastChunk);
  session.metrics.packTaken(receipt);
  if (session.call.mode === "rpc" && receipt.trailingBytes > 0)
    throw new ObjectsError("objects/bad-pack", "garbage after the pack");
}

/** A pack at a time keeps a repository faster than loose objects do: it is not unpacked where nobody asked for it. */
function unpackLimit({ repository: { config }, unpackLimit: otherwise }: Session): number {
  return (
    configUnsigned(config, "receive.unpackLimit") ??
    configUnsigned(config, "transfer.unpackLimit") ??
    otherwise
  );
}

async function* watched(
  chunks: AsyncIterable<Uint8Array>,
  onChunk: () => void,
  onEnd: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of chunks) {
      onChunk();
      yield chunk;
    }
  } finally {
    onEnd();
  }
}

function failure(session: Session, error: unknown, general: string): string {
  if (session.signal.aborted || error instanceof ServiceError) throw error;
  session.stats.reason = `unpack: ${error instanceof Error ? error.message : String(error)}`;
  const fitForPeer =
    error instanceof ObjectsError &&
    (error.code === "objects/bad-pack" || error.code === "objects/limit-exceeded");
  if (fitForPeer) return error.message;
  if (isToldByIndexPack(error)) return general;
  session.logger?.error({ error }, "a pack could not be taken in");
  return general;
}

function receiveLimits(session: Session): ReceiveLimits {
  const limits = session.limits.receive;
  // Zero stands for no limit, as in git.
  const configured =
    configBytes(session.repository.config, "receive.maxInputSize") || Number.POSITIVE_INFINITY;
  const maxPackBytes = Math.min(limits.maxPackBytes ?? Number.POSITIVE_INFINITY, configured);
  const maxTreeDepth = configUnsigned(session.repository.config, "core.maxTreeDepth") ?? limits.maxTreeDepth;
  return {
    ...limits,
    ...(maxPackBytes === Number.POSITIVE_INFINITY ? {} : { maxPackBytes }),
    ...(maxTreeDepth === undefined ? {} : { maxTreeDepth }),
  };
}
