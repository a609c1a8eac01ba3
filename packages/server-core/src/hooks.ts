import type { ObjectFilter, ObjectId } from "@x/objects";
import type { ServiceError } from "./errors.ts";
import type { Repository } from "./ports.ts";
import type { PushHooks } from "./push-hooks.ts";
import type { ServiceCall } from "./service.ts";

/** An object that a client wants to be sent, with all it reaches. */
export interface FetchWant {
  readonly id: ObjectId;
  /** The refs that hold it, HEAD among them, as far as the client may see them; empty for any other object. */
  readonly refs: readonly string[];
}

/** How much of its history a client wants. Spec: gitprotocol-pack, "Packfile Negotiation". */
export interface FetchDepth {
  /** Where the client's history ends today. */
  readonly shallow: readonly ObjectId[];
  /** Commits from each want on; `Infinity` for all. */
  readonly depth: number | undefined;
  /** `depth` counts from `shallow`. */
  readonly relative: boolean;
  /** Unit: seconds since 1970. */
  readonly since: number | undefined;
  /** As the client wrote them: names of refs, short ones too. */
  readonly not: readonly string[];
}

/** What a hook gets to know of a fetch. */
export interface FetchContext {
  readonly call: ServiceCall;
  readonly repository: Repository;
  readonly wants: readonly FetchWant[];
  /** What the client has said that it has, and is stored here. A v0 client says so only later. */
  readonly haves: readonly ObjectId[];
  readonly depth: FetchDepth;
  /** What the client does not want to be sent. */
  readonly filter: ObjectFilter | undefined;
  /** The user's own words to the server (`--server-option`), in order; v2 only. */
  readonly serverOptions: readonly string[];
  readonly signal: AbortSignal;
}

/** How the sending of a pack ended. */
export interface FetchResult {
  /** `sent` to its end, `failed`, or the client `left` before. */
  readonly outcome: "sent" | "failed" | "left";
  /** What went wrong. */
  readonly error?: ServiceError | undefined;
  /** Objects of the pack, once it is made. */
  readonly objects: number | undefined;
  /** What was sent since the request was in, framing and texts included. Unit: bytes. */
  readonly bytes: number;
  /** Time since the request was in. Unit: milliseconds. */
  readonly ms: number;
}

/** Where a host takes part. A hook that throws refuses everything. */
export interface Hooks extends PushHooks {
  /**
   * Once for each request that wants something, when it is in and known to be allowed, before anything is looked for or
   * sent; over HTTP a fetch may take several requests.
   * @returns a reason, which the client is shown, to refuse it; `undefined` to go on
   */
  readonly preFetch?: (context: FetchContext) => Promise<string | undefined>;
  /** Once a pack was begun, when it is over in whatever way. It changes nothing for the client; an error is logged. */
  readonly postFetch?: (context: FetchContext, result: FetchResult) => Promise<void>;
}
