import { closeSync, constants, openSync, readlinkSync, readSync } from "node:fs";
import { hashObject, type ObjectFormat, type ObjectId, objectIdFromBytes, objectPreamble } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { fromBytePath } from "../disk/byte-path.ts";

/** Read at once. Unit: bytes. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The id of a blob with the file's content, `size` bytes long. A file that has another size by now gets an id that no blob has.
 * A symlink at the end of the path is not followed. Yields between chunks.
 */
export function* hashFile(path: string, size: number, format: ObjectFormat): Generator<void, ObjectId> {
  const hasher = createNodeHasher(format);
  hasher.update(objectPreamble("blob", size));
  for (const chunk of readChunks(path, size)) {
    hasher.update(chunk);
    yield;
  }
  return objectIdFromBytes(hasher.digest(), format);
}

/** The whole file. Yields between chunks. */
export function* readFile(path: string, size: number): Generator<void, Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (const chunk of readChunks(path, size)) {
    chunks.push(chunk.slice());
    yield;
  }
  return Buffer.concat(chunks);
}

/** One byte more than `size` at most. A chunk is good until the next one. */
function* readChunks(path: string, size: number): Generator<Uint8Array, void> {
  const descriptor = openSync(
    fromBytePath(path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size + 1));
    for (let left = size + 1; left > 0; ) {
      const length = readSync(descriptor, buffer, 0, Math.min(buffer.length, left), null);
      if (length === 0) return;
      left -= length;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The id of a blob with where the symlink leads. */
export function hashSymlink(path: string, format: ObjectFormat): ObjectId {
  const target = readlinkSync(fromBytePath(path), { encoding: "buffer" });
  return hashObject(format, "blob", target, createNodeHasher);
}
