import { createHash } from "node:crypto";
import type { CreateHasher } from "./hasher.ts";

/** {@link CreateHasher} on `node:crypto`, about four times as fast as the neutral one. */
export const createNodeHasher: CreateHasher = (format) => {
  const hash = createHash(format);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
};
