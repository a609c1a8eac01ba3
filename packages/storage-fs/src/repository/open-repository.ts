import { stat } from "node:fs/promises";
import type { ObjectFormat, ObjectId, ObjectStore } from "@x/objects";
import type { RefStore } from "@x/refs";
import { parseConfigBoolean } from "../config/config-value.ts";
import { type FileConfig, readRepositoryConfig } from "../config/repository-config.ts";
import { type Durability, syncsOf } from "../disk/durability.ts";
import { QuickLook, statHere } from "../disk/quick-look.ts";
import { parseSharedAccess } from "../disk/shared-access.ts";
import { sweepObjects } from "../journal/sweep-objects.ts";
import { MemoryBudget } from "../memory-budget.ts";
import { createFileObjectStore } from "../object-store.ts";
import { scanInWorker } from "../pool/worker-call.ts";
import type { WorkerPool } from "../pool/worker-pool.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import { type OpenRefsOptions, openRefs, type SharedRefMemory } from "../refs/open-refs.ts";
import { PageCache } from "../refs/page-cache.ts";
import { type FileWorkTree, listWorkTrees } from "../work-tree/list-work-trees.ts";
import { AlternateTips } from "./alternate-tips.ts";
import { archiveMaker } from "./archives.ts";
import { looksBare, type RepositoryLayout } from "./layout.ts";
import { readRepositoryFormat } from "./repository-format.ts";
import { writeServerInfo } from "./server-info.ts";
import { createStoredFiles, type StoredFiles } from "./stored-files.ts";

/** A repository on disk. Fits server-core's `Repository` by its shape. */
export interface FileRepository {
  readonly layout: RepositoryLayout;
  /** `$GIT_DIR`. */
  readonly directory: string;
  readonly objectFormat: ObjectFormat;
  readonly objects: ObjectStore;
  readonly refs: RefStore;
  readonly config: FileConfig;
  /** No work tree belongs to it. */
  readonly bare: boolean;
  /** Its work trees as they are now, linked ones too. */
  readonly workTrees: () => Promise<readonly FileWorkTree[]>;
  /** Writes `info/refs` and `objects/info/packs` anew, for dumb transports. */
  readonly updateServerInfo: () => Promise<void>;
  /** Its objects' files as they lie, for dumb transports. */
  readonly files: StoredFiles;
}

/** How repositories are opened. */
export interface OpenRepositoryOptions {
  /** No larger object is put together in memory; 1 GiB when not given. Packed bytes are copied at any size. Unit: bytes. */
  readonly maxObjectBytes?: number | undefined;
  /**
   * What one question about history may cost, such as whether a ref reaches what a client wants; a minute when not
   * given. Unit: milliseconds of a processor.
   */
  readonly maxWalkCpuMs?: number | undefined;
  /** What it may cost to find out whether a push is complete; ten minutes when not given. Unit: milliseconds of a processor. */
  readonly maxCheckCpuMs?: number | undefined;
  /** What has reached the disk when a push is reported done; all of it when not given. */
  readonly durability?: Durability | undefined;
  /** Settings to go by instead of the repository's own; what format it has is always its own to say. */
  readonly config?: FileConfig | undefined;
  /** Object directories to read from beside the repository's own and those in its `info/alternates`. */
  readonly alternates?: readonly string[] | undefined;
  /** Instead of the repository's `shallow`. */
  readonly shallowFile?: string | undefined;
  /** Hears of what is broken but can be done without. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** What is kept in memory of reftables, all repositories of an opener together. Unit: bytes. */
const MAX_REFTABLE_CACHE_BYTES = 64 * 1024 * 1024;

/** The same of packed-refs files, but for the latest. Unit: bytes. */
const MAX_PACKED_REFS_KEPT_BYTES = 256 * 1024 * 1024;

const DEFAULT_MAX_OBJECT_BYTES = 1024 * 1024 * 1024;
const DEFAULT_MAX_WALK_CPU_MS = 60_000;
const DEFAULT_MAX_CHECK_CPU_MS = 600_000;

/**
 * Opens the repository at `layout`.
 * @throws StorageFsError `storage-fs/unsupported-repository`, `storage-fs/bad-config`
 */
export async function openRepository(
  layout: RepositoryLayout,
  pool: WorkerPool,
  options: OpenRepositoryOptions = {},
): Promise<FileRepository> {
  return openWith(layout, pool, options, sharedRefMemory(pool));
}

async function openWith(
  layout: RepositoryLayout,
  pool: WorkerPool,
  options: OpenRepositoryOptions,
  shared: SharedRefMemory,
): Promise<FileRepository> {
  const own = await readRepositoryConfig(layout);
  const config = options.config ?? own;
  const format = readRepositoryFormat(own);
  const { objectFormat } = format;
  const bare = format.bare ?? looksBare(layout);
  const access = parseSharedAccess(own.get("core.sharedRepository"));
  const { durability, onWarning } = options;
  const location: StoreLocation = {
    format: objectFormat,
    objectsDirectory: layout.objectsDirectory,
    alternates: options.alternates ?? [],
    shallowFile: options.shallowFile ?? `${layout.commonDirectory}/shallow`,
    durability: options.durability,
    access,
    maxObjectBytes: options.maxObjectBytes ?? DEFAULT_MAX_OBJECT_BYTES,
    maxWalkCpuMs: options.maxWalkCpuMs ?? DEFAULT_MAX_WALK_CPU_MS,
    maxCheckCpuMs: options.maxCheckCpuMs ?? DEFAULT_MAX_CHECK_CPU_MS,
    withoutBitmaps: parseConfigBoolean(config.get("pack.useBitmaps") ?? "true") === false,
  };
  const openLender = (lender: RepositoryLayout) => openLenderRefs(lender, { format, shared, onWarning });
  const lent = new AlternateTips(layout.objectsDirectory, options.alternates ?? [], openLender);
  const store = createFileObjectStore(pool, location);
  const createArchive = archiveMaker(pool, location, { commonDirectory: layout.commonDirectory, config });
  const objects: ObjectStore = { ...store, createArchive, alternateTips: (asked) => lent.list(asked) };
  const peel = (ids: readonly ObjectId[]) => store.peel(ids);
  const refs = await openRefs({ layout, config, format, durability, bare, shared, access, peel, onWarning });
  // After the refs: what they now lead to was kept by what goes here.
  await sweepObjects(layout.objectsDirectory, onWarning);
  const workTrees = () =>
    listWorkTrees(pool, {
      layout,
      refs,
      location,
      own,
      config: options.config,
      sync: syncsOf(durability ?? "full").directories,
    });
  const updateServerInfo = () => writeServerInfo({ layout, objects, refs, access });
  const files = createStoredFiles(layout.objectsDirectory);
  const directory = layout.gitDirectory;
  return { layout, directory, objectFormat, objects, refs, config, bare, workTrees, updateServerInfo, files };
}

/** The refs of a repository that lends objects to one of `format`; `undefined` when it cannot. */
async function openLenderRefs(
  layout: RepositoryLayout,
  options: Pick<OpenRefsOptions, "format" | "shared" | "onWarning">,
): Promise<RefStore | undefined> {
  try {
    const config = await readRepositoryConfig(layout);
    const format = readRepositoryFormat(config);
    if (format.objectFormat !== options.format.objectFormat) return undefined;
    return await openRefs({ ...options, layout, config, format, bare: true, isForeign: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    options.onWarning?.(`the refs of an alternate are passed over: ${why}`);
    return undefined;
  }
}

function sharedRefMemory(pool: WorkerPool): SharedRefMemory {
  return {
    cache: new PageCache(MAX_REFTABLE_CACHE_BYTES),
    memory: new MemoryBudget(MAX_PACKED_REFS_KEPT_BYTES),
    scanLooseRefs: (request, signal) => scanInWorker(pool, request, signal),
  };
}

/** Repositories kept open, with what they remember of their refs and tags. */
const MAX_OPEN_REPOSITORIES = 256;

/** Opens repositories and keeps the latest of them, each while its config stays the same. */
export interface RepositoryOpener {
  /** @throws StorageFsError `storage-fs/unsupported-repository`, `storage-fs/bad-config` */
  open(layout: RepositoryLayout): Promise<FileRepository>;
}

interface Opened {
  readonly stamp: string;
  readonly quick: QuickLook;
  readonly repository: FileRepository;
}

/** @see RepositoryOpener */
export function createRepositoryOpener(
  pool: WorkerPool,
  options: OpenRepositoryOptions = {},
): RepositoryOpener {
  const shared = sharedRefMemory(pool);
  const repositories = new Map<string, Opened>();
  return {
    async open(layout) {
      const key = layout.gitDirectory;
      const quick = repositories.get(key)?.quick ?? new QuickLook();
      const stamp = await readStamp(layout, quick);
      const known = repositories.get(key);
      repositories.delete(key);
      const entry =
        known?.stamp === stamp
          ? known
          : { stamp, quick, repository: await openWith(layout, pool, options, shared) };
      repositories.set(key, entry); // the latest last
      for (const oldest of repositories.keys()) {
        if (repositories.size <= MAX_OPEN_REPOSITORIES) break;
        repositories.delete(oldest);
      }
      return entry.repository;
    },
  };
}

/** Changes when the repository is replaced or set up anew. */
async function readStamp({ gitDirectory, configFile }: RepositoryLayout, quick: QuickLook): Promise<string> {
  const paths = [gitDirectory, configFile, `${gitDirectory}/config.worktree`];
  const [directory, config, worktree] = await quick.look(
    () => paths.map(statHere),
    () => Promise.all(paths.map((path) => stat(path, { bigint: true }).catch(() => undefined))),
  );
  const file = (found: typeof config) => (found ? `${found.ino}:${found.size}:${found.mtimeNs}` : "");
  return `${directory?.ino} ${file(config)} ${file(worktree)}`;
}
