import { hashObject, type ObjectFormat, type ObjectId, type ObjectType, objectIdToBytes } from "@x/objects";
import { sortIds } from "../src/format/sort-ids.ts";
import {
  type BitmapFile,
  type DeltaBaseCache,
  encodePackIndex,
  type LooseObjects,
  ObjectTable,
  type PackReader,
} from "../src/index.ts";
import { readerOf } from "./open-table.ts";
import { concat, packOf, whole } from "./pack-builder.ts";

export interface MemoryObject {
  readonly type: ObjectType;
  readonly data: Uint8Array;
}

export function idOf({ type, data }: MemoryObject, format: ObjectFormat = "sha1"): ObjectId {
  return hashObject(format, type, data);
}

/** An index that says of a pack whatever it is told, true or not. */
export function indexSaying(
  pack: Uint8Array,
  places: readonly { readonly id: Uint8Array; readonly offset: number }[],
  format: ObjectFormat = "sha1",
): Uint8Array {
  const idLength = format === "sha1" ? 20 : 32;
  const ids = concat(...places.map((place) => place.id));
  return encodePackIndex({
    format,
    count: places.length,
    ids,
    crcs: new Uint32Array(places.length),
    offsets: Float64Array.from(places, (place) => place.offset),
    sorted: sortIds(ids, places.length, idLength),
    packChecksum: pack.subarray(pack.length - idLength),
  });
}

/** A pack of ready-made entries under the ids given, with its index. */
export function packed(
  entries: readonly { readonly id: Uint8Array; readonly bytes: Uint8Array }[],
  options: {
    readonly cache?: DeltaBaseCache;
    readonly format?: ObjectFormat;
    readonly bitmapFile?: BitmapFile;
  } = {},
): PackReader {
  const { format = "sha1", ...rest } = options;
  const pack = packOf(
    entries.map((entry) => entry.bytes),
    { format },
  );
  let offset = 12;
  const places = entries.map(({ id, bytes }) => {
    const place = { id, offset };
    offset += bytes.length;
    return place;
  });
  return readerOf(pack, indexSaying(pack, places, format), format, rest);
}

/** Objects in one pack, whole. */
export function packedWhole(
  objects: readonly MemoryObject[],
  options: Parameters<typeof packed>[1] = {},
): PackReader {
  return packed(
    objects.map((object) => ({
      id: objectIdToBytes(idOf(object, options?.format)),
      bytes: whole(object.type, object.data),
    })),
    options,
  );
}

export function looseObjects(objects: readonly MemoryObject[], format: ObjectFormat = "sha1"): LooseObjects {
  const stored = new Map(objects.map((object) => [idOf(object, format), object]));
  return {
    has: (id) => stored.has(id),
    read: (id) => stored.get(id),
    header(id) {
      const object = stored.get(id);
      return object && { type: object.type, size: object.data.length };
    },
  };
}

/** A table of loose objects only. */
export function looseTable(objects: readonly MemoryObject[], format: ObjectFormat = "sha1"): ObjectTable {
  return new ObjectTable(format, [], looseObjects(objects, format));
}
