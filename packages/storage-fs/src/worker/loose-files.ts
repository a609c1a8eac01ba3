import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isObjectType, type ObjectId, type ObjectType } from "@x/objects";
import { type Inflater, type LooseObjects, PackError, type PackedObject, type ZlibCodec } from "@x/pack";
import { systemCode } from "../errors.ts";

/*
 * objects/<first 2 digits>/<the others>: a zlib stream of <type> SP <size> NUL <data>
 * Spec: gitformat-loose.
 */

/** `commit`, a space, 16 digits of size and a NUL. Unit: bytes. */
const MAX_PREAMBLE_BYTES = 32;

/** From so many objects on, a look at the directory costs less than one at each of them. */
const MANY = 16;

interface Preamble {
  readonly type: ObjectType;
  readonly size: number;
  /** Where the data starts. */
  readonly dataAt: number;
}

/** The loose objects of some object directories, the first one that has an object counting. */
export class LooseFiles implements LooseObjects {
  readonly #directories: readonly string[];
  readonly #codec: ZlibCodec;
  readonly #maxObjectBytes: number;
  #inflater: Inflater | undefined;

  /** @param maxObjectBytes no larger object is read. Unit: bytes. */
  constructor(directories: readonly string[], codec: ZlibCodec, maxObjectBytes: number) {
    this.#directories = directories;
    this.#codec = codec;
    this.#maxObjectBytes = maxObjectBytes;
  }

  has(id: ObjectId): boolean {
    return this.#directories.some((directory) => existsSync(loosePath(directory, id)));
  }

  hasEach(ids: readonly ObjectId[]): boolean[] {
    if (ids.length < MANY) return ids.map((id) => this.has(id));
    const byPart = new Map<string, ObjectId[]>();
    for (const id of ids) {
      const part = id.slice(0, 2);
      const group = byPart.get(part);
      if (group === undefined) byPart.set(part, [id]);
      else group.push(id);
    }
    const found = new Set<ObjectId>();
    for (const directory of this.#directories) {
      const parts = new Set(partsOf(directory));
      for (const [part, group] of byPart) if (parts.has(part)) findIn(directory, part, group, found);
    }
    return ids.map((id) => found.has(id));
  }

  /** @throws PackError `pack/malformed`, `pack/bad-zlib`, `pack/limit-exceeded` */
  read(id: ObjectId): PackedObject | undefined {
    const file = this.#file(id);
    if (file === undefined) return undefined;
    const head = new Uint8Array(MAX_PREAMBLE_BYTES);
    const inflater = this.#start();
    let ended = inflater.write(file, 0, file.length, head, 0);
    let at = inflater.consumed;
    const { type, size, dataAt } = parsePreamble(head.subarray(0, inflater.produced), id);
    if (size > this.#maxObjectBytes)
      throw new PackError(
        "pack/limit-exceeded",
        `object of ${size} bytes exceeds the limit of ${this.#maxObjectBytes}`,
      );
    const data = new Uint8Array(size + 1); // one more, so that a longer stream is noticed
    const first = head.subarray(dataAt, inflater.produced);
    if (first.length > size) throw broken(id);
    data.set(first);
    let filled = first.length;
    while (!ended && at < file.length) {
      ended = inflater.write(file, at, file.length, data, filled);
      at += inflater.consumed;
      filled += inflater.produced;
      if (filled > size || (inflater.consumed === 0 && inflater.produced === 0)) break;
    }
    if (filled !== size) throw broken(id);
    return { type, data: data.subarray(0, size) };
  }

  /** @throws PackError `pack/malformed`, `pack/bad-zlib` */
  header(id: ObjectId): { readonly type: ObjectType; readonly size: number } | undefined {
    const file = this.#file(id);
    if (file === undefined) return undefined;
    const head = new Uint8Array(MAX_PREAMBLE_BYTES);
    const inflater = this.#start();
    inflater.write(file, 0, file.length, head, 0);
    const { type, size } = parsePreamble(head.subarray(0, inflater.produced), id);
    return { type, size };
  }

  #file(id: ObjectId): Uint8Array | undefined {
    for (const directory of this.#directories) {
      try {
        return readFileSync(loosePath(directory, id));
      } catch (error) {
        // Not here, or not any more: gc may have packed it.
        const code = systemCode(error);
        if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ESTALE") throw error;
      }
    }
    return undefined;
  }

  #start(): Inflater {
    this.#inflater ??= this.#codec.createInflater();
    this.#inflater.reset();
    return this.#inflater;
  }
}

/** The names in a directory. Of those that loose objects lie in there are few after a repack. */
function partsOf(objectsDirectory: string): string[] {
  try {
    return readdirSync(objectsDirectory);
  } catch {
    return []; // no directory, no objects
  }
}

/** Adds those of `ids`, which all begin with `part`, that are there. */
function findIn(directory: string, part: string, ids: readonly ObjectId[], found: Set<ObjectId>): void {
  const names = ids.length < MANY ? undefined : new Set(partsOf(`${directory}/${part}`));
  for (const id of ids)
    if (names === undefined ? existsSync(loosePath(directory, id)) : names.has(id.slice(2))) found.add(id);
}

/** Where a loose object lies in an object directory. */
function loosePath(directory: string, id: ObjectId): string {
  return `${directory}/${id.slice(0, 2)}/${id.slice(2)}`;
}

function parsePreamble(head: Uint8Array, id: ObjectId): Preamble {
  const end = head.indexOf(0);
  const [, type = "", digits = ""] =
    /^([a-z]+) (0|[1-9][0-9]{0,15})$/.exec(String.fromCharCode(...head.subarray(0, Math.max(end, 0)))) ?? [];
  if (!isObjectType(type)) throw broken(id);
  return { type, size: Number(digits), dataAt: end + 1 };
}

function broken(id: ObjectId): PackError {
  return new PackError("pack/malformed", `loose object ${id} is corrupt`, { id });
}
