import { PackError } from "../errors.ts";
import type { PackIndex } from "../format/pack-index.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { PackReader } from "../read/pack-reader.ts";
import { openPieces } from "../read/spill-object.ts";
import type { SpillRoom } from "../read/spill-room.ts";

/** Ids looked up at a time. */
const BATCH = 1024;

/** What {@link compareExisting} works with. */
export interface Comparison {
  /** Of the pack that came in. */
  readonly index: PackIndex;
  /** That pack; asked for when there is something to compare. */
  readonly openPack: () => PackReader;
  /** Where the entries end that came; what stands behind was taken from the store itself. Unit: bytes. */
  readonly receivedEnd: number;
  readonly stored: ObjectTable;
  /** For what is too large to be held in memory; without it everything is. */
  readonly room?: SpillRoom | undefined;
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
  { stored, room }: Comparison,
  position: number,
  number: number,
): Generator<void, void> {
  const id = pack.index.id(position);
  const offset = pack.index.offset(position);
  const collision = () => new PackError("pack/collision", `SHA1 COLLISION FOUND WITH ${id} !`, { id });
  const header = pack.header(offset);
  const there = asStored(id, () => stored.header(number));
  if (there.type !== header.type || there.size !== header.size) throw collision();
  const ours = (yield* openStored(stored, number, id, room))[Symbol.iterator]();
  try {
    let rest: Uint8Array = new Uint8Array(0);
    for (const piece of yield* openPieces(pack, offset, room)) {
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
  } finally {
    ours.return?.();
  }
}

function* openStored(
  stored: ObjectTable,
  number: number,
  id: string,
  room: SpillRoom | undefined,
): Generator<void, Iterable<Uint8Array>> {
  try {
    const place = stored.placeOf(number);
    return place === undefined ? stored.stream(number) : yield* openPieces(place.pack, place.offset, room);
  } catch (error) {
    throw unreadable(id, error);
  }
}

function asStored<T>(id: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(id, error);
  }
}

function unreadable(id: string, error: unknown): unknown {
  if (!(error instanceof PackError) || error.code === "pack/limit-exceeded") return error;
  return new PackError("pack/malformed", `cannot read existing object ${id}`, { id, cause: error });
}
