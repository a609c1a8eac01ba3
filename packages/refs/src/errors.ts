/** Every way `@x/refs` and the stores that fill its port can fail. The codes are API. */
export type RefsErrorCode =
  /** Not a name that git-check-ref-format accepts. */
  | "refs/bad-name"
  /** A packed-refs file or a loose ref does not parse. */
  | "refs/malformed"
  /** What a reftable is to hold is larger than one of its blocks. */
  | "refs/too-large"
  /** The medium failed; nothing is promised about the edits, read again. */
  | "refs/unavailable";

/** The one error class of this package. */
export class RefsError extends Error {
  override readonly name = "RefsError";
  readonly code: RefsErrorCode;

  constructor(code: RefsErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
