import type { ObjectFormat, ReceiveLimits } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import {
  type ByteSource,
  createZlibCodec,
  type FindBase,
  type IndexedPack,
  type InspectObject,
  PackError,
  PackIndexer,
  type PackSink,
  type SpillRoom,
  type ZlibCodec,
} from "../src/index.ts";
import { createNodeZlibCodec, nodeCrc32, nodeHashInto } from "../src/node.ts";

/** A pack in memory, as a sink and as a source. */
export class MemoryPack implements PackSink, ByteSource {
  size = 0;
  #bytes = new Uint8Array(1024);

  append(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array((this.size + bytes.length) * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.size);
    this.size += bytes.length;
  }

  patch(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.size) throw new RangeError("a patch goes beyond the end");
    this.#bytes.set(bytes, offset);
  }

  read(offset: number, into: Uint8Array): number {
    const part = this.#bytes.subarray(offset, Math.min(this.size, offset + into.length));
    into.set(part);
    return part.length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }
}

export interface TakeInOptions {
  readonly format?: ObjectFormat;
  readonly chunkBytes?: number;
  readonly limits?: ReceiveLimits;
  readonly findBase?: FindBase;
  readonly codec?: ZlibCodec;
  readonly maxBaseBytes?: number;
  readonly inspect?: InspectObject;
  readonly gatherReferences?: boolean;
  readonly checkpoint?: () => void;
  readonly room?: SpillRoom;
  /** With neither Node's zlib, nor its hashes, nor its CRC. */
  readonly neutral?: boolean;
}

export interface TakenIn extends IndexedPack {
  readonly stored: Uint8Array;
  readonly trailingBytes: number;
}

const nodeCodec = createNodeZlibCodec();
const neutralCodec = createZlibCodec();

/** Takes `pack` in, in chunks of a size. */
export function takeIn(pack: Uint8Array, options: TakeInOptions = {}): TakenIn {
  const { format = "sha1", chunkBytes = pack.length, limits = {}, maxBaseBytes, neutral } = options;
  const memory = new MemoryPack();
  const tools = neutral ? {} : { createHasher: createNodeHasher, hashInto: nodeHashInto, crc32: nodeCrc32 };
  const indexer = new PackIndexer({
    format,
    codec: options.codec ?? (neutral ? neutralCodec : nodeCodec),
    limits,
    sink: memory,
    source: memory,
    ...tools,
    ...(maxBaseBytes === undefined ? {} : { maxBaseBytes }),
    inspect: options.inspect,
    gatherReferences: options.gatherReferences === true,
    checkpoint: options.checkpoint,
    room: options.room,
  });
  // A chunk is of no use after the call: an indexer that kept a view would see zeros.
  for (let at = 0; at < pack.length; at += chunkBytes) {
    const chunk = Uint8Array.from(pack.subarray(at, at + chunkBytes));
    indexer.feed(chunk);
    chunk.fill(0);
  }
  const result = indexer.finish(options.findBase);
  const { objects, added, packBytes, packChecksum, indexBytes, reverseIndexBytes, index } = result;
  return {
    objects,
    added,
    packBytes,
    receivedEnd: result.receivedEnd,
    outerReferences: result.outerReferences,
    packChecksum,
    indexBytes,
    reverseIndexBytes,
    index,
    stored: memory.bytes,
    trailingBytes: indexer.trailingBytes,
  };
}

/** The code that taking `pack` in fails with; `"accepted"` when it does not. Anything but a {@link PackError} is thrown on. */
export function verdictOn(pack: Uint8Array, options: TakeInOptions = {}): string {
  try {
    takeIn(pack, options);
    return "accepted";
  } catch (error) {
    if (error instanceof PackError) return error.code;
    throw error;
  }
}
