import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import { DeltaPieces } from "../format/delta-pieces.ts";
import { entryObjectType } from "../format/entry-header.ts";
import type { ObjectTable } from "./object-table.ts";
import { MAX_DELTA_DEPTH, type PackEntry, type PackReader } from "./pack-reader.ts";
import type { Spill, SpillRoom } from "./spill-room.ts";

const PIECE_BYTES = 256 * 1024;
/** Whole entries above this are read piece by piece. Unit: bytes. */
const STREAM_BYTES = 1024 * 1024;

/**
 * Puts the object whose entry starts at `offset` together in `room`, whatever its size and that of what it is made of.
 * Yields now and then. @returns it, to be discarded @throws PackError
 */
function* spillEntry(pack: PackReader, offset: number, room: SpillRoom): Generator<void, Spill> {
  const deltas: PackEntry[] = [];
  let entry = pack.entry(offset);
  for (; entryObjectType(entry.type) === undefined; entry = pack.entry(entry.baseOffset))
    if (deltas.push(entry) > MAX_DELTA_DEPTH)
      throw new PackError("pack/malformed", "delta chain has no end", { offset });
  let made = yield* spillPieces(pack.pieces(entry), room);
  for (let delta = deltas.pop(); delta !== undefined; delta = deltas.pop()) {
    const pieces = new DeltaPieces(pack.pieces(delta));
    const { baseSize, resultSize } = pieces.header();
    if (baseSize !== made.size) throw new PackError("pack/bad-delta", "delta does not fit its base");
    const next = room.create();
    for (const _ of pieces.run(made, resultSize, (piece) => next.append(piece))) yield;
    made.discard();
    made = next;
  }
  return made;
}

/** As {@link spillEntry}, for an object that may be loose. */
export function* spillObject(objects: ObjectTable, number: number, room: SpillRoom): Generator<void, Spill> {
  const place = objects.placeOf(number);
  return yield* place === undefined
    ? spillPieces(objects.stream(number), room)
    : spillEntry(place.pack, place.offset, room);
}

function* spillPieces(pieces: Iterable<Uint8Array>, room: SpillRoom): Generator<void, Spill> {
  const spill = room.create();
  for (const piece of pieces) {
    spill.append(piece);
    yield;
  }
  return spill;
}

/** The object whose entry starts at `offset`, however large what it is made of. Yields now and then. @throws PackError */
export function* readWhole(
  pack: PackReader,
  offset: number,
  room: SpillRoom | undefined,
): Generator<void, Uint8Array> {
  const data = readHeld(room, (maxBytes) => pack.read(offset, maxBytes).data);
  if (data !== undefined) return data;
  const spill = yield* spillEntry(pack, offset, room as SpillRoom);
  const bytes = new Uint8Array(spill.size);
  spill.read(0, bytes);
  spill.discard();
  return bytes;
}

/** All of `source` in pieces, each of which holds until the next one is asked for. */
export function* piecesOfSource(source: ByteSource): Generator<Uint8Array, void> {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, source.size));
  for (let at = 0; at < source.size; ) {
    const read = source.read(at, buffer.subarray(0, Math.min(buffer.length, source.size - at)));
    if (read === 0) throw new PackError("pack/truncated", "what was set aside is shorter than it was");
    yield buffer.subarray(0, read);
    at += read;
  }
}

/**
 * The data of the object whose entry starts at `offset`, in pieces that hold until the next is asked for, also where others
 * read from the same pack meanwhile. With `room`, nothing larger than it says is held. Yields now and then. @throws PackError
 */
export function* openPieces(
  pack: PackReader,
  offset: number,
  room: SpillRoom | undefined,
): Generator<void, Iterable<Uint8Array>> {
  const entry = pack.entry(offset);
  if (entryObjectType(entry.type) !== undefined && entry.size > STREAM_BYTES) return pack.stream(offset);
  const data = readHeld(room, (maxBytes) => pack.read(offset, maxBytes).data.slice());
  if (data !== undefined) return [data];
  return discarding(yield* spillEntry(pack, offset, room as SpillRoom));
}

function* discarding(spill: Spill): Generator<Uint8Array, void> {
  try {
    yield* piecesOfSource(spill);
  } finally {
    spill.discard();
  }
}

/**
 * What `read` gives when it is told what it may hold; `undefined` when it says that this is not enough, and there is `room`
 * for more. @throws PackError
 */
export function readHeld<T>(
  room: SpillRoom | undefined,
  read: (maxBytes: number | undefined) => T,
): T | undefined {
  try {
    return read(room?.above);
  } catch (error) {
    if (room !== undefined && error instanceof PackError && error.code === "pack/limit-exceeded")
      return undefined;
    throw error;
  }
}
