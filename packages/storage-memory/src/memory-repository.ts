import type { ObjectFormat, ObjectId, ObjectStore } from "@x/objects";
import type { RefStore } from "@x/refs";
import { DEFAULT_MEMORY_LIMITS, type MemoryLimits } from "./limits.ts";
import { createMemoryConfig, type MemoryConfig, type MemorySettings } from "./memory-config.ts";
import { MemoryRefs } from "./memory-refs.ts";
import { type MemoryTools, neutralTools } from "./memory-tools.ts";
import { ObjectShelf } from "./object-shelf.ts";
import { createMemoryObjectStore } from "./object-store.ts";
import { findFile, listFiles, type StoredFile, treeOf } from "./read/file-view.ts";
import { readStored } from "./read/read-stored.ts";
import { createMemoryFiles, type MemoryFiles } from "./stored-files.ts";
import type { Identity } from "./write/identity.ts";
import { type NewCommit, type NewTag, Writer } from "./write/writer.ts";

/** What a repository in memory is made of. */
export interface MemoryRepositoryOptions {
  /** Default: `sha1`. */
  readonly objectFormat?: ObjectFormat | undefined;
  /** The branch that `HEAD` stands for; `main` when not given. */
  readonly head?: string | undefined;
  /** Under git's keys: `{ "uploadpack.allowFilter": "true" }`. */
  readonly config?: MemorySettings | undefined;
  /** Who makes commits where nobody is named. */
  readonly author?: Identity | undefined;
  /** The clock of commits. Default: the system's. Unit: milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  readonly limits?: Partial<MemoryLimits> | undefined;
  /** What hashes and deflates. Default: what runs anywhere; `createNodeTools` of `./node` is quicker. */
  readonly tools?: MemoryTools | undefined;
  /** Hears of what went wrong without consequences. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * A repository in memory, which code fills and clients fetch from and push to. Fits server-core's `Repository` by its
 * shape. What it holds lasts as long as the process; objects that no ref leads to any more stay too.
 */
export interface MemoryRepository {
  readonly objectFormat: ObjectFormat;
  readonly objects: ObjectStore;
  readonly refs: RefStore;
  readonly config: MemoryConfig;
  readonly bare: true;
  /** Every object as clients of dumb transports take them. */
  readonly files: MemoryFiles;

  /**
   * Commits changes of files to a branch. Where somebody pushes meanwhile the commit is made on top of that.
   * @returns the commit
   * @throws StorageMemoryError; ObjectsError `objects/limit-exceeded`
   */
  commit(commit: NewCommit): Promise<ObjectId>;

  /** Makes or moves a tag. @returns what the ref holds then @throws StorageMemoryError */
  tag(tag: NewTag): Promise<ObjectId>;

  /** Makes or moves a ref, whose whole name is given, to an id or to what another one holds. @throws StorageMemoryError */
  setRef(name: string, target: string): Promise<ObjectId>;

  /** Makes a ref stand for another one: `setSymbolicRef("HEAD", "refs/heads/next")`. @throws RefsError `refs/bad-name` */
  setSymbolicRef(name: string, target: string): Promise<void>;

  /** Takes a ref away, if it is there. @throws StorageMemoryError, RefsError */
  deleteRef(name: string): Promise<void>;

  /** What an id, `HEAD`, a branch, a tag or the whole name of a ref stands for. @throws StorageMemoryError `storage-memory/not-found` */
  resolve(name: string): Promise<ObjectId>;

  /** A file as it is in `at` (see {@link resolve}); `undefined` when it is not. @throws StorageMemoryError */
  readFile(at: string, path: string): Promise<Uint8Array | undefined>;

  /** All files in `at`, submodules among them. @throws StorageMemoryError */
  listFiles(at: string): Promise<readonly StoredFile[]>;
}

const NOBODY: Identity = { name: "nobody", email: "nobody@localhost" };

/** Makes an empty repository. @throws RefsError `refs/bad-name` */
export function createMemoryRepository(options: MemoryRepositoryOptions = {}): MemoryRepository {
  const { objectFormat = "sha1", author = NOBODY, now = Date.now } = options;
  const limits = { ...DEFAULT_MEMORY_LIMITS, ...options.limits };
  const shelf = new ObjectShelf({ format: objectFormat, tools: options.tools ?? neutralTools(), limits });
  const refs = new MemoryRefs(`refs/heads/${options.head ?? "main"}`, options.onWarning ?? (() => {}));
  const writer = new Writer({ shelf, refs, now, author });
  return {
    objectFormat,
    objects: createMemoryObjectStore(shelf),
    refs,
    config: createMemoryConfig(options.config),
    bare: true,
    files: createMemoryFiles(shelf, now()),
    commit: (commit) => writer.commit(commit),
    tag: (tag) => writer.tag(tag),
    setRef: (name, target) => writer.setRef(name, target),
    setSymbolicRef: (name, target) => refs.setSymbolic(name, target),
    deleteRef: (name) => writer.deleteRef(name),
    resolve: (name) => writer.resolve(name),
    async readFile(at, path) {
      const file = findFile(shelf, treeOf(shelf, await writer.resolve(at)), path);
      return file && readStored(shelf, file.id, "blob");
    },
    async listFiles(at) {
      return [...listFiles(shelf, treeOf(shelf, await writer.resolve(at)))];
    },
  };
}
