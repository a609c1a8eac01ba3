import type { ObjectId } from "./object-id.ts";
import type { ObjectType } from "./object-type.ts";

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
