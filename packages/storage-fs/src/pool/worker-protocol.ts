import type {
  ArchiveEvent,
  ArchiveRequest,
  DeepenAnswer,
  DeepenRequest,
  ObjectFormat,
  ObjectHeader,
  ObjectId,
  PackEvent,
  PackReceipt,
  PackRequest,
  PeeledObject,
  ReceiveFsck,
  ReceiveLimits,
  StoredObject,
} from "@x/objects";

import type { ReceivedPack, UnconnectedQuestion } from "@x/pack";
import type { Durability } from "../disk/durability.ts";
import type { SharedAccess } from "../disk/shared-access.ts";
import type { LooseScan, LooseScanRequest } from "../refs/loose-scan.ts";
import type { WorkTreeAnswer, WorkTreeRequest } from "../work-tree/update-request.ts";

/** Which objects a job works on. Everything a worker needs to know of a repository. */
export interface StoreLocation {
  readonly format: ObjectFormat;
  /** The directory that holds `pack/` and the loose objects. */
  readonly objectsDirectory: string;
  /** Further object directories to read from, beside those named in `info/alternates`. */
  readonly alternates: readonly string[];
  /** In a quarantine, where the store itself is: what it has open stays open from push to push. */
  readonly store?: StoreLocation | undefined;
  /** The file that lists commits whose parents are missing on purpose; it need not exist. */
  readonly shallowFile: string;
  /** No larger object is put together in memory. Unit: bytes. */
  readonly maxObjectBytes: number;
  /** What one question about history may cost: what reaches what, where a shallow history ends. Unit: milliseconds of a processor. */
  readonly maxWalkCpuMs?: number | undefined;
  /** What finding out whether pushed objects are all there may cost. Unit: milliseconds of a processor. */
  readonly maxCheckCpuMs?: number | undefined;
  /** What of the objects written has reached the disk when a job is done; all of it when not given. */
  readonly durability?: Durability | undefined;
  /** What others may do with what is made; the umask alone decides when not given. */
  readonly access?: SharedAccess | undefined;
  /** Make packs without asking the bitmaps beside those that are stored. */
  readonly withoutBitmaps?: boolean | undefined;
}

/** What a worker holds in memory of a quarantine; it lies on no disk. */
export interface HeldFiles {
  /** File name without suffix. */
  readonly name: string;
  readonly packBytes: Uint8Array;
  readonly indexBytes: Uint8Array;
  readonly reverseIndexBytes: Uint8Array;
  /** The objects that came, as `encodeReceived` has them; `undefined` when there are many. */
  readonly objects: Uint8Array | undefined;
}

/** What workers can be asked: arguments and result of each operation. Both are cloned on their way. */
export interface Operations {
  has: { args: { ids: readonly ObjectId[] }; result: boolean[] };
  headers: { args: { ids: readonly ObjectId[] }; result: (ObjectHeader | undefined)[] };
  read: { args: { id: ObjectId }; result: StoredObject | undefined };
  peel: { args: { ids: readonly ObjectId[] }; result: (PeeledObject | undefined)[] };
  unreachable: { args: { ids: readonly ObjectId[]; tips: readonly ObjectId[] }; result: ObjectId[] };
  allReach: { args: { wants: readonly ObjectId[]; common: readonly ObjectId[] }; result: boolean };
  isAncestor: { args: { ancestor: ObjectId; descendant: ObjectId }; result: boolean };
  deepen: { args: { request: DeepenRequest }; result: DeepenAnswer };
  unconnected: { args: UnconnectedQuestion; result: ObjectId[] };
  /** Has nothing to do with the location's objects. */
  looseRefs: { args: LooseScanRequest; result: LooseScan };
  /** Sends events. */
  createPack: { args: { request: PackRequest }; result: undefined };
  /** Sends events; asks for refs, and takes them as one chunk. */
  createArchive: { args: ArchiveArgs; result: undefined };
  /** Sends events, as `encodeReceived` has them. `count` objects from the start of the pack, in hex its checksum. */
  received: { args: Pick<ReceivedPack, "packChecksum" | "count">; result: undefined };
  updateWorkTree: { args: WorkTreeRequest; result: WorkTreeAnswer };
  /** Takes chunks; sends progress and messages; asks what is known once the pack is in, if that took long. */
  takePack: {
    args: {
      limits: ReceiveLimits;
      progress: boolean;
      fsck: ReceiveFsck | undefined;
      mayBeThin: boolean;
      /** Tips to be looked at once all is in; `undefined` when nobody asks. */
      tips: readonly ObjectId[] | undefined;
      /** What was known just now: enough to go by if the pack ends soon. */
      known: readonly ObjectId[] | undefined;
    };
    /** `pack` is `undefined` for an empty one. */
    result: { receipt: PackReceipt; pack: ReceivedPack | undefined; held: HeldFiles | undefined };
  };
  /**
   * Brings a held pack into the store of its quarantine. `process` is what this process is called; `isGuarded` says that
   * another push of it has made the pack's guard. Gives the directories that are to be synced.
   */
  publishHeld: { args: { name: string; process: string; isGuarded: boolean }; result: readonly string[] };
}

/** An archive that is wanted, and the files of attributes that belong to no tree. */
export interface ArchiveArgs {
  readonly request: ArchiveRequest;
  readonly repositoryAttributes: string;
  readonly userAttributes: string | undefined;
}

export type OperationName = keyof Operations;

/** To a worker. `id` tells the jobs of one worker apart. */
export type ToWorker =
  | {
      kind: "start";
      id: number;
      operation: OperationName;
      location: StoreLocation;
      args: unknown;
      spares: ArrayBuffer[];
      /** The first chunk, where there is one already. */
      chunk?: Uint8Array | undefined;
    }
  /** So many more events with bytes may be sent. */
  | { kind: "credit"; id: number; events: number; spares: ArrayBuffer[] }
  | { kind: "chunk"; id: number; bytes: Uint8Array }
  | { kind: "input-end"; id: number }
  /** To what the job has asked; `undefined` when that cannot be told. */
  | { kind: "answer"; id: number; answer: unknown }
  | { kind: "abort"; id: number }
  /** The objects there are gone or have moved: what is open of them is to be closed. */
  | { kind: "forget"; location: StoreLocation }
  /** Guards of packs that were published there are gone: their directory has changed, but no pack has come. */
  | { kind: "released"; location: StoreLocation };

/** What a job has to say while it runs. A message is for the user, whether progress is wanted or not. */
export type WorkerEvent =
  | PackEvent
  | ArchiveEvent
  | { readonly kind: "message"; readonly text: string }
  /** The refs are needed, as JSON. */
  | { readonly kind: "refs" }
  /** The pack is in; ids are needed whose objects are there, with all that they reach. */
  | { readonly kind: "known" };

/** From a worker. */
export type FromWorker =
  | { kind: "event"; id: number; event: WorkerEvent }
  /** A chunk was used up: one more may be sent, in the same buffer. */
  | { kind: "taken"; id: number; buffer: ArrayBuffer }
  | { kind: "done"; id: number; result: unknown }
  | { kind: "failed"; id: number; failure: Failure }
  /** Something is broken that can be done without. */
  | { kind: "warning"; message: string };

/** An error on its way between threads. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly objectId: string | undefined;
}

/**
 * Buffers that wait to be filled again, on either side: what goes through the hands of a client that reads. Made anew for each
 * chunk they would have to be collected, by the megabyte, in either thread.
 */
export const MAX_SPARES = 24;

/** Events with bytes that a worker may have sent ahead, of 64 KiB each: less than 1 MiB for a client that does not read. */
export const EVENT_WINDOW = 12;

/** Chunks that may be on their way to a worker at once. */
export const CHUNK_WINDOW = 8;
