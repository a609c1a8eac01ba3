import type { ObjectId, ObjectReader } from "@x/objects";
import type { Repository } from "./ports.ts";
import type { ServiceCall } from "./service.ts";

/** What a client wants to become of one ref; a zero id says that there is no ref before, or after. */
export interface PushCommand {
  readonly ref: string;
  readonly oldId: ObjectId;
  readonly newId: ObjectId;
}

/** What a hook gets to know of a push. */
export interface PreReceiveContext {
  readonly call: ServiceCall;
  readonly repository: Repository;
  /** In the client's order; those that failed already are not among them. */
  readonly commands: readonly PushCommand[];
  /** What is stored together with what the push brings. */
  readonly objects: ObjectReader;
  readonly signal: AbortSignal;
  /** Shows the user a text, lines ended by the caller. Lost when the client cannot be shown anything. */
  readonly progress: (text: string) => void;
}

/** Why refs are refused: each by its name, or all for one reason. */
export type Refusals = string | ReadonlyMap<string, string>;

/** Where a host takes part. A hook that throws refuses everything. */
export interface Hooks {
  /** Once for each push, after its objects are in and known to be connected, before anything is kept. */
  readonly preReceive?: (context: PreReceiveContext) => Promise<Refusals | undefined>;
}
