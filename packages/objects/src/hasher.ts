import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type ObjectFormat, type ObjectId, objectIdFromBytes } from "./object-id.ts";
import type { ObjectType } from "./object-type.ts";

/** An incremental hash. After `digest` it is spent. */
export interface Hasher {
  /** Takes `bytes` in; they may be reused by the caller afterwards. */
  update(bytes: Uint8Array): void;
  /** 20 bytes (sha1) or 32 (sha256), owned by the caller. */
  digest(): Uint8Array;
}

/** Makes a fresh {@link Hasher}. `./node` has one on `node:crypto`. */
export type CreateHasher = (format: ObjectFormat) => Hasher;

/** The neutral {@link CreateHasher}. It does not detect SHA-1 collision attacks. */
export const createHasher: CreateHasher = (format) => {
  const hash = format === "sha1" ? sha1.create() : sha256.create();
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
};

const encoder = new TextEncoder();

/** What is hashed before an object's data: `<type> SP <size> NUL`. Spec: user-manual, "Object storage format". */
export function objectPreamble(type: ObjectType, size: number): Uint8Array {
  return encoder.encode(`${type} ${size}\0`);
}

/** The id of an object with this type and data. */
export function hashObject(
  format: ObjectFormat,
  type: ObjectType,
  data: Uint8Array,
  create: CreateHasher = createHasher,
): ObjectId {
  const hasher = create(format);
  hasher.update(objectPreamble(type, data.length));
  hasher.update(data);
  return objectIdFromBytes(hasher.digest(), format);
}
