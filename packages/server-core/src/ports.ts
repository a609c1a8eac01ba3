import type { ArchiveEvent, ObjectFormat, ObjectId, ObjectStore } from "@x/objects";
import type { RefStore } from "@x/refs";
import type { ServiceCall } from "./service.ts";

/** One setting as it was written. */
export interface ConfigSetting {
  /** Section and variable in lower case, a subsection as it is. */
  readonly key: string;
  /** `undefined` for a name alone. */
  readonly value: string | undefined;
}

/** A repository's own settings, under git's keys (`receive.denyDeletes`). Only an allow-list of them is honoured. */
export interface RepositoryConfig {
  /** The last value of `key`; section and variable in any case. */
  get(key: string): string | undefined;
  /** Every value of `key`, in order. */
  getAll(key: string): readonly string[];
  /** All settings whose key begins with `prefix` (`bundle.`), in order. Without it `bundle-uri` and `promisor-remote` have nothing to tell. */
  entries?(prefix: string): Iterable<ConfigSetting>;
}

/** What the services need of a repository. */
export interface Repository {
  readonly objectFormat: ObjectFormat;
  readonly objects: ObjectStore;
  readonly refs: RefStore;
  readonly config: RepositoryConfig;
  /** No work tree belongs to it. */
  readonly bare: boolean;
  /**
   * All that clients see lies below this prefix, which they do not see: `refs/namespaces/a/` for the namespace `a`.
   * Spec: gitnamespaces.
   */
  readonly namespace?: string | undefined;
  /** The directory git calls `$GIT_DIR`, for those who run programs on it. */
  readonly directory?: string | undefined;
  /** Its work trees, linked ones too, as they are now. Without it only `HEAD` of a repository that is not bare counts. */
  readonly workTrees?: (() => Promise<readonly WorkTree[]>) | undefined;
  /**
   * Writes anew what clients of dumb transports read, after a push where `receive.updateServerInfo` is set.
   * Spec: git-update-server-info.
   */
  readonly updateServerInfo?: (() => Promise<void>) | undefined;
  /** Its files as they lie, for clients that take them one by one; without it there is no serving of that kind. */
  readonly files?: StoredFiles | undefined;
  /**
   * Formats of archives beside git's own, or in place of `tgz` and `tar.gz`, in the order in which they are listed. From
   * settings that the repository's own cannot make.
   */
  readonly archiveFilters?: readonly ArchiveFilter[] | undefined;
}

/** A format of archives that is made of a tar file. Spec: git-config, `tar.<format>.command` */
export interface ArchiveFilter {
  /** What clients call the format. One character for each byte. */
  readonly name: string;
  /** Clients may have it, unless the repository's own `tar.<name>.remote` says no. */
  readonly remote: boolean;
  /**
   * Gives what becomes of the tar file, messages in between. Ends when `signal` aborts. Without it the format is gzip as
   * `tgz` is.
   * @throws ServiceError whose message the client is told
   */
  readonly run?:
    | ((
        tar: AsyncIterable<ArchiveEvent>,
        options: { readonly level: number | undefined; readonly signal: AbortSignal },
      ) => AsyncIterable<ArchiveEvent>)
    | undefined;
}

/** Names of the files that clients of dumb transports may read as they are stored. */
export type StoredFileName =
  | { readonly kind: "alternates" | "http-alternates" }
  /** `id` as it stands in the path, with nothing between its parts: hexadecimal, in lower case. */
  | { readonly kind: "loose-object"; readonly id: string }
  /** `checksum` is what stands behind `pack-`: hexadecimal, in lower case. */
  | { readonly kind: "pack" | "pack-index"; readonly checksum: string };

/** Files of a repository as they lie. Spec: gitrepository-layout, "objects". */
export interface StoredFiles {
  /** Checksums of the packs that are the repository's own, the latest first. */
  readonly packs: () => Promise<readonly string[]>;
  /** @returns `undefined` when there is none; one that is to be read, or closed */
  readonly open: (name: StoredFileName) => Promise<StoredFile | undefined>;
}

/** One of {@link StoredFiles}, open. */
export interface StoredFile {
  /** Unit: bytes. */
  readonly size: number;
  /** Changes when the content does. */
  readonly stamp: string;
  /** Unit: milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Reads once, in chunks of at most 64 KiB, and closes it, also when left early. Unit: bytes. */
  readonly read: (range: { readonly start: number; readonly end: number }) => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
}

/** Files checked out of a repository. */
export interface WorkTree {
  /** Where the files are. */
  readonly directory: string;
  /** The ref that its `HEAD` stands for; `undefined` when it is detached. */
  readonly branch: string | undefined;
  /**
   * Brings files and index from what `from` holds to what `to` holds (`from` is `undefined` for a branch yet unborn).
   * Whatever is not as `from` has it stays as it is.
   * @returns in C git's words why not, then nothing has changed; `undefined` when done
   * Spec: git-config, `receive.denyCurrentBranch`, "updateInstead".
   */
  readonly update: (
    from: ObjectId | undefined,
    to: ObjectId,
    options: {
      readonly signal: AbortSignal;
      /** Hears, line by line, what the pusher is to be told beside that. One character for each byte. */
      readonly onMessage?: ((line: string) => void) | undefined;
    },
  ) => Promise<string | undefined>;
}

/**
 * Turns what a client wrote into a repository.
 * @returns `undefined` when there is none the caller may know of: absent and forbidden look alike
 * @throws an Error with a message fit for the peer when it is there but cannot be served
 */
export type RepositoryResolver = (call: ServiceCall) => Promise<Repository | undefined>;

/** Where the packages write what happened; pino and console-like loggers fit. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
