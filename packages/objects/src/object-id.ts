import { ObjectsError } from "./errors.ts";

declare const brand: unique symbol;

/**
 * Lower-case hex name of an object: 40 digits (sha1) or 64 (sha256).
 * Made by {@link parseObjectId}, {@link objectIdFromBytes} and {@link zeroId} only.
 */
export type ObjectId = string & { readonly [brand]: "ObjectId" };

/** The hash a repository names its objects with. Spec: git-config, `extensions.objectFormat`. */
export type ObjectFormat = "sha1" | "sha256";

/** Length of a raw object id. Unit: bytes. */
export function rawIdLength(format: ObjectFormat): 20 | 32 {
  return format === "sha1" ? 20 : 32;
}

/** Length of a hex object id. Unit: digits. */
export function hexIdLength(format: ObjectFormat): 40 | 64 {
  return format === "sha1" ? 40 : 64;
}

const SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Accepts upper-case digits, as C git does, and gives lower case.
 * @returns the id, or `undefined` when `text` is not one of `format`. Never throws: callers hold untrusted text.
 */
export function parseObjectId(text: string, format: ObjectFormat): ObjectId | undefined {
  if (text.length !== hexIdLength(format)) return undefined;
  const pattern = format === "sha1" ? SHA1 : SHA256;
  if (pattern.test(text)) return text as ObjectId;
  const lower = text.toLowerCase();
  return pattern.test(lower) ? (lower as ObjectId) : undefined;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The id whose raw form stands in `bytes` from `at` on. @throws ObjectsError `objects/bad-id` when it stops short. */
export function objectIdFromBytes(bytes: Uint8Array, format: ObjectFormat, at = 0): ObjectId {
  const end = at + rawIdLength(format);
  if (end > bytes.length) throw new ObjectsError("objects/bad-id", "a raw object id stops short");
  let hex = "";
  for (let i = at; i < end; i++) hex += HEX[bytes[i] as number];
  return hex as ObjectId;
}

const NIBBLE: Uint8Array = new Uint8Array(128);
for (let value = 0; value < 16; value++) NIBBLE[value.toString(16).charCodeAt(0)] = value;

/** The raw form of `id`, 20 or 32 bytes. */
export function objectIdToBytes(id: ObjectId): Uint8Array {
  const bytes = new Uint8Array(id.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = NIBBLE[id.charCodeAt(i * 2)] as number;
    bytes[i] = (high << 4) | (NIBBLE[id.charCodeAt(i * 2 + 1)] as number);
  }
  return bytes;
}

const ZERO_SHA1 = "0".repeat(40) as ObjectId;
const ZERO_SHA256 = "0".repeat(64) as ObjectId;

/** The id that stands for "no object" on the wire and in ref updates. */
export function zeroId(format: ObjectFormat): ObjectId {
  return format === "sha1" ? ZERO_SHA1 : ZERO_SHA256;
}

/** Whether `id` stands for "no object". */
export function isZeroId(id: ObjectId): boolean {
  return id === ZERO_SHA1 || id === ZERO_SHA256;
}
