import { isObjectType, type ObjectId, type ObjectType } from "@x/objects";
import { type Inflater, PackError } from "@x/pack";
import { readFully } from "./file-source.ts";

/*
 * objects/<first 2 digits>/<the others>: a zlib stream of <type> SP <size> NUL <data>
 * Spec: gitformat-loose.
 */

/** `commit`, a space, 16 digits of size and a NUL. Unit: bytes. */
export const MAX_PREAMBLE_BYTES = 32;

/** A large file is read in pieces of this. Unit: bytes. */
const PIECE_BYTES = 64 * 1024;

/** What a file says of its object first. */
export interface Preamble {
  readonly type: ObjectType;
  readonly size: number;
  /** Where the data starts. */
  readonly dataAt: number;
}

/** @throws PackError `pack/malformed` */
export function parsePreamble(head: Uint8Array, id: ObjectId): Preamble {
  const end = head.indexOf(0);
  const [, type = "", digits = ""] =
    /^([a-z]+) (0|[1-9][0-9]{0,15})$/.exec(String.fromCharCode(...head.subarray(0, Math.max(end, 0)))) ?? [];
  if (!isObjectType(type)) throw broken(id);
  return { type, size: Number(digits), dataAt: end + 1 };
}

export function broken(id: ObjectId): PackError {
  return new PackError("pack/malformed", `loose object ${id} is corrupt`, { id });
}

/**
 * The data of the loose object in an open file, in pieces that hold until the next one is asked for.
 * @throws PackError `pack/malformed`, `pack/bad-zlib`
 */
export function* looseData(
  id: ObjectId,
  descriptor: number,
  inflater: Inflater,
): Generator<Uint8Array, void> {
  const input = new Uint8Array(PIECE_BYTES);
  const output = new Uint8Array(PIECE_BYTES);
  let left = -1;
  let ended = false;
  for (let offset = 0; !ended; ) {
    const read = readFully(descriptor, offset, input);
    if (read === 0) break;
    for (let next = 0; next < read && !ended; ) {
      ended = inflater.write(input, next, read, output, 0);
      const { consumed, produced } = inflater;
      next += consumed;
      let from = 0;
      if (left < 0 && produced > 0) {
        // No preamble is so long that it could be cut in two by what the first read gives.
        const { size, dataAt } = parsePreamble(
          output.subarray(0, Math.min(produced, MAX_PREAMBLE_BYTES)),
          id,
        );
        left = size;
        from = dataAt;
      }
      left -= produced - from;
      if (left < 0 && produced > 0) throw broken(id);
      if (produced > from) yield output.subarray(from, produced);
      if (consumed === 0 && produced === 0) break;
    }
    offset += read;
  }
  if (left !== 0) throw broken(id);
}
