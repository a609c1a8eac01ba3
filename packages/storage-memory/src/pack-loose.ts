import { crc32, type ObjectType, objectIdToBytes, rawIdLength } from "@x/objects";
import {
  encodeEntryHeader,
  encodePackIndex,
  MAX_ENTRY_HEADER_BYTES,
  objectEntryType,
  type Pace,
  PackIndex,
} from "@x/pack";
import { GrowingBytes } from "./growing-bytes.ts";
import type { ObjectShelf } from "./object-shelf.ts";

/** Below so many, deflating them for each who fetches costs less than it is worth. */
const FEWEST = 64;

/** As C git lays them: history is read without what it is about. */
const ORDER: readonly ObjectType[] = ["commit", "tag", "tree", "blob"];

/**
 * Makes a pack of what is kept one by one, if that is much: then whoever fetches gets bytes that are deflated already, and
 * less memory is taken up. Spec: gitformat-pack.
 */
export async function packLoose(shelf: ObjectShelf, pace: Pace): Promise<void> {
  if (shelf.loose.size < FEWEST) return;
  const { format, tools } = shelf;
  const objects = new Map(shelf.loose);
  const rows = ORDER.flatMap((type) => [...objects].filter(([, object]) => object.type === type).reverse());
  const idLength = rawIdLength(format);
  const ids = new Uint8Array(rows.length * idLength);
  const crcs = new Uint32Array(rows.length);
  const offsets = new Float64Array(rows.length);
  const pack = new GrowingBytes(Number.POSITIVE_INFINITY);
  const hasher = tools.createHasher(format);
  const append = (bytes: Uint8Array): void => {
    hasher.update(bytes);
    pack.append(bytes);
  };
  append(packHeader(rows.length));
  const sum = tools.crc32 ?? crc32;
  const scratch = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  for (const [i, [id, { type, data }]] of rows.entries()) {
    ids.set(objectIdToBytes(id), i * idLength);
    offsets[i] = pack.size;
    const head = scratch.subarray(0, encodeEntryHeader(scratch, 0, objectEntryType(type), data.length));
    const body = tools.codec.deflate(data);
    crcs[i] = sum(body, sum(head, 0));
    append(head);
    append(body);
    await pace.breathe();
  }
  const packChecksum = hasher.digest();
  pack.append(packChecksum);
  pack.trim();
  const byId = rows.map(([id], i) => ({ id, i })).sort((a, b) => (a.id < b.id ? -1 : 1));
  const sorted = Uint32Array.from(byId, ({ i }) => i);
  const index = encodePackIndex(
    { format, count: rows.length, ids, crcs, offsets, sorted, packChecksum },
    tools,
  );
  shelf.replaceLoose(objects, pack, new PackIndex(index, format));
}

function packHeader(count: number): Uint8Array {
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x5041434b); // "PACK"
  view.setUint32(4, 2);
  view.setUint32(8, count);
  return header;
}
