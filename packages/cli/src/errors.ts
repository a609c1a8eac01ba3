/** Every way `xgit` itself can fail. The codes are API. */
export type CliErrorCode =
  /** Something on the command line, or in the environment, is not what it should be. */
  | "cli/usage"
  /** What the command line asks for cannot be done; the message says why. */
  | "cli/fatal";

/** Ends the command with `fatal: MESSAGE`. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
