/** Every way `@x/storage-fs` fails by itself; its stores throw `ObjectsError` and `RefsError`. The codes are API. */
export type StorageFsErrorCode =
  /** A config file does not parse, is too large, or holds a value of the wrong kind. */
  | "storage-fs/bad-config"
  /** The repository uses a format or an extension that is not known here. The message is fit for the peer. */
  | "storage-fs/unsupported-repository"
  /** Not a name under which a repository may be made. */
  | "storage-fs/bad-repository-name"
  /** There is something already where a repository was to be made. */
  | "storage-fs/repository-exists"
  /** The index of a work tree is damaged or too large. */
  | "storage-fs/bad-index"
  /** The index of a work tree is of a kind that is not known here, a split or a sparse one for example. */
  | "storage-fs/unsupported-index";

/** The one error class of this package. */
export class StorageFsError extends Error {
  override readonly name = "StorageFsError";
  readonly code: StorageFsErrorCode;

  constructor(code: StorageFsErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}

/** The system's code of a failed call, for example `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
