import { type CreateHasher, createHasher, type ObjectFormat, type ObjectType, rawIdLength } from "@x/objects";

/** Hashes `bytes` at once and writes the raw digest into `into` at `at`. */
export type HashInto = (format: ObjectFormat, bytes: Uint8Array, into: Uint8Array, at: number) => void;

/** What stands before an object's data when its id is made is no longer: `commit 9007199254740991` and a NUL. Unit: bytes. */
export const PREAMBLE_ROOM = 24;

/** Ways to hash; the neutral ones where not given. */
export interface HashTools {
  readonly createHasher?: CreateHasher | undefined;
  /** Spares making a hasher for each object. `./node` has one on `node:crypto`. */
  readonly hashInto?: HashInto | undefined;
}

/** Makes ids of objects whose data has {@link PREAMBLE_ROOM} spare bytes before it: one call hashes both. */
export class ObjectHasher {
  readonly #format: ObjectFormat;
  readonly #hashInto: HashInto;

  constructor(format: ObjectFormat, tools: HashTools) {
    this.#format = format;
    this.#hashInto = tools.hashInto ?? hashWith(tools.createHasher ?? createHasher);
  }

  /** Writes the id of the object whose data is `bytes[at … at + size)` into `into` at `intoAt`. Overwrites the room before. */
  hash(
    type: ObjectType,
    bytes: Uint8Array,
    at: number,
    size: number,
    into: Uint8Array,
    intoAt: number,
  ): void {
    let start = at;
    bytes[--start] = 0;
    let rest = size;
    do {
      bytes[--start] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    } while (rest > 0);
    bytes[--start] = 0x20;
    for (let i = type.length - 1; i >= 0; i--) bytes[--start] = type.charCodeAt(i);
    this.#hashInto(this.#format, bytes.subarray(start, at + size), into, intoAt);
  }

  /** Writes the digest of `bytes` into `into` at `at`. */
  digest(bytes: Uint8Array, into: Uint8Array, at: number): void {
    this.#hashInto(this.#format, bytes, into, at);
  }
}

function hashWith(create: CreateHasher): HashInto {
  return (format, bytes, into, at) => {
    const hasher = create(format);
    hasher.update(bytes);
    into.set(hasher.digest().subarray(0, rawIdLength(format)), at);
  };
}
