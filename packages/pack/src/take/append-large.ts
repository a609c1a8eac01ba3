import { PackError } from "../errors.ts";
import { deflatePieces } from "../format/deflate-pieces.ts";
import { entryObjectType } from "../format/entry-header.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import type { PackReader } from "../read/pack-reader.ts";
import { piecesOfSource } from "../read/spill-object.ts";
import type { LargeBase } from "./complete-thin-pack.ts";

const PIECE_BYTES = 256 * 1024;

/** Hands a zlib stream of `base` to `append`, in pieces: the one that it has where it lies, if it lies whole. Yields after each. */
export function* appendLarge(
  base: LargeBase,
  codec: ZlibCodec,
  append: (bytes: Uint8Array) => void,
): Generator<void, void> {
  const { place } = base;
  if (place !== undefined && entryObjectType(place.pack.entry(place.offset).type) !== undefined) {
    yield* copyStream(place.pack, place.offset, append);
    return;
  }
  const spill = yield* base.spill();
  for (const piece of deflatePieces(piecesOfSource(spill), codec)) {
    append(piece);
    yield;
  }
  spill.discard();
}

function* copyStream(
  pack: PackReader,
  offset: number,
  append: (bytes: Uint8Array) => void,
): Generator<void, void> {
  const { index, source, entriesEnd } = pack;
  yield* index.prepareOrder();
  const next = index.order[index.rankOfOffset(offset) + 1];
  const end = next === undefined ? entriesEnd : index.offset(next);
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let at = offset + pack.entry(offset).dataAt; at < end; ) {
    const read = source.read(at, buffer.subarray(0, Math.min(buffer.length, end - at)));
    if (read === 0) throw new PackError("pack/truncated", "an entry stops short", { offset });
    append(buffer.subarray(0, read));
    at += read;
    yield;
  }
}
