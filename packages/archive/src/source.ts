import type { CreateHasher, ObjectFormat, ObjectHeader, ObjectId, StoredObject } from "@x/objects";

/** Where the objects of an archive are read from. Synchronous: archives are made in worker threads, or of what is in memory. */
export interface ArchiveSource {
  readonly format: ObjectFormat;
  /** `undefined` when it is not stored. What is returned holds until the next call. */
  read(id: ObjectId): StoredObject | undefined;
  /** `undefined` when it is not stored. */
  header(id: ObjectId): ObjectHeader | undefined;
  /** The data of a blob piece by piece, each holding until the next is asked for. Without it large blobs are read whole. */
  stream?(id: ObjectId): Iterable<Uint8Array>;
  /** How many digits of an id tell it from all others that are stored, at least `least`. Without it ids stay whole. */
  abbreviate?(id: ObjectId, least: number | undefined): number;
  /** `$GIT_DIR/info/attributes`. One character for each byte. */
  readonly repositoryAttributes?: string | undefined;
  /** The operator's own attributes. One character for each byte. */
  readonly userAttributes?: string | undefined;
}

/** Makes one gzip file of what is written. What comes out holds until the next is asked for. */
export interface Gzip {
  /** How much {@link write} is given at a time. Unit: bytes. */
  readonly blockBytes: number;
  /** Takes a block; it may be written over once all that comes out was taken. */
  write(block: Uint8Array): Iterable<Uint8Array>;
  /** Ends it with what is less than a block. */
  end(rest: Uint8Array): Iterable<Uint8Array>;
}

/** What the making of an archive is done with. */
export interface ArchiveTools {
  readonly createHasher: CreateHasher;
  /** What `tar.umask` means by `user`. */
  readonly umask?: number;
  /** Default: the system's. Unit: milliseconds since 1970. */
  readonly now?: () => number;
  /**
   * Compresses tar files at a level from 0 to 9, or the usual one. Default: one that runs anywhere, at a third of the
   * speed, and makes zlib's own bytes.
   */
  readonly createGzip?: (level: number | undefined) => Gzip;
}
