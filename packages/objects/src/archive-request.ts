import type { LineEndingSettings } from "./attributes/line-endings.ts";
import type { ObjectId } from "./object-id.ts";

/** What the making of one archive may cost; then it ends with ObjectsError `objects/limit-exceeded`. */
export interface ArchiveLimits {
  /** Entries, and trees looked into. */
  readonly maxArchiveEntries: number;
  /** Unit: bytes of archive. */
  readonly maxArchiveBytes: number;
  /** Unit: milliseconds of a processor. */
  readonly maxCpuMs: number;
}

/** How an archive is written. */
export type ArchiveFormat = "tar" | "tar.gz" | "zip";

/** Settings that decide what is in an archive. All texts have one character for each byte. */
export interface ArchiveSettings {
  /** Taken away from the modes in a tar file; `user`: what the process has. Spec: git-config, `tar.umask`. */
  readonly umask: number | "user";
  readonly lineEndings: LineEndingSettings;
  /** Larger blobs are written as they are, piece by piece. Unit: bytes. Spec: git-config, `core.bigFileThreshold`. */
  readonly bigFileThreshold: number;
  /** Names that differ in case alone fit the same attributes. */
  readonly ignoreCase: boolean;
  /** Drivers of the `diff` attribute that are said to be of binary files, or not. Spec: git-config, `diff.<driver>.binary`. */
  readonly binaryDrivers: ReadonlyMap<string, boolean>;
  /** Digits of short ids; as many as it takes when not given, and `full` for all. Spec: git-config, `core.abbrev`. */
  readonly abbrev?: number | "full" | undefined;
}

/** A ref as an archive may tell of it. */
export interface ArchiveRef {
  /** In full, one character for each byte. */
  readonly name: string;
  readonly id: ObjectId;
  /** What the tag it holds peels to. */
  readonly peeled?: ObjectId | undefined;
  /** Where it leads, when it is symbolic. */
  readonly symrefTarget?: string | undefined;
}

/** An archive that is wanted, as `git archive` is asked for it. All texts have one character for each byte. */
export interface ArchiveRequest {
  readonly format: ArchiveFormat;
  /** From 0 (as it is) to 9 (smallest); zlib's own choice when not given. */
  readonly level?: number | undefined;
  readonly tree: ObjectId;
  /** The commit that the tree belongs to, for the archive's comment and `export-subst`. */
  readonly commit?: ObjectId | undefined;
  /** Of all entries. Unit: seconds since 1970. */
  readonly time: number;
  /** Stands before the name of each entry. */
  readonly prefix: string;
  /** Pathspecs; everything when there are none. Spec: gitglossary, "pathspec". */
  readonly paths: readonly string[];
  /** The tree's own `.gitattributes` do not count. */
  readonly ignoreTreeAttributes?: boolean | undefined;
  /** Tell the name of each entry. */
  readonly verbose?: boolean | undefined;
  readonly settings: ArchiveSettings;
  readonly limits?: ArchiveLimits | undefined;
}

/** What is asked beside the request, while the archive is being made. */
export interface ArchiveQuestions {
  /** All refs that the client may know of, HEAD among them, in order: for `%d`, `%D` and `%(describe)`. */
  readonly refs?: (() => Promise<readonly ArchiveRef[]>) | undefined;
}

/** An archive in the making: bytes in order, messages for the user (one character for each byte) in between. */
export type ArchiveEvent =
  | {
      readonly kind: "bytes";
      readonly bytes: Uint8Array;
      /** Bytes in front of `bytes` in their buffer that the consumer may write over, to frame them where they lie. */
      readonly headroom?: number;
    }
  | { readonly kind: "message"; readonly text: string };
