import type { FsckPolicy } from "./fsck/fsck-config.ts";
import type { ObjectId } from "./object-id.ts";
import type { Abortable, ObjectReader } from "./object-reader.ts";
import type { ObjectType } from "./object-type.ts";

/** What a received pack may cost. Unlimited where not given. */
export interface ReceiveLimits {
  /** Length of the pack. Unit: bytes. */
  readonly maxPackBytes?: number;
  /** Objects in the pack, those added to complete it included. */
  readonly maxObjects?: number;
  /** One object, inflated. Unit: bytes. */
  readonly maxObjectBytes?: number;
  /** One object that a delta makes, or is made of. Unit: bytes. */
  readonly maxDeltaObjectBytes?: number;
  /** Such objects that are too large for memory, set aside elsewhere at a time. Unit: bytes. */
  readonly maxSpillBytes?: number;
  /** One commit, tree or tag, inflated: these are read whole. Unit: bytes. */
  readonly maxParsedBytes?: number;
  /** All objects, inflated. Unit: bytes. */
  readonly maxInflatedBytes?: number;
  /** Deltas on top of each other. */
  readonly maxDeltaDepth?: number;
  /** Trees below each other, a root tree not counted. What has more of them does not count as connected. */
  readonly maxTreeDepth?: number;
  /** What taking in the smallest pack may cost. Unit: milliseconds of a processor. */
  readonly maxCpuMs?: number;
  /** What may be added to that for each MiB that has come in. Unit: milliseconds of a processor. */
  readonly maxCpuMsPerMib?: number;
  /**
   * What may be added for each MiB of the large objects that deltas build on and the store has, each counted once. Unit:
   * milliseconds of a processor.
   */
  readonly maxCpuMsPerBaseMib?: number;
  /** What may be added for each object that has come in. Unit: microseconds of a processor. */
  readonly maxCpuUsPerObject?: number;
}

/** How received objects are to be checked. */
export interface ReceiveFsck extends FsckPolicy {
  /** Paths of files with ids that are not checked; the store knows what they are relative to. */
  readonly skipLists: readonly string[];
}

/** How a pack is to be taken in. */
export interface TakePackOptions extends Abortable {
  readonly limits: ReceiveLimits;
  /** Check objects as `git index-pack --strict` does; not when not given. */
  readonly fsck?: ReceiveFsck | undefined;
  /** `false` refuses a pack whose deltas have bases outside of it. Default: it is completed from the store. */
  readonly mayBeThin?: boolean | undefined;
  /** Store objects one by one if fewer than this came in. Default: always as a pack. Spec: git-config, `receive.unpackLimit`. */
  readonly unpackBelow?: number | undefined;
  /** Gets what was found wrong with objects, in C git's words, whole lines. Byte-exact: one character for each byte. */
  readonly onMessage?: ((text: string) => void) | undefined;
  /** Gets texts for the user, in C git's words. */
  readonly onProgress?: ((text: string) => void) | undefined;
  /** Look whether what came in connects as well, while it is at hand. A store may leave it at {@link Quarantine.unconnected}. */
  readonly connects?: ConnectivityRequest | undefined;
}

/** What {@link Quarantine.unconnected} would be asked for when the pack is in. */
export interface ConnectivityRequest {
  readonly tips: readonly ObjectId[];
  /** Asked when the end of the pack has come, for refs may change while it does. */
  known(): Promise<readonly ObjectId[]>;
  /** There are few: they may be asked for when the pack begins as well, and used if it then ends within a moment. */
  readonly areFew: boolean;
}

/** What a received pack held. */
export interface PackReceipt {
  /** Objects that came in. */
  readonly objects: number;
  /** Length of the pack as received. Unit: bytes. */
  readonly bytes: number;
  /** Bytes that were read after the pack's end and belong to nobody. */
  readonly trailingBytes: number;
  /** Nothing is missing from the tips of {@link TakePackOptions.connects}. Otherwise nobody knows yet. */
  readonly connects?: boolean | undefined;
}

/** An object that came in. */
export interface ReceivedObject {
  readonly id: ObjectId;
  readonly type: ObjectType;
  /** Unit: bytes, inflated. */
  readonly size: number;
}

/** How connections are to be looked at. */
export interface UnconnectedOptions extends Abortable {
  /** Commits that the client has no parents of: theirs need not be there. */
  readonly clientShallow?: readonly ObjectId[] | undefined;
}

/**
 * Objects on their way in. Reads see them together with what the store has; nobody else sees them before
 * `publish`. Spec: git-receive-pack, "Quarantine Environment".
 */
export interface Quarantine extends ObjectReader {
  /**
   * Takes one pack in while it arrives, never holding it whole. Reads no chunk beyond the pack's end.
   * A thin pack is completed from the store.
   * Objects that exist already are compared with what comes in.
   * @throws ObjectsError `objects/bad-pack`, `objects/limit-exceeded`, `objects/refused`, with messages fit for the peer;
   *   `objects/bad-setting`
   */
  takePack(chunks: AsyncIterable<Uint8Array>, options: TakePackOptions): Promise<PackReceipt>;

  /** What came in, in batches, in the order of the packs; what completes a thin pack is not part of it. */
  received?(options?: Abortable): AsyncIterable<readonly ReceivedObject[]>;

  /** What git's own programs need in their environment to see what came in. Spec: git-receive-pack, "Quarantine Environment". */
  readonly environment?: ReadonlyMap<string, string> | undefined;

  /** Stores one object with the rest. */
  writeObject?(type: ObjectType, data: Uint8Array): Promise<ObjectId>;

  /**
   * Those of `tips` from which something is missing. All that a tip reaches has to exist, down to what
   * `known` reach: that something lies about unreferenced does not count as connected.
   */
  unconnected(
    tips: readonly ObjectId[],
    known: readonly ObjectId[],
    options?: UnconnectedOptions,
  ): Promise<readonly ObjectId[]>;

  /** Whether `descendant` is `ancestor` or has it in its history. */
  isAncestor(ancestor: ObjectId, descendant: ObjectId, options?: Abortable): Promise<boolean>;

  /**
   * Moves everything into the store, durably. Until `discard` the store's own upkeep leaves it alone, so that refs
   * can be made to lead to it meanwhile.
   */
  publish(): Promise<void>;

  /**
   * As `publish`, but does not wait until what everybody sees by then is there to stay: refs may be prepared meanwhile, but
   * none may lead to the objects before `settled` resolves.
   */
  publishAhead?(): Promise<{ readonly settled: Promise<void> }>;

  /** Drops everything that was not published. Ends the quarantine in either case; harmless a second time. */
  discard(): Promise<void>;
}
