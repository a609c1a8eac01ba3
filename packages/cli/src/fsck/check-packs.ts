import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import type { ObjectFormat, ObjectType } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { entryObjectType, PackIndex, PackIndexer } from "@x/pack";
import { createNodeZlibCodec, nodeCrc32, nodeHashInto } from "@x/pack/node";

/** What hears of the objects of a pack. */
export interface PackVisitor {
  /** Each commit, tree and tag, a view. */
  readonly object: (rawId: Uint8Array, type: ObjectType, data: Uint8Array) => void;
  /** Every object of the pack, once it is known to be whole: what no {@link object} was is a blob. */
  readonly packed: (rawId: Uint8Array) => void;
  /** So many objects were looked at. */
  readonly progress: (objects: number) => void;
}

const CHUNK_BYTES = 1024 * 1024;
/** Each waits for the loop once. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The packs of an object directory, and indexes without a pack. */
export function listPacks(objectsDirectory: string): { packs: string[]; strayIndexes: string[] } {
  const directory = join(objectsDirectory, "pack");
  let names: string[] = [];
  try {
    names = readdirSync(directory);
  } catch {
    // No packs, then.
  }
  const all = new Set(names);
  const packs = names.filter((name) => /^pack-.*\.pack$/.test(name)).sort();
  const strayIndexes = names
    .filter((name) => /^pack-.*\.idx$/.test(name) && !all.has(name.replace(/idx$/, "pack")))
    .sort();
  const full = (name: string) => join(directory, name);
  return { packs: packs.map(full), strayIndexes: strayIndexes.map(full) };
}

/**
 * Looks at every byte of a pack and of its index.
 * @returns what is wrong, in words; `undefined` when nothing is
 */
export async function checkPack(
  file: string,
  format: ObjectFormat,
  visitor: PackVisitor,
): Promise<string | undefined> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const { size } = fstatSync(descriptor);
    const source = sourceOf(descriptor, size);
    const indexer = new PackIndexer({
      format,
      codec: createNodeZlibCodec(),
      // It is there already, and whole: a pack that would need more objects is not.
      sink: { append() {}, patch() {} },
      source,
      createHasher: createNodeHasher,
      hashInto: nodeHashInto,
      crc32: nodeCrc32,
      inspect: ({ rawId, kind, data }) => visitor.object(rawId, entryObjectType(kind) as ObjectType, data),
    });
    const chunk = new Uint8Array(CHUNK_BYTES);
    let at = 0;
    for (let ended = false; at < size; ) {
      if (ended) return "there is something behind its end";
      const length = source.read(at, chunk);
      if (length === 0) break;
      at += length;
      ended = indexer.feed(chunk.subarray(0, length));
      visitor.progress(indexer.receivedObjects);
      await nextTurn();
    }
    if (indexer.trailingBytes > 0) return "there is something behind its end";
    const steps = indexer.finishSteps();
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      visitor.progress(indexer.receivedObjects);
      await nextTurn();
    }
    const made = step.value;
    if (made.objects === 0) return undefined;
    for (let i = 0; i < made.index.count; i++) visitor.packed(made.index.rawId(i));
    return compareIndex(file, format, made);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function sourceOf(descriptor: number, size: number) {
  return {
    size,
    read(offset: number, into: Uint8Array): number {
      let done = 0;
      while (done < into.length) {
        const read = readSync(descriptor, into, done, into.length - done, offset + done);
        if (read === 0) break;
        done += read;
      }
      return done;
    },
  };
}

/** @returns how the pack's index is not what it should be */
function compareIndex(
  file: string,
  format: ObjectFormat,
  made: { readonly index: PackIndex; readonly indexBytes: Uint8Array },
): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file.replace(/pack$/, "idx"));
  } catch {
    return "its index cannot be read";
  }
  if (Buffer.compare(bytes, made.indexBytes) === 0) return undefined;
  const hasher = createNodeHasher(format);
  const trailer = bytes.length - (format === "sha1" ? 20 : 32);
  hasher.update(bytes.subarray(0, trailer));
  if (trailer < 0 || Buffer.compare(hasher.digest(), bytes.subarray(trailer)) !== 0)
    return "its index does not match its own checksum";
  // An index of another version, or with larger offsets than need be, may say the same.
  const index = new PackIndex(bytes, format);
  const same = (at: number) =>
    Buffer.compare(index.rawId(at), made.index.rawId(at)) === 0 &&
    index.offset(at) === made.index.offset(at) &&
    (index.crc32(at) ?? made.index.crc32(at)) === made.index.crc32(at);
  if (index.count !== made.index.count) return "its index lists other objects";
  if (Buffer.compare(index.packChecksum, made.index.packChecksum) !== 0)
    return "its index is that of another pack";
  for (let at = 0; at < index.count; at++)
    if (!same(at)) return `its index is wrong about ${made.index.id(at)}`;
  return undefined;
}
