import { type CreateHasher, type ObjectFormat, rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";

/*
 *   CGPH, u8 version 1, u8 hash (1: sha1, 2: sha256), u8 chunks, u8 files below in the chain
 *   (chunks + 1) × (u32 name, u64 where it starts); the last one, named 0, tells where the chunks end
 *   OIDF 256 × u32 fanout          OIDL n × id, sorted
 *   CDAT n × (id of the tree, u32 parent, u32 second parent or place in EDGE, u30 level, u34 time)
 *   GDA2 n × u32 offset of the corrected date, or place in GDO2      GDO2 m × u64
 *   EDGE k × u32 further parents, the last one of a commit with its first bit set
 *   BASE names of the files below
 *   checksum
 *
 * Parents are positions: those of the files below come first. Spec: gitformat-commit-graph.
 */

const HEADER_BYTES = 8;
const CHUNK_ENTRY_BYTES = 12;
const FANOUT_BYTES = 256 * 4;
/** What CDAT has beside the tree. Unit: bytes. */
const LINKS_BYTES = 16;
const NO_PARENT = 0x70000000;
const FIRST_BIT = 0x80000000;

/** One commit-graph file, checked through and through when it is opened: afterwards nothing in it leads outside. */
export class CommitGraphFile {
  /** Commits in this file. */
  readonly count: number;
  /** Commits in the files below; the first commit here has this position. */
  readonly below: number;
  /** The names of the files below, the lowest first, hash by hash. */
  readonly bases: Uint8Array;
  /** Whether it tells corrected commit dates; otherwise generations are levels. */
  readonly hasDates: boolean;
  readonly #idLength: number;
  readonly #fanout: DataView;
  readonly #ids: Uint8Array;
  readonly #data: DataView;
  readonly #stride: number;
  readonly #edges: DataView;
  readonly #offsets: DataView | undefined;
  readonly #largeOffsets: DataView;

  /**
   * Copies what it needs out of `bytes`, a whole file.
   * @param below commits in the files below
   * @throws PackError `pack/bad-index`, `pack/bad-checksum`
   */
  constructor(bytes: Uint8Array, format: ObjectFormat, below: number, createHasher: CreateHasher) {
    const idLength = rawIdLength(format);
    const chunks = readChunks(bytes, format, idLength);
    checkTrailer(bytes, format, idLength, createHasher);
    // Not by `slice`: that of a Node Buffer copies nothing, and what is not needed would stay in memory.
    const chunk = (name: string) => new Uint8Array(chunks.get(name) ?? []);
    this.#idLength = idLength;
    this.below = below;
    this.#fanout = viewOf(chunk("OIDF"));
    if (this.#fanout.byteLength !== FANOUT_BYTES) throw bad("has no fanout");
    this.count = this.#fanout.getUint32(FANOUT_BYTES - 4);
    this.#ids = chunk("OIDL");
    this.#stride = idLength + LINKS_BYTES;
    this.#data = viewOf(chunk("CDAT"));
    this.#edges = viewOf(chunk("EDGE"));
    this.bases = chunk("BASE");
    this.#offsets = chunks.has("GDA2") ? viewOf(chunk("GDA2")) : undefined;
    this.#largeOffsets = viewOf(chunk("GDO2"));
    this.hasDates = this.#offsets !== undefined;
    if (bytes[7] !== this.bases.length / idLength) throw bad("names another number of files below it");
    if (this.#ids.length !== this.count * idLength || this.#data.byteLength !== this.count * this.#stride)
      throw bad("has tables of wrong sizes");
    if (this.#offsets !== undefined && this.#offsets.byteLength !== this.count * 4)
      throw bad("has tables of wrong sizes");
    this.#checkFanout();
    for (let index = 0; index < this.count; index++) this.#checkCommit(index);
  }

  #checkFanout(): void {
    let previous = 0;
    for (let at = 0; at < FANOUT_BYTES; at += 4) {
      const next = this.#fanout.getUint32(at);
      if (next < previous) throw bad("is not sorted");
      previous = next;
    }
  }

  #checkCommit(index: number): void {
    const total = this.below + this.count;
    for (const parent of this.parents(index)) if (parent >= total) throw bad("names a parent outside of it");
    const offset = this.#offsets?.getUint32(index * 4) ?? 0;
    if (offset >= FIRST_BIT && (offset - FIRST_BIT) * 8 + 8 > this.#largeOffsets.byteLength)
      throw bad("has a date outside of its table");
  }

  /** The index in this file of the commit whose raw id stands in `bytes` at `at`; -1 when it is not here. */
  find(bytes: Uint8Array, at: number): number {
    const first = bytes[at] as number;
    let low = first === 0 ? 0 : this.#fanout.getUint32(first * 4 - 4);
    let high = this.#fanout.getUint32(first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, bytes, at);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #compare(index: number, bytes: Uint8Array, at: number): number {
    const start = index * this.#idLength;
    for (let i = 0; i < this.#idLength; i++) {
      const difference = (this.#ids[start + i] as number) - (bytes[at + i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** The raw id of a commit, a view. */
  rawId(index: number): Uint8Array {
    return this.#ids.subarray(index * this.#idLength, (index + 1) * this.#idLength);
  }

  /** The raw id of a commit's tree, a view. */
  rawTree(index: number): Uint8Array {
    const { buffer, byteOffset } = this.#data;
    return new Uint8Array(buffer, byteOffset + index * this.#stride, this.#idLength);
  }

  /** Positions of a commit's parents, in order. */
  parents(index: number): number[] {
    const at = index * this.#stride + this.#idLength;
    const first = this.#data.getUint32(at);
    const second = this.#data.getUint32(at + 4);
    if (first === NO_PARENT) return [];
    if (second === NO_PARENT) return [first];
    if (second < FIRST_BIT) return [first, second];
    const parents = [first];
    for (let edge = (second - FIRST_BIT) * 4; ; edge += 4) {
      if (edge + 4 > this.#edges.byteLength) throw bad("has a list of parents without end");
      const parent = this.#edges.getUint32(edge);
      parents.push(parent % FIRST_BIT);
      if (parent >= FIRST_BIT) return parents;
    }
  }

  /** When it was committed. Unit: seconds since 1970. */
  time(index: number): number {
    const at = index * this.#stride + this.#idLength + 8;
    return (this.#data.getUint32(at) & 3) * 2 ** 32 + this.#data.getUint32(at + 4);
  }

  /** Distance from the roots, 1 for them; 0 where it was not counted. */
  level(index: number): number {
    return this.#data.getUint32(index * this.#stride + this.#idLength + 8) >>> 2;
  }

  /** The commit's time, or as much later as makes it later than its parents' corrected times; see {@link hasDates}. */
  correctedTime(index: number): number {
    const offset = this.#offsets?.getUint32(index * 4) ?? 0;
    if (offset < FIRST_BIT) return this.time(index) + offset;
    const at = (offset - FIRST_BIT) * 8;
    return (
      this.time(index) + this.#largeOffsets.getUint32(at) * 2 ** 32 + this.#largeOffsets.getUint32(at + 4)
    );
  }
}

function readChunks(bytes: Uint8Array, format: ObjectFormat, idLength: number): Map<string, Uint8Array> {
  const view = viewOf(bytes);
  const end = bytes.length - idLength;
  if (end < HEADER_BYTES + CHUNK_ENTRY_BYTES || view.getUint32(0) !== 0x43475048) throw bad("is none");
  if (bytes[4] !== 1 || bytes[5] !== (format === "sha1" ? 1 : 2))
    throw bad("is of a version or hash that is not expected");
  const chunkCount = bytes[6] as number;
  const tableEnd = HEADER_BYTES + (chunkCount + 1) * CHUNK_ENTRY_BYTES;
  if (tableEnd > end) throw bad("stops short");
  const startOf = (entry: number) => {
    const at = HEADER_BYTES + entry * CHUNK_ENTRY_BYTES + 4;
    return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  };
  const chunks = new Map<string, Uint8Array>();
  for (let entry = 0; entry < chunkCount; entry++) {
    const at = HEADER_BYTES + entry * CHUNK_ENTRY_BYTES;
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const [start, next] = [startOf(entry), startOf(entry + 1)];
    if (start < tableEnd || next < start || next > end) throw bad("has chunks that overlap or stop short");
    if (chunks.has(name)) throw bad("has a chunk twice");
    chunks.set(name, bytes.subarray(start, next));
  }
  return chunks;
}

function checkTrailer(
  bytes: Uint8Array,
  format: ObjectFormat,
  idLength: number,
  createHasher: CreateHasher,
): void {
  const hasher = createHasher(format);
  hasher.update(bytes.subarray(0, bytes.length - idLength));
  const trailer = bytes.subarray(bytes.length - idLength);
  if (!hasher.digest().every((byte, i) => byte === trailer[i]))
    throw new PackError("pack/bad-checksum", "the commit-graph's checksum is not that of its bytes");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bad(what: string): PackError {
  return new PackError("pack/bad-index", `the commit-graph ${what}`);
}
