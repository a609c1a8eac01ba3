import type { ObjectId } from "@x/objects";

/** What a ref holds: an object's id, or the name of another ref. */
export type RefTarget =
  | { readonly kind: "id"; readonly id: ObjectId }
  | { readonly kind: "symbolic"; readonly name: string };

/** A ref as stored, symbolic refs not followed. Names are byte-exact: one character for each byte. */
export interface Ref {
  readonly name: string;
  readonly target: RefTarget;
  /** What the tag it holds peels to; `null` when it is known to hold no tag; absent when the store does not know. */
  readonly peeled?: ObjectId | null | undefined;
}

/** What to do with one ref, if it still is what the caller believes it to be. Symbolic refs are not followed. */
export interface RefEdit {
  readonly name: string;
  /** The id it must hold now; `"absent"`: it must not exist; `"any"`: whatever it is. */
  readonly expected: ObjectId | "absent" | "any";
  /** The id it shall hold; `"delete"`: it shall be gone. */
  readonly next: ObjectId | "delete";
}

/** Why an edit was not made. `aborted`: it was fine itself, but not the transaction it was part of. */
export type RefRejection = "stale" | "exists" | "missing" | "name-conflict" | "locked" | "aborted";

/** A refused edit is an answer, not an exception: receive-pack has to report it per ref. */
export type RefOutcome =
  | { readonly status: "ok" }
  | {
      readonly status: "rejected";
      readonly reason: RefRejection;
      /** For whoever asked, in C git's words where it has some. */
      readonly message: string;
      /** The ref in whose way it would be, where that is known: `message` names it too. */
      readonly conflict?: string | undefined;
    };

/** What goes into the reflog, where one is kept. */
export interface ReflogEntry {
  /** `Name <mail>`, without time. */
  readonly committer: string;
  readonly message: string;
}

/** How far a transaction is. Spec: githooks, "reference-transaction". */
export type RefChangePhase = "preparing" | "prepared" | "committed" | "aborted";

/** A change that a transaction is about to make. */
export interface StagedRefChange {
  readonly name: string;
  /** What the ref must hold before; `undefined` when that does not matter. */
  readonly from: RefTarget | "absent" | undefined;
  readonly to: RefTarget | "absent";
}

/** How a transaction runs. */
export interface TransactOptions {
  /** One refusal turns all others into `aborted`. */
  readonly atomic: boolean;
  readonly reflog?: ReflogEntry | undefined;
  /**
   * Told of each phase: before anything is locked, when all is locked and judged, and at the end. Throwing while
   * `preparing` or `prepared` calls the transaction off, with what was thrown; later it changes nothing.
   */
  readonly onPhase?:
    | ((phase: RefChangePhase, changes: readonly StagedRefChange[]) => Promise<void>)
    | undefined;
}

/**
 * Names of the tips of the object graph. Spec: gitprotocol-pack, "Reference Update Request"; git-check-ref-format
 * for names.
 */
export interface RefStore {
  /** One ref as stored (`HEAD` too), symbolic refs not followed; `undefined` when there is none. */
  get(name: string): Promise<Ref | undefined>;

  /**
   * The refs below `refs/` whose names start with one of `prefixes` (all when omitted) in byte order of names;
   * the batches together are one snapshot. A prefix is plain text, `refs/heads/ma` too.
   */
  list(options?: {
    readonly prefixes?: readonly string[] | undefined;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterable<readonly Ref[]>;

  /**
   * A name for what {@link list} gives for `prefixes` and for what `HEAD` holds: the same twice means that neither had
   * changed in between. Costs less than a listing. Stores that cannot tell have none.
   */
  state?(prefixes?: readonly string[]): Promise<string>;

  /**
   * Compare-and-swap of distinct refs, deletions before the rest, under the store's own locks. Not atomic: each
   * edit stands for itself.
   * @returns one outcome per edit, in order
   * @throws RefsError `refs/bad-name`, `refs/unavailable`: then nothing is promised about the edits
   */
  transact(edits: readonly RefEdit[], options: TransactOptions): Promise<readonly RefOutcome[]>;
}
