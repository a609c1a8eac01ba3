import type { ObjectFormat, ObjectId } from "./object-id.ts";
import type { ObjectType } from "./object-type.ts";
import type { Ancestry } from "./ancestry.ts";
import type { PackEvent, PackRequest } from "./pack-request.ts";
import type { Quarantine } from "./quarantine.ts";

/** What is known of an object without reading it. */
export interface ObjectHeader {
  readonly type: ObjectType;
  /** Unit: bytes, inflated. */
  readonly size: number;
}

/** An object in memory. */
export interface StoredObject {
  readonly type: ObjectType;
  readonly data: Uint8Array;
}

/** What a chain of tags ends in: the first object that is no tag. */
export interface PeeledObject {
  readonly id: ObjectId;
  readonly type: Exclude<ObjectType, "tag">;
}

/** Every wait can be called off. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** What is stored. Answers come in the order of the ids asked for; replace refs are never followed. */
export interface ObjectReader {
  has(ids: readonly ObjectId[], options?: Abortable): Promise<readonly boolean[]>;

  /** `undefined` for what is not stored. */
  headers(ids: readonly ObjectId[], options?: Abortable): Promise<readonly (ObjectHeader | undefined)[]>;

  /**
   * The whole object, or `undefined` when it is not stored.
   * @throws ObjectsError `objects/corrupt`, `objects/limit-exceeded`
   */
  read(id: ObjectId, options?: Abortable): Promise<StoredObject | undefined>;

  /** An object that is no tag peels to itself; `undefined` where the object or one on its chain is missing. */
  peel(ids: readonly ObjectId[], options?: Abortable): Promise<readonly (PeeledObject | undefined)[]>;
}

/**
 * A repository's objects. Heavy work (counting, inflating, hashing) happens wherever the store decides,
 * never on the caller's thread for long.
 */
export interface ObjectStore extends ObjectReader, Ancestry {
  readonly format: ObjectFormat;

  /** The commits whose parents this store lacks on purpose. Spec: gitformat... `$GIT_DIR/shallow`. */
  shallow(options?: Abortable): Promise<readonly ObjectId[]>;

  /**
   * Makes the pack that answers `request`, in chunks of at most 64 KiB. The last event is the summary.
   * Nothing is made faster than it is read; leaving the iteration ends the work.
   * @throws ObjectsError `objects/not-found` (an object on the way is missing), `objects/corrupt`
   */
  createPack(request: PackRequest, options?: Abortable): AsyncIterable<PackEvent>;

  /** Opens a place for incoming objects that nobody else sees. The caller ends it by `publish` or `discard`. */
  receive(options?: Abortable): Promise<Quarantine>;
}
