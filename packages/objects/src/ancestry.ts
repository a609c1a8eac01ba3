import type { ObjectId } from "./object-id.ts";
import type { Abortable } from "./object-reader.ts";

/**
 * How deep the client wants its history, and what it has so far. One of `depth`, or `since` and/or `not`.
 * Spec: gitprotocol-pack, "Packfile Negotiation" (`deepen`, `deepen-since`, `deepen-not`).
 */
export interface DeepenRequest {
  /** The objects asked for; tags are peeled. */
  readonly wants: readonly ObjectId[];
  /** With `relative`: what else may lead to `clientShallow`. */
  readonly tips?: readonly ObjectId[] | undefined;
  /** Where the client's history ends today. */
  readonly clientShallow: readonly ObjectId[];
  /**
   * Commits from each want on, itself included. `Infinity` for all: where the store lacks nothing itself, every member
   * of `clientShallow` gets its parents, whatever is wanted.
   */
  readonly depth?: number | undefined;
  /** `depth` counts from `clientShallow`, not from `wants`. */
  readonly relative?: boolean | undefined;
  /** Only commits made at or after this time. Unit: seconds since 1970. */
  readonly since?: number | undefined;
  /** Only commits that these do not reach. */
  readonly not?: readonly ObjectId[] | undefined;
}

/** Where the client's history will end. */
export interface DeepenAnswer {
  /** Commits to send without their parents that the client does not know as such. */
  readonly shallow: readonly ObjectId[];
  /** Members of `clientShallow` that get their parents now. */
  readonly unshallow: readonly ObjectId[];
  /** The parents of `unshallow`: they join the wants. */
  readonly parents: readonly ObjectId[];
}

/** Questions about what reaches what. Commits that the store lacks on purpose (its own shallow file) end a walk. */
export interface Ancestry {
  /** Those of `ids`, of any type, that no tip reaches. Tips and ids that are not stored count as unreachable. */
  unreachable(
    ids: readonly ObjectId[],
    tips: readonly ObjectId[],
    options?: Abortable,
  ): Promise<readonly ObjectId[]>;

  /**
   * Whether each of `wants` has one of `common`, or a parent of one, in its history, so that negotiation may end.
   * Wants that are not commits count as satisfied. Spec: gitprotocol-v2, fetch, `ready`.
   */
  allReach(wants: readonly ObjectId[], common: readonly ObjectId[], options?: Abortable): Promise<boolean>;

  /** Whether `descendant` is `ancestor` or has it in its history. */
  isAncestor(ancestor: ObjectId, descendant: ObjectId, options?: Abortable): Promise<boolean>;

  /** @throws ObjectsError `objects/nothing-selected` when `since` and `not` leave no commit */
  deepen(request: DeepenRequest, options?: Abortable): Promise<DeepenAnswer>;
}
