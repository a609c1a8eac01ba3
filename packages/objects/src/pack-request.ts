import type { ObjectFilter } from "./object-filter.ts";
import type { ObjectId } from "./object-id.ts";
import type { Abortable } from "./object-reader.ts";

/** A tag that may ride along. */
export interface TagCandidate {
  readonly tag: ObjectId;
  /** What its chain ends in. */
  readonly peeled: ObjectId;
}

/** What the making of one pack may cost; then it ends with ObjectsError `objects/limit-exceeded`. */
export interface PackLimits {
  /** Trees looked into, each as often as it is. */
  readonly maxTreeVisits: number;
  /** Unit: milliseconds of a processor. */
  readonly maxCpuMs: number;
  /** Unit: bytes of pack. */
  readonly maxPackBytes: number;
}

/** The whole intent of a fetch, so that a store may answer it in its own way. */
export interface PackRequest {
  /** Sent with all they reach, less what the client has. */
  readonly wants: readonly ObjectId[];
  /** Stored objects that the client has with all they reach, given `shallow`. */
  readonly haves: readonly ObjectId[];
  /** Commits taken to have no parents, on both sides: the client's boundary, the old one and the new. */
  readonly shallow?: readonly ObjectId[];
  /** Deltas may be made against objects that the client has. */
  readonly thin?: boolean;
  /** A delta may name its base by offset; otherwise always by id. */
  readonly ofsDelta?: boolean;
  /** Each is added, with the tags on its chain, when its `peeled` is in the pack (include-tag). */
  readonly tags?: readonly TagCandidate[];
  /** Progress texts are wanted, in C git's words. */
  readonly progress?: boolean;
  readonly filter?: ObjectFilter | undefined;
  /** Objects that the client gets elsewhere (packfile-uris). Those that would be in the pack are left out and told. */
  readonly elsewhere?: readonly ObjectId[];
  readonly limits?: PackLimits | undefined;
  /** Trees and blobs that are not stored are left out: the client has agreed to get them from a promisor remote. */
  readonly allowMissing?: boolean | undefined;
}

/**
 * Told of bytes that go out, and what to do once nobody reads them any more: then their whole buffer is written anew. Whoever
 * gives it sees to that; what is never called costs nothing but memory.
 */
export type Lend = (bytes: Uint8Array, onBack: () => void) => void;

/** How a pack is to be handed over. */
export interface CreatePackOptions extends Abortable {
  /** Without it, each chunk is the consumer's own. */
  readonly lend?: Lend | undefined;
}

/** What went into a pack. */
export interface PackSummary {
  readonly objects: number;
  /** Unit: bytes, trailer included. */
  readonly bytes: number;
  /** Objects whose stored bytes were copied. */
  readonly reused: number;
  /** Objects sent as deltas; what a pack holds that was copied from end to end is not counted. */
  readonly deltas: number;
}

/** A pack in the making: bytes in order, texts for the user in between, the summary last. */
export type PackEvent =
  | {
      readonly kind: "bytes";
      readonly bytes: Uint8Array;
      /** Bytes in front of `bytes` in their buffer that the consumer may write over, to frame them where they lie. */
      readonly headroom?: number;
    }
  | { readonly kind: "progress"; readonly text: string }
  /** Which of {@link PackRequest.elsewhere} were left out; once, before the first bytes, if that was given. */
  | { readonly kind: "elsewhere"; readonly ids: readonly ObjectId[] }
  | { readonly kind: "summary"; readonly summary: PackSummary };
