import { crc32, type ObjectFormat, type ObjectId, objectIdToBytes } from "@x/objects";
import { bytesFromByteString } from "../byte-string.ts";
import { RefsError } from "../errors.ts";
import { INDEX_BLOCK, LOG_BLOCK, OBJECT_BLOCK, REF_BLOCK, type ReftableRecord } from "./reftable-block.ts";
import { ReftableBlockWriter } from "./reftable-block-writer.ts";
import { encodeReftableHeader } from "./reftable-frame.ts";
import { type ReftableLog, reftableLogKey } from "./reftable-log.ts";
import { ReftableObjectIndex } from "./reftable-object-index.ts";
import { varintLength, writeVarint } from "./reftable-varint.ts";
import type { ReftableZlib } from "./reftable-zlib.ts";

/** How tables are made. Spec: git-config, `reftable.*`. */
export interface ReftableShapeOptions {
  readonly format: ObjectFormat;
  /** No record is larger than a block; 4096 when not given. Unit: bytes. */
  readonly blockSize?: number | undefined;
  /** Names that are written in part before one is written whole again; 16 when not given. */
  readonly restartInterval?: number | undefined;
  /** Whether large tables say which blocks name an object; yes when not given. */
  readonly indexObjects?: boolean | undefined;
  /** Blocks stand one behind the other instead of at multiples of their size. */
  readonly unaligned?: boolean | undefined;
}

/** What {@link ReftableWriter} works with. */
export interface ReftableWriterOptions extends ReftableShapeOptions {
  readonly minUpdateIndex: bigint;
  readonly maxUpdateIndex: bigint;
  readonly zlib: Pick<ReftableZlib, "deflate">;
}

/** Unit: bytes. */
export const DEFAULT_REFTABLE_BLOCK_BYTES = 4096;
const DEFAULT_RESTART_INTERVAL = 16;
/** As C git: the logs are read rarely, and are most of a table. */
const LOG_LEVEL = 9;

interface Indexed {
  readonly key: string;
  readonly position: number;
}

/**
 * Writes one reftable as C git does: refs in byte order of names, then logs in order of names, the latest first. Spec:
 * reftable, "File format".
 */
export class ReftableWriter {
  readonly #options: ReftableWriterOptions;
  readonly #blockSize: number;
  readonly #header: Uint8Array;
  readonly #block: ReftableBlockWriter;
  readonly #objects: ReftableObjectIndex | undefined;
  readonly #footer = { refIndex: 0, objects: 0, objectIdLength: 0, objectIndex: 0, logs: 0, logIndex: 0 };
  #chunks: Uint8Array[] = [];
  #section: "refs" | "logs" = "refs";
  #blocks: Indexed[] = [];
  #lastKey: string | undefined;
  /** Where the next block starts, its padding before it counted. */
  #next = 0;
  #padding = 0;

  constructor(options: ReftableWriterOptions) {
    this.#options = options;
    this.#blockSize = options.blockSize ?? DEFAULT_REFTABLE_BLOCK_BYTES;
    this.#header = encodeReftableHeader({
      format: options.format,
      blockSize: options.unaligned ? 0 : this.#blockSize,
      minUpdateIndex: options.minUpdateIndex,
      maxUpdateIndex: options.maxUpdateIndex,
    });
    this.#block = new ReftableBlockWriter(
      Math.max(this.#blockSize, this.#header.length + 6),
      options.restartInterval ?? DEFAULT_RESTART_INTERVAL,
    );
    this.#objects = options.indexObjects === false ? undefined : new ReftableObjectIndex();
    this.#start(REF_BLOCK);
  }

  /** Whether nothing was added. Such a table has no place in a stack. */
  get isEmpty(): boolean {
    return this.#next === 0 && this.#block.entries === 0;
  }

  /**
   * Adds a ref, or that it is gone. Names ascend, and all come before the first log.
   * @throws RefsError `refs/too-large`, `refs/bad-name` (out of order)
   */
  addRef({ name, ref }: Pick<ReftableRecord, "name" | "ref">, updateIndex: bigint): void {
    if (this.#section !== "refs") throw outOfOrder(name);
    const { type, value } = encodeRef(ref, Number(updateIndex - this.#options.minUpdateIndex));
    this.#add(REF_BLOCK, name, type, value);
    if (ref?.target.kind !== "id") return;
    this.#objects?.add(ref.target.id, this.#next);
    if (ref.peeled) this.#objects?.add(ref.peeled, this.#next);
  }

  /** Adds an entry of a log. @throws RefsError `refs/too-large`, `refs/bad-name` (out of order) */
  addLog({ name, updateIndex, value }: ReftableLog): void {
    if (this.#section === "refs") {
      this.#finishRefs();
      this.#section = "logs";
      this.#next -= this.#padding;
      this.#padding = 0;
      this.#start(LOG_BLOCK);
    }
    const key = reftableLogKey(name, updateIndex);
    this.#add(LOG_BLOCK, key, value === undefined ? 0 : 1, value ?? new Uint8Array());
  }

  /** What was made since the last call. */
  take(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  /** Ends the table; {@link take} gives the rest. */
  finish(): void {
    if (this.#section === "refs") this.#finishRefs();
    else this.#footer.logIndex = this.#finishSection();
    if (this.#next === 0) this.#chunks.push(this.#header);
    this.#chunks.push(this.#encodeFooter());
  }

  #add(type: number, key: string, valueType: number, value: Uint8Array): void {
    if (this.#lastKey !== undefined && key <= this.#lastKey) throw outOfOrder(key);
    this.#lastKey = key;
    if (this.#block.add(key, valueType, value)) return;
    this.#flush();
    this.#start(type);
    if (!this.#block.add(key, valueType, value))
      throw new RefsError(
        "refs/too-large",
        `a block of ${this.#blockSize} bytes cannot hold ${key.slice(0, 256)}`,
      );
  }

  #start(type: number): void {
    this.#block.start(type, this.#next === 0 ? this.#header.length : 0);
  }

  #flush(): void {
    if (this.#block.entries === 0) return;
    const { bytes, type, lastKey } = this.#block;
    const headerLength = this.#next === 0 ? this.#header.length : 0;
    const length = this.#block.finish();
    if (headerLength > 0) bytes.set(this.#header);
    let block = bytes.slice(0, length);
    if (type === LOG_BLOCK) {
      const deflated = this.#options.zlib.deflate(block.subarray(headerLength + 4), LOG_LEVEL);
      const head = block.subarray(0, headerLength + 4);
      block = new Uint8Array(head.length + deflated.length);
      block.set(head);
      block.set(deflated, head.length);
    }
    if (this.#padding > 0) this.#chunks.push(new Uint8Array(this.#padding));
    this.#padding = this.#options.unaligned || type === LOG_BLOCK ? 0 : this.#blockSize - block.length;
    this.#chunks.push(block);
    this.#blocks.push({ key: lastKey, position: this.#next });
    this.#next += block.length + this.#padding;
    this.#block.start(type, 0);
  }

  #finishRefs(): void {
    this.#footer.refIndex = this.#finishSection();
    // Without an index a search goes through all blocks anyway.
    if (this.#footer.refIndex > 0 && this.#objects !== undefined) this.#writeObjects(this.#objects);
    this.#footer.logs = this.#next - this.#padding;
  }

  /** Ends the blocks of one kind, with an index if they are many. @returns where its top level starts; 0: none */
  #finishSection(): number {
    this.#flush();
    let indexAt = 0;
    while (this.#blocks.length > (this.#options.unaligned ? 1 : 3)) {
      const below = this.#blocks;
      this.#blocks = [];
      this.#lastKey = undefined;
      indexAt = this.#next;
      this.#start(INDEX_BLOCK);
      for (const { key, position } of below) {
        const value = new Uint8Array(varintLength(position));
        writeVarint(value, 0, position);
        this.#add(INDEX_BLOCK, key, 0, value);
      }
      this.#flush();
      if (this.#blocks.length >= below.length) break;
    }
    this.#blocks = [];
    this.#lastKey = undefined;
    return indexAt;
  }

  #writeObjects(objects: ReftableObjectIndex): void {
    this.#footer.objects = this.#next;
    this.#footer.objectIdLength = objects.idLength();
    this.#start(OBJECT_BLOCK);
    for (const { key, type, value, short } of objects.records(this.#footer.objectIdLength)) {
      if (this.#block.add(key, type, value)) continue;
      this.#flush();
      this.#start(OBJECT_BLOCK);
      if (!this.#block.add(key, type, value)) this.#block.add(key, 0, short);
    }
    this.#footer.objectIndex = this.#finishSection();
  }

  #encodeFooter(): Uint8Array {
    const { refIndex, objects, objectIdLength, objectIndex, logs, logIndex } = this.#footer;
    const footer = new Uint8Array(this.#header.length + 44);
    const view = new DataView(footer.buffer);
    footer.set(this.#header);
    const hasLogs = this.#section === "logs";
    const places = [
      BigInt(refIndex),
      (BigInt(objects) << 5n) | BigInt(objectIdLength),
      BigInt(objectIndex),
      BigInt(hasLogs ? logs : 0),
      BigInt(hasLogs ? logIndex : 0),
    ];
    for (const [i, place] of places.entries()) view.setBigUint64(this.#header.length + 8 * i, place);
    view.setUint32(footer.length - 4, crc32(footer.subarray(0, -4), 0));
    return footer;
  }
}

/**
 * Whether a ref, or the entry of a log, fits in any block of tables of that shape. Unit of `valueLength`: bytes, of what
 * a log entry's value has.
 */
export function fitsReftable(name: string, shape: ReftableShapeOptions, valueLength?: number): boolean {
  const idLength = shape.format === "sha1" ? 20 : 32;
  const key = name.length + (valueLength === undefined ? 0 : 9);
  // As the first record of the first block: a header of 28 bytes, the block's 4, one restart and their count.
  const overhead = 28 + 4 + varintLength(0) + varintLength(key * 8 + 3) + 3 + 2;
  const value = valueLength ?? 10 + 2 * idLength;
  return overhead + key + value <= (shape.blockSize ?? DEFAULT_REFTABLE_BLOCK_BYTES);
}

function encodeRef(
  ref: ReftableRecord["ref"],
  delta: number,
): { readonly type: number; readonly value: Uint8Array } {
  if (ref === undefined) return { type: 0, value: joined(delta, []) };
  const { target, peeled } = ref;
  if (target.kind === "symbolic") {
    const name = bytesFromByteString(target.name);
    const length = new Uint8Array(varintLength(name.length));
    writeVarint(length, 0, name.length);
    return { type: 3, value: joined(delta, [length, name]) };
  }
  const ids: ObjectId[] = peeled ? [target.id, peeled] : [target.id];
  return { type: ids.length, value: joined(delta, ids.map(objectIdToBytes)) };
}

function joined(delta: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, varintLength(delta));
  const bytes = new Uint8Array(length);
  let at = writeVarint(bytes, 0, delta);
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function outOfOrder(name: string): RefsError {
  return new RefsError("refs/bad-name", `a reftable takes names in order: ${name.slice(0, 256)}`);
}
