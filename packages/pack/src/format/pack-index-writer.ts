import { type ObjectFormat, rawIdLength } from "@x/objects";
import { type HashTools, ObjectHasher } from "../take/object-hasher.ts";

/*
 *   \377tOc, u32 2                          RIDX, u32 1, u32 hash (1 sha1, 2 sha256)
 *   256 × u32 fanout                        n × u32 index position, in the order of the pack
 *   n × id, sorted                          pack checksum, own checksum
 *   n × u32 crc32
 *   n × u32 offset (MSB: index into the next)
 *   m × u64 offset
 *   pack checksum, own checksum
 *
 * Spec: gitformat-pack, "Version 2 pack-*.idx files" and "pack-*.rev files have the format".
 */

/** What an index says of a pack. Column k of each is about one object. */
export interface IndexedObjects {
  readonly format: ObjectFormat;
  readonly count: number;
  /** Raw ids in a row. */
  readonly ids: Uint8Array;
  /** CRC-32 of the entries. */
  readonly crcs: Uint32Array;
  /** Where the entries start, ascending. Unit: bytes. */
  readonly offsets: Float64Array;
  /** The columns in the order of their ids. */
  readonly sorted: Uint32Array;
  /** The checksum that ends the pack, raw. */
  readonly packChecksum: Uint8Array;
}

const LARGEST_SMALL_OFFSET = 0x7fffffff;

/**
 * The `.idx` file (version 2) of a pack, byte for byte what C git writes.
 * @param largestSmallOffset offsets above it take 64 bits, as with `git index-pack --index-version=2,OFFSET`
 */
export function encodePackIndex(
  objects: IndexedObjects,
  tools: HashTools = {},
  largestSmallOffset: number = LARGEST_SMALL_OFFSET,
): Uint8Array {
  const { format, count, ids, crcs, offsets, sorted, packChecksum } = objects;
  const idLength = rawIdLength(format);
  let large = 0;
  for (let i = count - 1; i >= 0 && (offsets[i] as number) > largestSmallOffset; i--) large++;
  const idsAt = 8 + 256 * 4;
  const crcsAt = idsAt + count * idLength;
  const offsetsAt = crcsAt + count * 4;
  const largeAt = offsetsAt + count * 4;
  const file = new Uint8Array(largeAt + large * 8 + 2 * idLength);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xff744f63);
  view.setUint32(4, 2);
  let nextLarge = 0;
  let filled = 0;
  for (let position = 0; position < count; position++) {
    const column = sorted[position] as number;
    const at = column * idLength;
    const first = ids[at] as number;
    while (filled < first) view.setUint32(8 + 4 * filled++, position);
    file.set(ids.subarray(at, at + idLength), idsAt + position * idLength);
    view.setUint32(crcsAt + position * 4, crcs[column] as number);
    const offset = offsets[column] as number;
    if (offset > largestSmallOffset) {
      view.setUint32(offsetsAt + position * 4, 0x80000000 + nextLarge);
      view.setUint32(largeAt + nextLarge * 8, Math.floor(offset / 0x100000000));
      view.setUint32(largeAt + nextLarge * 8 + 4, offset % 0x100000000);
      nextLarge++;
    } else view.setUint32(offsetsAt + position * 4, offset);
  }
  while (filled < 256) view.setUint32(8 + 4 * filled++, count);
  return sealed(file, format, packChecksum, tools);
}

/** The `.rev` file of a pack, byte for byte what C git writes. */
export function encodeReverseIndex(objects: IndexedObjects, tools: HashTools = {}): Uint8Array {
  const { format, count, sorted, packChecksum } = objects;
  const file = new Uint8Array(12 + count * 4 + 2 * rawIdLength(format));
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x52494458);
  view.setUint32(4, 1);
  view.setUint32(8, format === "sha1" ? 1 : 2);
  for (let position = 0; position < count; position++)
    view.setUint32(12 + (sorted[position] as number) * 4, position);
  return sealed(file, format, packChecksum, tools);
}

function sealed(
  file: Uint8Array,
  format: ObjectFormat,
  packChecksum: Uint8Array,
  tools: HashTools,
): Uint8Array {
  const end = file.length - rawIdLength(format);
  file.set(packChecksum, end - packChecksum.length);
  new ObjectHasher(format, tools).digest(file.subarray(0, end), file, end);
  return file;
}
