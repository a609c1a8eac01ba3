/** Every way `@x/conformance` fails. The codes are API. */
export type ConformanceErrorCode =
  /** A store does not do what its port says. */
  | "conformance/broken-promise"
  /** A case that is listed as a known gap passes: take it off the list. */
  | "conformance/gap-closed"
  /** A known gap is the name of no case. */
  | "conformance/unknown-gap";

/** The one error class of this package. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
  readonly code: ConformanceErrorCode;

  constructor(code: ConformanceErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
