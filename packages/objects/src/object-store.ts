import type { Ancestry } from "./ancestry.ts";
import type { ArchiveEvent, ArchiveQuestions, ArchiveRequest } from "./archive-request.ts";
import type { ObjectFormat, ObjectId } from "./object-id.ts";
import type { Abortable, ObjectReader } from "./object-reader.ts";
import type { CreatePackOptions, PackEvent, PackRequest } from "./pack-request.ts";
import type { Quarantine } from "./quarantine.ts";

/** Which tips of alternates are asked for. */
export interface AlternateTipsOptions extends Abortable {
  /** Only refs below these names; all when not given. Spec: git-config, `core.alternateRefsPrefixes`. */
  readonly prefixes?: readonly string[] | undefined;
}

/**
 * A repository's objects. Heavy work (counting, inflating, hashing) happens wherever the store decides,
 * never on the caller's thread for long.
 */
export interface ObjectStore extends ObjectReader, Ancestry {
  readonly format: ObjectFormat;

  /** The commits whose parents this store lacks on purpose. Spec: gitrepository-layout, "shallow". */
  shallow(options?: Abortable): Promise<readonly ObjectId[]>;

  /**
   * Adds commits to {@link shallow}, durably, under the lock that git takes for it. Those that are there already are
   * passed over. Stores that cannot do it have none, and take no push that would need it.
   */
  addShallow?(ids: readonly ObjectId[], options?: Abortable): Promise<void>;

  /** What the refs of the alternates hold, in batches, repeats perhaps: a pusher need not send what these reach. */
  alternateTips?(options?: AlternateTipsOptions): AsyncIterable<readonly ObjectId[]>;

  /**
   * Makes the pack that answers `request`, in chunks of at most 64 KiB. The last event is the summary.
   * Nothing is made faster than it is read; leaving the iteration ends the work.
   * @throws ObjectsError `objects/not-found` (an object on the way is missing), `objects/corrupt`
   */
  createPack(request: PackRequest, options?: CreatePackOptions): AsyncIterable<PackEvent>;

  /**
   * Makes an archive of a tree, in chunks of at most 64 KiB. Nothing is made faster than it is read; leaving the
   * iteration ends the work. Stores that cannot do it have none, and offer no archives.
   * @throws ObjectsError `objects/bad-archive-request`, `objects/not-found`, `objects/corrupt`, `objects/limit-exceeded`
   */
  createArchive?(
    request: ArchiveRequest,
    options?: Abortable & ArchiveQuestions,
  ): AsyncIterable<ArchiveEvent>;

  /** Opens a place for incoming objects that nobody else sees. The caller ends it by `discard`, whether it was published or not. */
  receive(options?: Abortable): Promise<Quarantine>;
}
