import { PackError } from "../errors.ts";
import { entryObjectType } from "../format/entry-header.ts";
import type { PackIndex } from "../format/pack-index.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { PackReader } from "../read/pack-reader.ts";

/** Ids looked up at a time. */
const BATCH = 1024;
/** Whole entries above this are read piece by piece. Unit: bytes. */
const STREAM_BYTES = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** What {@link compareExisting} works with. */
export interface Comparison {
  /** Of the pack that came in. */
  readonly index: PackIndex;
  /** That pack; asked for when there is something to compare. */
  readonly openPack: () => PackReader;
  /** Where the entries end that came; what stands behind was taken from the store itself. Unit: bytes. */
  readonly receivedEnd: number;
  readonly stored: ObjectTable;
  readonly codec: ZlibCodec;
}

/**
 * Compares each object of the pack that is stored already with what is stored, byte by byte: an id that stands for
 * two contents must not get in. Yields now and then.
 * @throws PackError `pack/collision`
 */
export function* compareExisting(comparison: Comparison): Generator<void, void> {
  const { index, stored, receivedEnd } = comparison;
  const positions: number[] = [];
  for (let from = 0; from < index.count; from += BATCH) {
    const batch: number[] = [];
    for (let position = from; position < Math.min(index.count, from + BATCH); position++)
      if (index.offset(position) < receivedEnd) batch.push(position);
    // Mostly nothing is there, and what came a moment ago may be stored twice.
    const has = stored.hasEach(
      batch.map((position) => index.id(position)),
      false,
    );
    for (const [i, position] of batch.entries()) if (has[i]) positions.push(position);
    yield;
  }
  // As they lie: bases are near their deltas.
  positions.sort((a, b) => index.offset(a) - index.offset(b));
  if (positions.length === 0) return;
  const pack = comparison.openPack();
  for (const position of positions) {
    yield;
    const number = stored.find(index.rawId(position), 0);
    if (number >= 0) yield* compareOne(pack, comparison, position, number);
  }
}

function* compareOne(
  pack: PackReader,
  { stored, codec }: Comparison,
  position: number,
  number: number,
): Generator<void, void> {
  const id = pack.index.id(position);
  const offset = pack.index.offset(position);
  const collision = () => new PackError("pack/collision", `SHA1 COLLISION FOUND WITH ${id} !`, { id });
  const header = pack.header(offset);
  const there = asStored(id, () => stored.header(number));
  if (there.type !== header.type || there.size !== header.size) throw collision();
  const ours = piecesOf(stored, number, codec);
  let rest: Uint8Array = new Uint8Array(0);
  for (const piece of entryPieces(pack, offset, codec)) {
    for (let at = 0; at < piece.length; ) {
      if (rest.length === 0) rest = asStored(id, () => ours.next().value ?? new Uint8Array(0));
      const size = Math.min(rest.length, piece.length - at);
      if (size === 0) throw collision();
      for (let i = 0; i < size; i++) if (rest[i] !== piece[at + i]) throw collision();
      rest = rest.subarray(size);
      at += size;
    }
    yield;
  }
}

function asStored<T>(id: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PackError) || error.code === "pack/limit-exceeded") throw error;
    throw new PackError("pack/malformed", `cannot read existing object ${id}`, { id, cause: error });
  }
}

function* piecesOf(stored: ObjectTable, number: number, codec: ZlibCodec): Generator<Uint8Array, undefined> {
  const pack = stored.packOf(number);
  if (pack < 0) {
    yield stored.read(number).data;
    return;
  }
  const reader = stored.packs[pack] as PackReader;
  yield* entryPieces(reader, reader.index.offset(number - stored.startOf(pack)), codec);
}

/** An object's data. Each piece holds until the next one is asked for. */
function* entryPieces(pack: PackReader, offset: number, codec: ZlibCodec): Generator<Uint8Array, undefined> {
  const entry = pack.entry(offset);
  if (entryObjectType(entry.type) === undefined || entry.size <= STREAM_BYTES) {
    // The other side may read through the same cache.
    yield pack.read(offset).data.slice();
    return;
  }
  const inflater = codec.createInflater();
  const input = new Uint8Array(PIECE_BYTES);
  const output = new Uint8Array(PIECE_BYTES);
  let left = entry.size;
  for (let at = offset + entry.dataAt; left > 0; ) {
    const read = pack.source.read(at, input);
    inflater.write(input, 0, read, output, 0);
    const { consumed, produced } = inflater;
    if ((consumed === 0 && produced === 0) || produced > left)
      throw new PackError("pack/bad-zlib", "inflate returned -5", { offset });
    at += consumed;
    left -= produced;
    yield output.subarray(0, produced);
  }
}
