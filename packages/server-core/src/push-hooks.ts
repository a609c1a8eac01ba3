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
  /** The blob that holds the certificate, stored with what the push brings; `prePush` comes before that. */
  readonly id: ObjectId;
  /** The certificate up to its signature, and the signature. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** As `%G?` of git-log has it: `G` good, `B` bad, `U` good of unknown validity, `N` none, `E` not to be checked. */
  readonly status: string;
  readonly signer: string | undefined;
  readonly key: string | undefined;
  /** What the pusher had to sign, or did sign when that is as good; `undefined` when nothing was asked of it. */
  readonly nonce: string | undefined;
  readonly nonceStatus: "UNSOLICITED" | "BAD" | "MISSING" | "OK" | "SLOP";
  /** How old the nonce is, when its status is `SLOP`; below zero: made by a clock ahead of ours. Unit: seconds. */
  readonly nonceSlop: number | undefined;
}

/** What became of a signature, as {@link PushCertificate} has it. */
export type PushVerdict = Pick<PushCertificate, "status" | "signer" | "key">;

/**
 * Verifies the signature of a push certificate. What it throws counts as not to be checked.
 * @param signature in the armour of OpenPGP, OpenSSH or X.509, from its first line on
 */
export type VerifyPush = (
  payload: Uint8Array,
  signature: Uint8Array,
  options: { readonly repository: Repository; readonly signal: AbortSignal },
) => Promise<PushVerdict>;

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
  /**
   * Shows the user a text, as it is; lines are ended by the caller. Lost when the client cannot be shown anything, and
   * where more piles up than is read: who has much to say waits for {@link drained}.
   */
  readonly progress: (text: string | Uint8Array) => void;
  /** Settles when there is room for more to be shown. */
  readonly drained: () => Promise<void>;
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

/** How a push was over. */
export interface PushResult {
  /** All of it in the client's order, and what became of each: `error` is the reason that its pusher was told. */
  readonly commands: readonly (PushCommand & {
    readonly outcome: "done" | "refused" | "not-reached";
    readonly error?: string | undefined;
  })[];
  /** Whether it came to its end: `failed`, or the client `left` before. What is `done` stays so in any case. */
  readonly outcome: "ok" | "failed" | "left";
  /** Objects that came in, if any did. */
  readonly objects: number | undefined;
  /** Time since the request was in. Unit: milliseconds. */
  readonly ms: number;
}

/** Where a host takes part in a push. A hook that throws refuses what it was asked about. */
export interface PushHooks {
  /** Once for each push, when its commands are in and before any of its pack is read: refusing here saves the transfer. */
  readonly prePush?: (context: PushContext) => Promise<Refusals | undefined>;
  /** Once for each push, after its objects are in and known to be connected, before anything is kept. */
  readonly preReceive?: (context: PreReceiveContext) => Promise<Refusals | undefined>;
  /**
   * Once for each push, before `preReceive`. `false`: neither that nor any of those below has anything to do in it, and they
   * are not called.
   */
  readonly attends?: (context: PushContext) => Promise<boolean>;
  /**
   * Once for the commands that `receive.procReceiveRefs` hands over.
   * @returns answers by ref; what has none failed. `undefined`: there is nobody to handle them, and all fail
   */
  readonly procReceive?: (
    context: ReceivedContext,
  ) => Promise<ReadonlyMap<string, readonly ProcReceiveAnswer[]> | undefined>;
  /** Once for each ref that may change, its objects being kept. @returns a reason to refuse it */
  readonly update?: (context: ReceivedContext, command: PushCommand) => Promise<string | undefined>;
  /**
   * Instead of the server's own check-out when `receive.denyCurrentBranch` is `updateInstead`.
   * @returns a reason to refuse; `undefined` when it is done; `false` to leave it to the server
   */
  readonly pushToCheckout?: (
    context: ReceivedContext,
    command: PushCommand,
    workTree: string,
  ) => Promise<string | false | undefined>;
  /** At each step of each transaction of refs. Throwing while `preparing` or `prepared` undoes it. */
  readonly referenceTransaction?: (
    context: PushContext,
    phase: RefChangePhase,
    changes: readonly StagedRefChange[],
  ) => Promise<void>;
  /**
   * After the client has its report, when a ref changed: with what changed, as `procReceive` told it where that did it.
   * It alters nothing. Once a ref has changed it is called even if the client has left.
   */
  readonly postReceive?: (context: PushContext) => Promise<void>;
  /** After `postReceive`, with the commands that were carried out, as the client gave them. */
  readonly postUpdate?: (context: PushContext) => Promise<void>;
  /**
   * Once for each push whose commands were in, when it is over in whatever way: for records of who has changed, or tried
   * to change, what. It alters nothing.
   */
  readonly postPush?: (context: PushContext, result: PushResult) => Promise<void>;
}
