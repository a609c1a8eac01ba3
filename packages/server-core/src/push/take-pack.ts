import { ObjectsError, type ReceiveLimits } from "@x/objects";
import { configBytes } from "../config-value.ts";
import { ServiceError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { Push } from "./push.ts";

/**
 * Opens the quarantine and takes the pack into it.
 * @returns why that failed, fit for the `unpack` line; `undefined` when all is in
 */
export async function takePack(push: Push): Promise<string | undefined> {
  const { session } = push;
  const quiet = push.request.capabilities.has("quiet");
  try {
    push.quarantine = await session.repository.objects.receive({ signal: session.signal });
    const receipt = await push.quarantine.takePack(session.input.rest(), {
      limits: receiveLimits(session),
      onProgress: quiet ? undefined : push.say,
      signal: session.signal,
    });
    session.stats.objects = receipt.objects;
    if (session.call.mode === "rpc" && receipt.trailingBytes > 0)
      throw new ObjectsError("objects/bad-pack", "garbage after the pack");
    return undefined;
  } catch (error) {
    if (session.signal.aborted || error instanceof ServiceError) throw error;
    session.stats.reason = `unpack: ${reasonOf(error)}`;
    const fitForPeer =
      error instanceof ObjectsError &&
      (error.code === "objects/bad-pack" || error.code === "objects/limit-exceeded");
    if (fitForPeer) return error.message;
    session.logger?.error({ error }, "a pack could not be taken in");
    return "index-pack abnormal exit";
  }
}

function receiveLimits(session: Session): ReceiveLimits {
  const limits = session.limits.receive;
  // Zero stands for no limit, as in git.
  const configured =
    configBytes(session.repository.config, "receive.maxInputSize") || Number.POSITIVE_INFINITY;
  const maxPackBytes = Math.min(limits.maxPackBytes ?? Number.POSITIVE_INFINITY, configured);
  return maxPackBytes === Number.POSITIVE_INFINITY ? limits : { ...limits, maxPackBytes };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Fails the commands whose new objects do not connect to what refs reach. */
export async function checkConnected(push: Push): Promise<void> {
  const { session, quarantine } = push;
  const updates = push.liveUpdates;
  if (quarantine === undefined || updates.length === 0) return;
  const tips = new Set(updates.map(({ command }) => command.newId));
  const known = await session.refs.tips(session.signal, { haves: true });
  const missing = new Set(await quarantine.unconnected([...tips], [...known], { signal: session.signal }));
  const error = push.request.shallow.length > 0 ? "shallow update not allowed" : "missing necessary objects";
  for (const result of updates) if (missing.has(result.command.newId)) result.error = error;
}
