import type { ObjectsErrorCode } from "@x/objects";

/** Every way `@x/archive` can fail. The codes are API. Messages are fit for the peer that asked. */
export type ArchiveErrorCode =
  /** A pathspec cannot be read, or matches nothing. In git's words. */
  | "archive/bad-pathspec"
  /** The format has no room for something. In git's words. */
  | "archive/unsupported"
  /** A limit was reached; the message names it. */
  | "archive/limit-exceeded"
  /** An object that the tree needs is not stored, or is of another type. In git's words. */
  | "archive/missing-object";

/** The one error class of this package. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
  readonly code: ArchiveErrorCode;
  /** The object it is about, in hex, where there is one. */
  readonly id: string | undefined;

  constructor(code: ArchiveErrorCode, message: string, options: { readonly id?: string } = {}) {
    super(message);
    this.code = code;
    this.id = options.id;
  }
}

const PORT_CODES: Readonly<Record<ArchiveErrorCode, ObjectsErrorCode>> = {
  "archive/bad-pathspec": "objects/bad-archive-request",
  "archive/unsupported": "objects/bad-archive-request",
  "archive/limit-exceeded": "objects/limit-exceeded",
  "archive/missing-object": "objects/not-found",
};

/** What a store says where this package has failed, for the port speaks `@x/objects` only; `undefined` for errors of others. */
export function archiveErrorCode(error: unknown): ObjectsErrorCode | undefined {
  return error instanceof ArchiveError ? PORT_CODES[error.code] : undefined;
}
