import type { PacketReader, SidebandPacketBytes } from "@x/pktline";
import type { PackGate } from "./admission/pack-gate.ts";
import { ServiceError } from "./errors.ts";
import type { Hooks } from "./hooks.ts";
import type { Limits } from "./limits.ts";
import type { CallMetrics } from "./metrics.ts";
import type { Logger, Repository } from "./ports.ts";
import type { FsckPreset } from "./push/fsck-settings.ts";
import type { VerifyPush } from "./push-hooks.ts";
import type { RepositoryMemory } from "./repository-memory.ts";
import type { ServiceCall } from "./service.ts";
import type { ShownIds } from "./visible/shown-ids.ts";
import type { VisibleRefs } from "./visible/visibility.ts";

/**
 * How the client can be told at this moment that something went wrong: not yet (nothing was sent, the transport
 * words it), by an ERR packet, on band 3, or not any more (a bare pack is on its way).
 */
export type ErrorChannel =
  | { readonly kind: "transport" }
  | { readonly kind: "packet" }
  | { readonly kind: "sideband"; readonly maxPacketBytes: SidebandPacketBytes }
  | { readonly kind: "lost" };

/** What is known at the end of a call, for the log. */
export interface CallStats {
  bytesOut: number;
  refs?: number;
  objects?: number;
  commands?: number;
  rejected?: number;
  sessionId?: string;
  /** What the client calls its session. */
  clientSessionId?: string;
  /** Something that went wrong without ending the call. */
  reason?: string;
}

/** One call of a service, as its parts see it. */
export interface Session {
  readonly call: ServiceCall;
  readonly repository: Repository;
  readonly refs: VisibleRefs;
  readonly input: PacketReader;
  readonly limits: Limits;
  /** Lets so many packs and archives be made at a time. */
  readonly gate: PackGate;
  /** Lets so many pushed packs be taken in at a time. */
  readonly pushGate: PackGate;
  readonly metrics: CallMetrics;
  readonly fsck: FsckPreset;
  /** A push of fewer objects is stored one by one, unless the repository's config says otherwise. */
  readonly unpackLimit: number;
  readonly hooks: Hooks;
  readonly agent: string;
  /** What this session is called in announcements; `undefined` where session ids are not exchanged. */
  readonly sessionId: string | undefined;
  /** What pushers have to put into their certificates; `undefined` where none are asked for. */
  readonly certNonce: string | undefined;
  readonly verifyPush: VerifyPush | undefined;
  /** Unit: milliseconds since 1970. */
  readonly now: () => number;
  /** What is remembered of the repository from call to call. */
  readonly memory: RepositoryMemory;
  readonly logger: Logger | undefined;
  /** The call's own signal, or the consumer's having left. */
  readonly signal: AbortSignal;
  readonly stats: CallStats;
  /** Ids that this very connection was shown: it may want them even when a ref has moved on meanwhile. */
  readonly shown: ShownIds;
  channel: ErrorChannel;
}

/** The peer broke the protocol. */
export function protocolError(message: string): ServiceError {
  return new ServiceError("server-core/protocol", message);
}

/** The peer asked for what it cannot have. */
export function refused(message: string): ServiceError {
  return new ServiceError("server-core/refused", message);
}

/** A named limit was reached. */
export function limitExceeded(limit: keyof Limits, value: number): ServiceError {
  return new ServiceError("server-core/limit-exceeded", `the request exceeds ${limit} (${value})`);
}

/** The peer stopped in the middle of something. */
export function hungUp(): ServiceError {
  return protocolError("the remote end hung up unexpectedly");
}

/** A piece of the peer's own text, fit for a message. */
export function plain(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return short.replace(/[^\x20-\x7e]/g, "?");
}

/** {@link plain} in quotes. */
export function quote(text: string): string {
  return `'${plain(text)}'`;
}
