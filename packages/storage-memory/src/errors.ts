/** Every way `@x/storage-memory` itself can fail; its ports speak of `@x/objects` and `@x/refs`. The codes are API. */
export type StorageMemoryErrorCode =
  /** Not a path that a tree can have, or one that cannot be beside another. */
  | "storage-memory/bad-path"
  /** What a commit or a tag is to name is not there. */
  | "storage-memory/not-found"
  /** A name, an address or a time that cannot stand in a commit. */
  | "storage-memory/bad-identity"
  /** A ref did not change; the message says why. */
  | "storage-memory/ref-rejected";

/** The one error class of this package. */
export class StorageMemoryError extends Error {
  override readonly name = "StorageMemoryError";
  readonly code: StorageMemoryErrorCode;

  constructor(code: StorageMemoryErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
