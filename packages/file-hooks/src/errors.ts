/** Every way a hook can end a step by throwing. The codes are API. */
export type FileHooksErrorCode =
  /** A reference-transaction hook said no. */
  | "file-hooks/declined"
  /** The proc-receive hook did not keep to its protocol. */
  | "file-hooks/proc-receive-failed";

/** What a hook did, where the port that it serves wants an exception. The user was told more by the hook itself. */
export class FileHooksError extends Error {
  override readonly name = "FileHooksError";
  readonly code: FileHooksErrorCode;

  constructor(code: FileHooksErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
