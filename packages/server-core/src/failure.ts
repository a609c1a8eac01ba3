import { ObjectsError } from "@x/objects";
import { encodePackets, encodeSideband, PktLineError, SIDEBAND_ERROR } from "@x/pktline";
import { ServiceError } from "./errors.ts";
import type { ErrorChannel } from "./session.ts";

/** What a peer is told of faults that are ours: nothing of our insides. */
const INTERNAL = "internal server error";

/** Any error as one of ours, with a message fit for the peer; the error itself is its cause. */
export function toServiceError(cause: unknown, signal: AbortSignal): ServiceError {
  if (cause instanceof ServiceError && cause.code === "server-core/internal") return cause;
  if (signal.aborted) return new ServiceError("server-core/aborted", "the call was called off", { cause });
  if (cause instanceof ServiceError) return cause;
  if (cause instanceof PktLineError)
    return new ServiceError("server-core/protocol", `protocol error: ${cause.message}`, { cause });
  if (cause instanceof ObjectsError) {
    if (cause.code === "objects/limit-exceeded")
      return new ServiceError("server-core/limit-exceeded", cause.message, { cause });
    if (cause.code === "objects/nothing-selected" || cause.code === "objects/bad-pack")
      return new ServiceError("server-core/refused", cause.message, { cause });
  }
  return new ServiceError("server-core/internal", INTERNAL, { cause });
}

const utf8 = new TextEncoder();
// Longer than any message of ours; a packet of 1000 bytes holds it.
const MAX_WORDS_BYTES = 900;

/** Tells the peer why it ends, in the way that it can hear now; `undefined` when there is none. */
export function lastWords(error: ServiceError, channel: ErrorChannel): Uint8Array | undefined {
  if (error.code === "server-core/aborted") return undefined;
  const text = error.message.replace(/\p{Cc}+/gu, " ");
  if (channel.kind === "packet")
    return encodePackets([utf8.encode(`ERR ${text}`).subarray(0, MAX_WORDS_BYTES)]);
  if (channel.kind === "sideband")
    return encodeSideband(
      SIDEBAND_ERROR,
      utf8.encode(`${text}\n`).subarray(0, MAX_WORDS_BYTES),
      channel.maxPacketBytes,
    );
  return undefined;
}
