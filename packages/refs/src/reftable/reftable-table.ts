import type { ObjectFormat } from "@x/objects";
import { INDEX_BLOCK, LOG_BLOCK, REF_BLOCK, ReftableBlock, type ReftableRecord } from "./reftable-block.ts";
import {
  decodeReftableFrame,
  MAX_REFTABLE_HEADER_BYTES,
  malformedReftable,
  type ReftableFrame,
  reftableFooterLength,
} from "./reftable-frame.ts";
import { parseReftableLogKey, type ReftableLog, reftableLogKey } from "./reftable-log.ts";
import type { ReftableZlib } from "./reftable-zlib.ts";

/** A reftable's bytes, wherever they are kept. They never change. */
export interface ReftableSource {
  /** Unit: bytes. */
  readonly size: number;
  /** Exactly the bytes asked for, which lie within {@link size}. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What C git reads of a block before it knows its length, where the table does not say. Unit: bytes. */
const GUESSED_BLOCK_BYTES = 4096;
/** Two are usual; each points to blocks before it. */
const MAX_INDEX_LEVELS = 16;
/** What a stream may be longer than what it holds, beside a part of that. Unit: bytes. */
const DEFLATE_SLACK_BYTES = 64;
/** A little above what deflate can do. */
const MAX_DEFLATE_RATIO = 1040;
const LAST_UPDATE_INDEX = 0xffff_ffff_ffff_ffffn;

/** Reads the refs of one reftable, a block at a time. Spec: reftable, "File format". */
export class ReftableTable {
  readonly frame: ReftableFrame;
  readonly #source: ReftableSource;

  private constructor(source: ReftableSource, frame: ReftableFrame) {
    this.#source = source;
    this.frame = frame;
  }

  /** Reads the two ends of a table that names objects as `format` does. @throws RefsError `refs/malformed` */
  static async open(source: ReftableSource, format: ObjectFormat): Promise<ReftableTable> {
    const header = await source.read(0, Math.min(source.size, MAX_REFTABLE_HEADER_BYTES));
    const footerLength = reftableFooterLength(header);
    if (source.size < footerLength) throw malformedReftable("it stops short");
    const footer = await source.read(source.size - footerLength, footerLength);
    const frame = decodeReftableFrame(header, footer, source.size);
    if (frame.format !== format) throw malformedReftable(`it is of a ${frame.format} repository`);
    return new ReftableTable(source, frame);
  }

  /** What the table says of `name`, its absence included; `undefined` when it says nothing. @throws RefsError `refs/malformed` */
  async get(name: string): Promise<ReftableRecord | undefined> {
    const cursor = await this.seek(name);
    return cursor.record?.name === name ? cursor.record : undefined;
  }

  /** A cursor at the first ref that does not stand before `name`. @throws RefsError `refs/malformed` */
  async seek(name: string): Promise<ReftableCursor> {
    const leaf = await this.#leafOf(name);
    const cursor = new ReftableCursor((at) => this.#block(at, REF_BLOCK), leaf);
    leaf?.block.seek(name);
    await cursor.next();
    while (cursor.record !== undefined && cursor.record.name < name)
      if (!cursor.advance()) await cursor.next();
    return cursor;
  }

  /**
   * A cursor at the latest entry of the log of `name`, or at the first of a log behind it; at the first of all for `""`.
   * @throws RefsError `refs/malformed`
   */
  async seekLog(name: string, zlib: Pick<ReftableZlib, "inflate">): Promise<ReftableLogCursor> {
    const { logsAt, logIndexAt } = this.frame;
    const read = (at: number) => this.#logBlock(at, zlib);
    const key = name === "" ? "" : reftableLogKey(name, LAST_UPDATE_INDEX);
    const leaf =
      logIndexAt === 0
        ? await scannedLeafOf(key, logsAt, read)
        : await this.#indexedLeafOf(key, logIndexAt, read);
    const cursor = new ReftableLogCursor(read, leaf);
    leaf?.block.seek(key);
    do await cursor.next();
    while (cursor.key !== undefined && cursor.key < key);
    return cursor;
  }

  async #leafOf(name: string): Promise<PlacedBlock | undefined> {
    const { refIndexAt } = this.frame;
    const read = (at: number) => this.#block(at, REF_BLOCK);
    return refIndexAt === 0 ? scannedLeafOf(name, 0, read) : this.#indexedLeafOf(name, refIndexAt, read);
  }

  async #indexedLeafOf(name: string, top: number, read: ReadBlock): Promise<PlacedBlock | undefined> {
    let position = top;
    for (let level = 0; level < MAX_INDEX_LEVELS; level++) {
      const leaf = level === 0 ? undefined : await read(position);
      if (leaf !== undefined) return leaf;
      let index = await this.#block(position, INDEX_BLOCK);
      if (index === undefined) throw malformedReftable("the index points astray");
      let entry = firstNotBefore(index.block, name);
      // The top level may be several blocks, one behind the other.
      while (entry === undefined && level === 0) {
        index = await this.#block(index.next, INDEX_BLOCK);
        if (index === undefined) return undefined;
        entry = firstNotBefore(index.block, name);
      }
      if (entry === undefined) return undefined;
      if (entry.position >= position) throw malformedReftable("the index points forward");
      position = entry.position;
    }
    throw malformedReftable("the index is too deep");
  }

  /** The block at `position`; `undefined` when that is behind the last one, or the block is not of `type`. */
  async #block(position: number, type: number): Promise<PlacedBlock | undefined> {
    const { blocksEnd, blockSize, headerLength, format } = this.frame;
    const headerAt = position === 0 ? headerLength : 0;
    const available = blocksEnd - position;
    if (available < headerAt + 6) return undefined;
    const guess = Math.min(
      available,
      blockSize === 0 ? GUESSED_BLOCK_BYTES : Math.max(blockSize, headerAt + 6),
    );
    let bytes = await this.#source.read(position, guess);
    if (bytes[headerAt] !== type) return undefined;
    const length = lengthAt(bytes, headerAt + 1);
    if (length > available || length < headerAt + 6) throw malformedReftable("a block's length does not fit");
    if (length > bytes.length) bytes = await this.#source.read(position, length);
    // Padded with zeros to the size of blocks, unless the next one follows at once.
    const padded = length < blockSize && !(length < bytes.length && bytes[length] !== 0);
    const block = new ReftableBlock(bytes.subarray(0, length), headerAt, format);
    return { block, next: position + (padded ? blockSize : length) };
  }

  /** The same for a block of logs, whose length is that of what it inflates to; how long it is shows in the end. */
  async #logBlock(position: number, zlib: Pick<ReftableZlib, "inflate">): Promise<PlacedBlock | undefined> {
    const { blocksEnd, headerLength, format } = this.frame;
    const headerAt = position === 0 ? headerLength : 0;
    const available = blocksEnd - position;
    if (available < headerAt + 6) return undefined;
    const head = await this.#source.read(position, headerAt + 4);
    if (head[headerAt] !== LOG_BLOCK) return undefined;
    const length = lengthAt(head, headerAt + 1);
    if (length < headerAt + 6) throw malformedReftable("a block's length does not fit");
    const read = await this.#source.read(
      position,
      Math.min(available, length + (length >>> 8) + DEFLATE_SLACK_BYTES),
    );
    // No stream inflates to more than this, so that what is claimed costs nothing to claim.
    if (length > read.length * MAX_DEFLATE_RATIO) throw malformedReftable("a block's length does not fit");
    const bytes = new Uint8Array(length + 1);
    bytes.set(head);
    let taken: number;
    try {
      taken = zlib.inflate(read, headerAt + 4, read.length, bytes.subarray(headerAt + 4));
    } catch (cause) {
      throw malformedReftable("a block of logs does not inflate", cause);
    }
    const block = new ReftableBlock(bytes.subarray(0, length), headerAt, format);
    return { block, next: position + headerAt + 4 + taken };
  }
}

type ReadBlock = (position: number) => Promise<PlacedBlock | undefined>;

/** Tables of few blocks have no index: the block before the first one that starts behind the name. */
async function scannedLeafOf(name: string, start: number, read: ReadBlock): Promise<PlacedBlock | undefined> {
  let found = await read(start);
  while (found !== undefined) {
    const following = await read(found.next);
    if (following === undefined || following.block.firstName() > name) break;
    found = following;
  }
  return found;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

interface PlacedBlock {
  readonly block: ReftableBlock;
  /** Where the following block starts, if there is one. */
  readonly next: number;
}

/** Goes through the refs of a table in order. */
export class ReftableCursor {
  /** The ref it stands at; `undefined` at the end. */
  record: ReftableRecord | undefined;
  readonly #read: (position: number) => Promise<PlacedBlock | undefined>;
  #placed: PlacedBlock | undefined;

  /** @internal {@link ReftableTable.seek} makes these. */
  constructor(read: (position: number) => Promise<PlacedBlock | undefined>, placed: PlacedBlock | undefined) {
    this.#read = read;
    this.#placed = placed;
  }

  /** Goes on within the block; `false`, and nothing has changed, when that takes {@link next}. @throws RefsError `refs/malformed` */
  advance(): boolean {
    const record = this.#placed?.block.nextRef();
    if (record === undefined) return false;
    this.record = record;
    return true;
  }

  /** Goes on, to the next block if need be. @throws RefsError `refs/malformed` */
  async next(): Promise<void> {
    const before = this.record?.name;
    while (!this.advance()) {
      this.#placed = this.#placed && (await this.#read(this.#placed.next));
      if (this.#placed !== undefined) continue;
      this.record = undefined;
      return;
    }
    if (before !== undefined && (this.record as ReftableRecord).name <= before)
      throw malformedReftable("its names are not in order");
  }
}

/** Goes through the logs of a table in order of names, the latest entry first. */
export class ReftableLogCursor {
  /** The entry it stands at; `undefined` at the end. */
  record: ReftableLog | undefined;
  /** What entries are sorted by. @internal */
  key: string | undefined;
  readonly #read: ReadBlock;
  #placed: PlacedBlock | undefined;

  /** @internal {@link ReftableTable.seekLog} makes these. */
  constructor(read: ReadBlock, placed: PlacedBlock | undefined) {
    this.#read = read;
    this.#placed = placed;
  }

  /** @throws RefsError `refs/malformed` */
  async next(): Promise<void> {
    const before = this.key;
    let raw = this.#placed?.block.nextLog();
    while (raw === undefined && this.#placed !== undefined) {
      this.#placed = await this.#read(this.#placed.next);
      raw = this.#placed?.block.nextLog();
    }
    this.key = raw?.key;
    this.record = raw && { ...parseReftableLogKey(raw.key), value: raw.value };
    if (raw !== undefined && before !== undefined && raw.key <= before)
      throw malformedReftable("its logs are not in order");
  }
}

function firstNotBefore(
  index: ReftableBlock,
  name: string,
): { readonly name: string; readonly position: number } | undefined {
  index.seek(name);
  let entry = index.nextIndexed();
  while (entry !== undefined && entry.name < name) entry = index.nextIndexed();
  return entry;
}
