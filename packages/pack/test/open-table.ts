import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import type { ObjectFormat, ObjectId, ObjectType } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { memorySource } from "../src/format/byte-source.ts";
import {
  type BitmapFile,
  type CommitGraph,
  createZlibCodec,
  DeltaBaseCache,
  type LooseObjects,
  ObjectTable,
  type PackedObject,
  PackIndex,
  PackReader,
} from "../src/index.ts";
import { createNodeZlibCodec } from "../src/node.ts";

export interface OpenOptions {
  /** Small, so that what is kept is overwritten all the time. Unit: bytes. */
  readonly cacheBytes?: number;
  readonly maxWindows?: number;
  readonly neutral?: boolean;
  readonly commitGraph?: CommitGraph;
  /** What is heard of bitmaps that are passed over. Without it, nobody looks for bitmaps. */
  readonly warnings?: string[];
  /** Stands in for reading the file at a path. */
  readonly bitmapBytes?: (path: string) => Uint8Array | undefined;
}

/** A pack in memory with its index. */
export function readerOf(
  pack: Uint8Array,
  index: Uint8Array,
  format: ObjectFormat,
  options: OpenOptions & {
    readonly cache?: DeltaBaseCache;
    readonly maxObjectBytes?: number;
    readonly bitmapFile?: BitmapFile;
  } = {},
): PackReader {
  return new PackReader(memorySource(pack), new PackIndex(index, format), {
    codec: options.neutral ? createZlibCodec() : createNodeZlibCodec(),
    cache: options.cache ?? new DeltaBaseCache(options.cacheBytes ?? 4 * 1024 * 1024),
    maxObjectBytes: options.maxObjectBytes ?? 64 * 1024 * 1024,
    ...(options.maxWindows === undefined ? {} : { maxWindows: options.maxWindows }),
    bitmapFile: options.bitmapFile,
  });
}

/** All packs of a repository, read into memory. */
function readPacks(gitDirectory: string, format: ObjectFormat, options: OpenOptions = {}): PackReader[] {
  const directory = join(gitDirectory, "objects/pack");
  const cache = new DeltaBaseCache(options.cacheBytes ?? 4 * 1024 * 1024);
  return readdirSync(directory)
    .filter((name) => name.endsWith(".idx"))
    .map((name) => join(directory, name.slice(0, -4)))
    .map((path) =>
      readerOf(readFileSync(`${path}.pack`), readFileSync(`${path}.idx`), format, {
        ...options,
        cache,
        ...(options.warnings && {
          bitmapFile: bitmapFileOf(
            () => (options.bitmapBytes ?? readIfThere)(`${path}.bitmap`),
            options.warnings,
          ),
        }),
      }),
    );
}

function readIfThere(path: string): Uint8Array | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** A bitmap file in memory; its bytes are its name. */
function bitmapFileOf(bytes: () => Uint8Array | undefined, warnings: string[]): BitmapFile {
  return {
    open(butNot) {
      const found = bytes();
      const name = found && Buffer.from(found).toString("latin1");
      return found && name !== undefined && name !== butNot
        ? { source: memorySource(found), name }
        : undefined;
    },
    createHasher: createNodeHasher,
    warn: (message) => warnings.push(message),
  };
}

/** What a repository has on disk now. */
export function openTable(
  gitDirectory: string,
  format: ObjectFormat,
  options: OpenOptions = {},
): ObjectTable {
  const packs = readPacks(gitDirectory, format, options);
  const graph = () => options.commitGraph;
  return new ObjectTable(format, packs, looseFiles(gitDirectory), undefined, graph);
}

export const NOTHING_LOOSE: LooseObjects = {
  has: () => false,
  read: () => undefined,
  header: () => undefined,
};

function looseFiles(gitDirectory: string): LooseObjects {
  const path = (id: ObjectId) => join(gitDirectory, "objects", id.slice(0, 2), id.slice(2));
  const read = (id: ObjectId): PackedObject | undefined => {
    if (!existsSync(path(id))) return undefined;
    const bytes = inflateSync(readFileSync(path(id)));
    const end = bytes.indexOf(0);
    const type = bytes.toString("latin1", 0, bytes.indexOf(0x20)) as ObjectType;
    return { type, data: new Uint8Array(bytes.subarray(end + 1)) };
  };
  return {
    has: (id) => existsSync(path(id)),
    read,
    header(id) {
      const object = read(id);
      return object && { type: object.type, size: object.data.length };
    },
  };
}

/** Runs a walk to its end. */
export function finish<Result>(walk: Generator<unknown, Result>): Result {
  for (;;) {
    const step = walk.next();
    if (step.done) return step.value;
  }
}

/** The number of an object that has to be there. */
export function numberOf(table: ObjectTable, id: string): number {
  const number = table.findId(id as ObjectId);
  if (number < 0) throw new Error(`${id} is not stored`);
  return number;
}
