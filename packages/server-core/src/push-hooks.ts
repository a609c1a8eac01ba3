import type { ObjectId, ObjectReader, ReceivedObject } from "@x/objects";
import type { RefChangePhase, StagedRefChange } from "@x/refs";
import type { Repository } from "./ports.ts";
import type { ServiceCall } from "./service.ts";

/** What a client wants to become of one ref; a zero id says that there is no ref before, or after. */
export interface PushCommand {
  readonly ref: string;
  readonly oldId: ObjectId;
  readonly newId: ObjectId;
}

/** A signed push, as far as its signature was looked at. Spec: git-receive-pack, "Hooks". */
export interface PushCertificate {
  /** The blob that holds the certificate, stored with what the push brings. */
  readonly id: ObjectId;
  /** The certificate up to its signature, and the signature. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** As `%G?` of git-log has it: `G` good, `B` bad, `U` good of unknown validity, `N` none, `E` not to be checked. */
  readonly status: string;
  readonly signer: string | undefined;
  readonly key: string | undefined;
  readonly nonce: string | undefined;
  readonly nonceStatus: "UNSOLICITED" | "BAD" | "MISSING" | "OK" | "SLOP";
  /** How old the nonce is, when its status is `SLOP`. Unit: seconds. */
  readonly nonceSlop: number | undefined;
}

/** What every hook of a push gets to know. */
export interface PushContext {
  readonly call: ServiceCall;
  readonly repository: Repository;
  /** In the client's order; those that failed already are not among them. */
  readonly commands: readonly PushCommand[];
  readonly atomic: boolean;
  /** The user's own words to the server (`--push-option`), in order; `undefined` when there was no talk of them. */
  readonly pushOptions: readonly string[] | undefined;
  readonly certificate: PushCertificate | undefined;
  readonly signal: AbortSignal;
  /** Shows the user a text, lines ended by the caller. Lost when the client cannot be shown anything. */
  readonly progress: (text: string) => void;
}

/** A push whose objects are in. */
export interface ReceivedContext extends PushContext {
  /** What is stored together with what the push brings. */
  readonly objects: ObjectReader;
  /** What the push brings, in batches, objects that were here already among them. */
  readonly received: () => AsyncIterable<readonly ReceivedObject[]>;
  /** What git's own programs need in their environment to see what the push brings; empty once it is published. */
  readonly environment: ReadonlyMap<string, string>;
}

/** What a pre-receive hook gets to know of a push. */
export interface PreReceiveContext extends ReceivedContext {
  /** All of the push in the client's order, those that failed already too. */
  readonly allCommands: readonly PushCommand[];
}

/** Why refs are refused: each by its name, or all for one reason. */
export type Refusals = string | ReadonlyMap<string, string>;

/**
 * What a proc-receive hook did with a command. `done` may tell of another ref or other ids than asked for, and may come
 * several times for one command. Spec: githooks, "proc-receive".
 */
export type ProcReceiveAnswer =
  | {
      readonly status: "done";
      readonly ref?: string | undefined;
      readonly oldId?: ObjectId | undefined;
      readonly newId?: ObjectId | undefined;
      readonly forcedUpdate?: boolean | undefined;
    }
  | { readonly status: "refused"; readonly reason: string }
  /** The server shall carry the command out as any other. */
  | { readonly status: "fall-through" };

/** Where a host takes part in a push. A hook that throws refuses what it was asked about. */
export interface PushHooks {
  /** Once for each push, when its commands are in and before any of its pack is read: refusing here saves the transfer. */
  readonly prePush?: (context: PushContext) => Promise<Refusals | undefined>;
  /** Once for each push, after its objects are in and known to be connected, before anything is kept. */
  readonly preReceive?: (context: PreReceiveContext) => Promise<Refusals | undefined>;
  /** Once for the commands that `receive.procReceiveRefs` hands over. @returns answers by ref; what has none failed */
  readonly procReceive?: (
    context: ReceivedContext,
  ) => Promise<ReadonlyMap<string, readonly ProcReceiveAnswer[]>>;
  /** Once for each ref that may change, its objects being kept. @returns a reason to refuse it */
  readonly update?: (context: ReceivedContext, command: PushCommand) => Promise<string | undefined>;
  /** Instead of the server's own check-out when `receive.denyCurrentBranch` is `updateInstead`. @returns a reason to refuse */
  readonly pushToCheckout?: (
    context: ReceivedContext,
    command: PushCommand,
    workTree: string,
  ) => Promise<string | undefined>;
  /** At each step of each transaction of refs. Throwing while `preparing` or `prepared` undoes it. */
  readonly referenceTransaction?: (
    context: PushContext,
    phase: RefChangePhase,
    changes: readonly StagedRefChange[],
  ) => Promise<void>;
  /** After the client has its report, when a ref changed: with what changed. It alters nothing. */
  readonly postReceive?: (context: PushContext) => Promise<void>;
  /** After `postReceive`, with the names of the refs that changed. */
  readonly postUpdate?: (context: PushContext) => Promise<void>;
}
