import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import type { ObjectId, ObjectType } from "@x/objects";
import { type Inflater, type LooseObjects, PackError, type PackedObject, type ZlibCodec } from "@x/pack";
import { systemCode } from "../errors.ts";
import { readFully } from "./file-source.ts";
import { broken, looseData, MAX_PREAMBLE_BYTES, parsePreamble } from "./loose-format.ts";

/** Enough for the head of a file to come out of it: a stream can open with the tables of its code. Unit: bytes. */
const HEAD_BYTES = 1024;

/** From so many objects on, a look at the directory costs less than one at each of them. */
const MANY = 16;

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
  read(id: ObjectId, maxBytes: number = this.#maxObjectBytes): PackedObject | undefined {
    if (maxBytes < this.#maxObjectBytes && (this.header(id)?.size ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const file = this.#file(id);
    if (file === undefined) return undefined;
    const head = new Uint8Array(MAX_PREAMBLE_BYTES);
    const inflater = this.#start();
    let ended = inflater.write(file, 0, file.length, head, 0);
    let at = inflater.consumed;
    const { type, size, dataAt } = parsePreamble(head.subarray(0, inflater.produced), id);
    if (size > maxBytes) throw tooLarge(maxBytes);
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
    const descriptor = this.#open(id);
    if (descriptor === undefined) return undefined;
    try {
      const bytes = new Uint8Array(HEAD_BYTES);
      const head = new Uint8Array(MAX_PREAMBLE_BYTES);
      const inflater = this.#start();
      inflater.write(bytes, 0, readFully(descriptor, 0, bytes), head, 0);
      const { type, size } = parsePreamble(head.subarray(0, inflater.produced), id);
      return { type, size };
    } finally {
      closeSync(descriptor);
    }
  }

  /** @throws PackError, from the iteration */
  stream(id: ObjectId): Iterable<Uint8Array> | undefined {
    return this.has(id) ? this.#pieces(id) : undefined;
  }

  *#pieces(id: ObjectId): Generator<Uint8Array, void> {
    const descriptor = this.#open(id);
    if (descriptor === undefined) throw new PackError("pack/missing-object", `object ${id} is gone`, { id });
    try {
      yield* looseData(id, descriptor, this.#codec.createInflater());
    } finally {
      closeSync(descriptor);
    }
  }

  #open(id: ObjectId): number | undefined {
    for (const directory of this.#directories) {
      try {
        return openSync(loosePath(directory, id), "r");
      } catch (error) {
        // Not here, or not any more: gc may have packed it.
        if (!isGone(error)) throw error;
      }
    }
    return undefined;
  }

  #file(id: ObjectId): Uint8Array | undefined {
    for (const directory of this.#directories) {
      try {
        return readFileSync(loosePath(directory, id));
      } catch (error) {
        // Not here, or not any more: gc may have packed it.
        if (!isGone(error)) throw error;
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

function isGone(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR" || code === "ESTALE";
}

function tooLarge(maxBytes: number): PackError {
  return new PackError("pack/limit-exceeded", `object exceeds the limit of ${maxBytes} bytes`);
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
