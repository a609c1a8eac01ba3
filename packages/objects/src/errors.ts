/** Every way `@x/objects` and the stores that fill its ports can fail. The codes are API. */
export type ObjectsErrorCode =
  /** Text or bytes that do not name an object of this format. */
  | "objects/bad-id"
  /** An object's bytes are not what its type asks for. */
  | "objects/malformed"
  /** A setting says what it cannot say. The message is in git's words. */
  | "objects/bad-setting"
  /** An object that has to exist does not. */
  | "objects/not-found"
  /** What is stored contradicts itself: a wrong checksum, a truncated pack. */
  | "objects/corrupt"
  /** A received pack is not one, or lacks a base. The message is fit for the peer. */
  | "objects/bad-pack"
  /** A received object has a flaw that is not let in. The message is in C git's words. */
  | "objects/refused"
  /** A limit was reached. The message names it and is fit for the peer. */
  | "objects/limit-exceeded"
  /** The history offers no answer to a deepen request. The message is fit for the peer. */
  | "objects/nothing-selected"
  /** No archive can be made as asked. The message is in C git's words, fit for the peer. */
  | "objects/bad-archive-request"
  /** The store cannot take part any more: closed, or its medium failed. */
  | "objects/unavailable";

/** The one error class of this package. */
export class ObjectsError extends Error {
  override readonly name = "ObjectsError";
  readonly code: ObjectsErrorCode;
  /** The object it is about, where there is one. */
  readonly id: string | undefined;

  constructor(
    code: ObjectsErrorCode,
    message: string,
    options: { readonly id?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.id = options.id;
  }
}
