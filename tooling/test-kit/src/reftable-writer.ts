import { crc32, deflateSync } from "node:zlib";

/** What a test's reftable says of one ref: an id, an id and what it peels to, a name, or that it is gone. */
export interface ReftableEntry {
  readonly name: string;
  readonly value:
    | { readonly id: string; readonly peeled?: string }
    | { readonly symbolic: string }
    | "deleted";
}

/** How {@link writeReftable} writes. */
export interface ReftableShape {
  readonly objectFormat?: "sha1" | "sha256";
  /** 2 for sha256. */
  readonly version?: 1 | 2;
  /** 4096 when not given. Unit: bytes. */
  readonly blockSize?: number;
  /** Blocks stand one behind the other, and the header does not say how large they are. */
  readonly unaligned?: boolean;
  readonly restartInterval?: number;
  readonly updateIndex?: number;
  /** Adds a block of logs with one entry for each name. */
  readonly logs?: readonly string[];
}

const HASHES = { sha1: "sha1", sha256: "s256" };

/** A reftable as C git writes one, less the blocks of objects. `entries` are in byte order of names. */
export function writeReftable(entries: readonly ReftableEntry[], shape: ReftableShape = {}): Buffer {
  const { objectFormat = "sha1", blockSize = 4096, unaligned = false, updateIndex = 1, logs = [] } = shape;
  const version = shape.version ?? (objectFormat === "sha1" ? 1 : 2);
  const header = Buffer.alloc(version === 1 ? 24 : 28);
  header.write("REFT", "latin1");
  header.writeUInt32BE((version << 24) | (unaligned ? 0 : blockSize), 4);
  header.writeBigUInt64BE(BigInt(updateIndex), 8);
  header.writeBigUInt64BE(BigInt(updateIndex), 16);
  if (version === 2) header.write(HASHES[objectFormat], 24, "latin1");

  const file = new BlockFile(header, blockSize, unaligned, shape.restartInterval ?? 16);
  let index = file.section(
    "r",
    entries.map(({ name, value }) => ({ name, ...encodeValue(value) })),
  );
  let refIndexAt = 0;
  while (index.length > (unaligned ? 1 : 3)) {
    refIndexAt = file.nextPosition();
    const upper = file.section(
      "i",
      index.map(({ name, position }) => ({ name, type: 0, data: varint(position) })),
    );
    if (upper.length >= index.length) break;
    index = upper;
  }
  let logAt = 0;
  if (logs.length > 0) {
    logAt = file.length === 0 ? 0 : file.nextPosition();
    file.log(logs.map((name) => logRecord(name, updateIndex, objectFormat)));
  }
  const body = file.bytes();
  const footer = Buffer.alloc(header.length + 44);
  header.copy(footer);
  footer.writeBigUInt64BE(BigInt(refIndexAt), header.length);
  footer.writeBigUInt64BE(BigInt(logAt), header.length + 24);
  footer.writeUInt32BE(crc32(footer.subarray(0, -4)), footer.length - 4);
  return Buffer.concat([body, footer]);
}

interface RawRecord {
  readonly name: string;
  readonly type: number;
  readonly data: Buffer;
}

class BlockFile {
  readonly #header: Buffer;
  readonly #blockSize: number;
  readonly #unaligned: boolean;
  readonly #interval: number;
  readonly #chunks: Buffer[] = [];
  length = 0;
  #padding = 0;

  constructor(header: Buffer, blockSize: number, unaligned: boolean, interval: number) {
    this.#header = header;
    this.#blockSize = blockSize;
    this.#unaligned = unaligned;
    this.#interval = interval;
  }

  bytes(): Buffer {
    return this.length === 0 ? this.#header : Buffer.concat(this.#chunks);
  }

  nextPosition(): number {
    return this.length + this.#padding;
  }

  /** @returns the last name and the position of each block */
  section(type: string, records: readonly RawRecord[]): { name: string; position: number }[] {
    const written: { name: string; position: number }[] = [];
    for (let at = 0; at < records.length; ) {
      const block = new BlockBuilder(
        type,
        this.length === 0 ? this.#header : Buffer.alloc(0),
        this.#interval,
      );
      const from = at;
      while (at < records.length && block.add(records[at] as RawRecord, this.#blockSize)) at++;
      if (at === from)
        throw new Error(`a block of ${this.#blockSize} bytes cannot hold ${records[at]?.name}`);
      const position = this.nextPosition();
      this.#put(block.finish());
      if (!this.#unaligned) this.#padding = this.#blockSize - (this.length - position);
      written.push({ name: (records[at - 1] as RawRecord).name, position });
    }
    return written;
  }

  log(records: readonly RawRecord[]): void {
    const header = this.length === 0 ? this.#header : Buffer.alloc(0);
    const block = new BlockBuilder("g", header, this.#interval);
    for (const record of records) block.add(record, 0xffffff);
    const bytes = block.finish();
    const head = header.length + 4;
    this.#put(Buffer.concat([bytes.subarray(0, head), deflateSync(bytes.subarray(head))]));
  }

  #put(bytes: Buffer): void {
    this.#chunks.push(Buffer.alloc(this.#padding), bytes);
    this.length += this.#padding + bytes.length;
    this.#padding = 0;
  }
}

class BlockBuilder {
  readonly #head: Buffer;
  readonly #headerLength: number;
  readonly #interval: number;
  readonly #records: Buffer[] = [];
  readonly #restarts: number[] = [];
  #length: number;
  #count = 0;
  #last = Buffer.alloc(0);

  constructor(type: string, header: Buffer, interval: number) {
    this.#head = Buffer.concat([header, Buffer.from(`${type}\0\0\0`, "latin1")]);
    this.#headerLength = header.length;
    this.#interval = interval;
    this.#length = this.#head.length;
  }

  add({ name, type, data }: RawRecord, limit: number): boolean {
    const key = Buffer.from(name, "latin1");
    const restart = this.#count % this.#interval === 0;
    let shared = 0;
    if (!restart) while (shared < key.length && key[shared] === this.#last[shared]) shared++;
    const rest = key.subarray(shared);
    const record = Buffer.concat([varint(shared), varint(rest.length * 8 + type), rest, data]);
    const restarts = this.#restarts.length + (restart ? 1 : 0);
    if (this.#length + record.length + 3 * restarts + 2 > limit) return false;
    if (restart) this.#restarts.push(this.#length);
    this.#records.push(record);
    this.#length += record.length;
    this.#last = key;
    this.#count++;
    return true;
  }

  finish(): Buffer {
    const tail = Buffer.alloc(3 * this.#restarts.length + 2);
    for (const [index, offset] of this.#restarts.entries()) tail.writeUIntBE(offset, 3 * index, 3);
    tail.writeUInt16BE(this.#restarts.length, tail.length - 2);
    const bytes = Buffer.concat([this.#head, ...this.#records, tail]);
    bytes.writeUIntBE(bytes.length, this.#headerLength + 1, 3);
    return bytes;
  }
}

function encodeValue(value: ReftableEntry["value"]): { type: number; data: Buffer } {
  const delta = varint(0);
  if (value === "deleted") return { type: 0, data: delta };
  if ("symbolic" in value) {
    const target = Buffer.from(value.symbolic, "latin1");
    return { type: 3, data: Buffer.concat([delta, varint(target.length), target]) };
  }
  const ids = value.peeled === undefined ? [value.id] : [value.id, value.peeled];
  return { type: ids.length, data: Buffer.concat([delta, ...ids.map((id) => Buffer.from(id, "hex"))]) };
}

function logRecord(name: string, updateIndex: number, objectFormat: "sha1" | "sha256"): RawRecord {
  const key = Buffer.alloc(9);
  key.writeBigUInt64BE(0xffffffffffffffffn - BigInt(updateIndex), 1);
  const text = (value: string) => Buffer.concat([varint(value.length), Buffer.from(value, "latin1")]);
  const ids = Buffer.alloc(objectFormat === "sha1" ? 40 : 64, 0x11);
  const who = [text("A U Thor"), text("author@example.com"), varint(1_112_911_993), Buffer.from([0, 0])];
  return {
    name: name + key.toString("latin1"),
    type: 1,
    data: Buffer.concat([ids, ...who, text("moved\n")]),
  };
}

function varint(value: number): Buffer {
  const bytes = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    left--;
    bytes.unshift(0x80 | (left % 128));
  }
  return Buffer.from(bytes);
}
