/** Every way `@x/access-rules` can fail. The codes are API. */
export type AccessRulesErrorCode =
  /** A line of a users file that is not one. */
  | "access-rules/bad-users"
  /** A line of an access file that is not one. */
  | "access-rules/bad-access"
  /** A file that cannot be read. */
  | "access-rules/unreadable"
  /** Passwords cannot be checked any more. */
  | "access-rules/closed";

/** What is wrong with a file, and where. Its message never has a password, a token or a hash in it. */
export class AccessRulesError extends Error {
  override readonly name = "AccessRulesError";
  readonly code: AccessRulesErrorCode;
  /** Counted from 1. */
  readonly line: number | undefined;
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number | undefined;

  constructor(
    code: AccessRulesErrorCode,
    message: string,
    options: { readonly line?: number; readonly column?: number; readonly cause?: unknown } = {},
  ) {
    const { line, column } = options;
    super(line === undefined ? message : `${line}:${column ?? 1}: ${message}`, { cause: options.cause });
    this.code = code;
    this.line = line;
    this.column = column;
  }
}
