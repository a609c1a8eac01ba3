import { type ObjectId, objectPreamble, parseObjectId } from "@x/objects";
import { askRead } from "@x/pack";
import type { ObjectShelf } from "./object-shelf.ts";

/** A file that clients of dumb transports ask for. Fits server-core's port of that name. */
export type StoredFileName =
  | { readonly kind: "alternates" | "http-alternates" }
  | { readonly kind: "loose-object"; readonly id: string }
  | { readonly kind: "pack" | "pack-index"; readonly checksum: string };

/** One of them, open. Fits server-core's port of that name. */
export interface StoredBytes {
  /** Unit: bytes. */
  readonly size: number;
  readonly stamp: string;
  /** Unit: milliseconds since 1970. */
  readonly modifiedMs: number;
  readonly read: (range: { readonly start: number; readonly end: number }) => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
}

/** Files for clients of dumb transports. Fits server-core's port of that name. */
export interface MemoryFiles {
  readonly packs: () => Promise<readonly string[]>;
  readonly open: (name: StoredFileName) => Promise<StoredBytes | undefined>;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Every object as a file of its own, made when it is asked for; packs are not shown. Spec: gitformat-loose.
 * @param madeAt what files say when they changed last: what is in them never does. Unit: milliseconds since 1970.
 */
export function createMemoryFiles(shelf: ObjectShelf, madeAt: number): MemoryFiles {
  return {
    packs: async () => [],
    async open(name) {
      const id = name.kind === "loose-object" ? parseObjectId(name.id, shelf.format) : undefined;
      const bytes = id && looseFile(shelf, id);
      if (bytes === undefined) return undefined;
      return {
        size: bytes.length,
        stamp: id as string,
        modifiedMs: madeAt,
        read: ({ start, end }) => cut(bytes.subarray(start, end)),
        close: async () => {},
      };
    },
  };
}

function looseFile(shelf: ObjectShelf, id: ObjectId): Uint8Array | undefined {
  const object = askRead(shelf.table(), id);
  if (object === undefined) return undefined;
  const { type, data } = object;
  const preamble = objectPreamble(type, data.length);
  const whole = new Uint8Array(preamble.length + data.length);
  whole.set(preamble);
  whole.set(data, preamble.length);
  return shelf.tools.codec.deflate(whole);
}

async function* cut(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  // Chunks belong to whoever reads them.
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.slice(at, at + CHUNK_BYTES);
}
