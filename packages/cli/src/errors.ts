/** Every way `xgit` itself can fail. The codes are API. */
export type CliErrorCode =
  /** Something on the command line, or in the environment, is not what it should be. */
  | "cli/usage"
  /** What the command line asks for cannot be done; the message says why. */
  | "cli/fatal";

/** Ends the command with `fatal: MESSAGE`, or `error: MESSAGE` when it is about the command line. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;
  /** Lines to be written before the message; nothing in them can move a cursor. */
  readonly before: string;
  /** Lines to be written after it. */
  readonly after: string;

  constructor(
    code: CliErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly before?: string; readonly after?: string } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.before = options.before ?? "";
    this.after = options.after ?? "";
  }
}
