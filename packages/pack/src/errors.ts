/** Every way `@x/pack` can fail. The codes are API. Messages are fit for the peer that sent the pack. */
export type PackErrorCode =
  /** The pack, an entry or its header is not what the format asks for. */
  | "pack/malformed"
  /** A zlib stream is broken, stops short, or holds more or less than its header says. */
  | "pack/bad-zlib"
  /** A delta does not fit its base, or yields another size than it declares. */
  | "pack/bad-delta"
  /** The trailing checksum is not that of the bytes before it. */
  | "pack/bad-checksum"
  /** The bytes end too early. */
  | "pack/truncated"
  /** A delta's base is nowhere to be found. */
  | "pack/missing-base"
  /** An id stands for two different contents. */
  | "pack/collision"
  /** A limit was reached; the message names it. */
  | "pack/limit-exceeded"
  /** An index file contradicts itself or its pack. */
  | "pack/bad-index"
  /** An object that a request or another object names is not stored. */
  | "pack/missing-object"
  /** A request for part of a history leaves nothing of it. */
  | "pack/nothing-selected";

/** The one error class of this package. */
export class PackError extends Error {
  override readonly name = "PackError";
  readonly code: PackErrorCode;
  /** Where in the pack or index the trouble starts. Unit: bytes. */
  readonly offset: number | undefined;
  /** The object it is about, in hex, where there is one. */
  readonly id: string | undefined;

  constructor(
    code: PackErrorCode,
    message: string,
    options: { readonly offset?: number; readonly id?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.offset = options.offset;
    this.id = options.id;
  }
}
