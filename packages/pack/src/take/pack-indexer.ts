import {
  type Crc32,
  type CreateHasher,
  crc32,
  createHasher,
  type ObjectFormat,
  objectIdFromBytes,
  type ReceiveLimits,
} from "@x/objects";
import { PackError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import { PackIndex } from "../format/pack-index.ts";
import { encodePackIndex, encodeReverseIndex, type IndexedObjects } from "../format/pack-index-writer.ts";
import type { ZlibCodec } from "../format/zlib-codec.ts";
import type { SpillRoom } from "../read/spill-room.ts";
import {
  appendBases,
  dropDuplicates,
  type FindBase,
  type PackSink,
  packCount,
  presentBase,
  readThrough,
} from "./complete-thin-pack.ts";
import { DeltaResolver } from "./delta-resolver.ts";
import { DeltaTree } from "./delta-tree.ts";
import { EntryInflater } from "./entry-inflater.ts";
import type { HashInto, HashTools } from "./object-hasher.ts";
import type { InspectObject } from "./object-inspector.ts";
import { PackParser } from "./pack-parser.ts";
import { ReceiveBudget } from "./receive-budget.ts";
import { type OuterReferences, ReferenceGatherer } from "./reference-gatherer.ts";
import { resolveDeltas } from "./resolve-deltas.ts";

const DEFAULT_MAX_BASE_BYTES = 64 * 1024 * 1024;

/** What a {@link PackIndexer} works with. */
export interface PackIndexerOptions {
  readonly format: ObjectFormat;
  readonly codec: ZlibCodec;
  /** What the pack may cost. Without limits, memory is bounded by what the pack's own bytes inflate to. */
  readonly limits?: ReceiveLimits;
  /** Gets the pack while it is fed. */
  readonly sink: PackSink;
  /** Reads back what the sink has been given so far, patches included. */
  readonly source: ByteSource;
  /** The neutral ones where not given; `./node` has faster ones. */
  readonly createHasher?: CreateHasher | undefined;
  readonly hashInto?: HashInto | undefined;
  readonly crc32?: Crc32 | undefined;
  /** For delta bases and results that are too large to be held; without it everything is. */
  readonly room?: SpillRoom | undefined;
  /** Delta bases held at a time, beside the one in use; 64 MiB when not given. Unit: bytes. */
  readonly maxBaseBytes?: number;
  /** Is shown every commit, tree and tag. */
  readonly inspect?: InspectObject | undefined;
  /** Find out what the objects refer to that is not in the pack. */
  readonly gatherReferences?: boolean;
  /** Nothing is told of them when trees are nested deeper. */
  readonly maxTreeDepth?: number;
  /** Called in the midst of long steps; what it throws ends them. */
  readonly checkpoint?: (() => void) | undefined;
}

/** A pack that was taken in, and the files that go with it. */
export interface IndexedPack {
  /** Objects in the pack as stored, those that were added to complete it included. */
  readonly objects: number;
  /** Objects that were added. */
  readonly added: number;
  /** Length of the pack as stored. Unit: bytes. */
  readonly packBytes: number;
  /** Where the entries end that came; those that were added stand behind. Unit: bytes. */
  readonly receivedEnd: number;
  /** What the objects that came refer to beside each other; `undefined` when that is not known. */
  readonly outerReferences: OuterReferences | undefined;
  /** The pack's trailer, raw. */
  readonly packChecksum: Uint8Array;
  /** The `.idx` file. */
  readonly indexBytes: Uint8Array;
  /** The `.rev` file. */
  readonly reverseIndexBytes: Uint8Array;
  /** Look-up of the pack's objects, made from `indexBytes` at the first use. */
  readonly index: PackIndex;
}

/**
 * Takes one pack in: checks every byte of it, completes it when it is thin, and makes its index files, which are byte
 * for byte those of `git index-pack`. Objects that appear twice are refused, as by `git index-pack --strict`.
 * Synchronous: it is made for a worker thread. After an exception it is of no use, and neither is what the sink got.
 *
 * Memory: about 60 bytes for each object met, 100 while resolving, and the bounds of `maxBaseBytes`, `maxObjectBytes`.
 * Spec: gitformat-pack; git-index-pack.
 */
export class PackIndexer {
  readonly #options: PackIndexerOptions;
  readonly #hash: HashTools;
  readonly #crc32: Crc32;
  readonly #budget: ReceiveBudget;
  readonly #parser: PackParser;
  readonly #gatherer: ReferenceGatherer | undefined;
  readonly #inspect: InspectObject | undefined;
  #resolver: DeltaResolver | undefined;
  /** Bases that are not in the pack, and too large to be held; each counts once. Unit: bytes. */
  largeBaseBytes = 0;

  constructor(options: PackIndexerOptions) {
    this.#options = options;
    this.#hash = { createHasher: options.createHasher, hashInto: options.hashInto };
    this.#crc32 = options.crc32 ?? crc32;
    this.#budget = new ReceiveBudget(options.limits ?? {});
    this.#parser = new PackParser({
      format: options.format,
      codec: options.codec,
      crc32: this.#crc32,
      hash: this.#hash,
      budget: this.#budget,
      append: (bytes) => options.sink.append(bytes),
      inspect: (object) => this.#inspect?.(object),
    });
    const { inspect } = options;
    if (!options.gatherReferences) this.#inspect = inspect;
    else {
      const { entries } = this.#parser;
      const gatherer = new ReferenceGatherer(
        options.format,
        entries,
        () => this.#parser.receivedBytes,
        options.maxTreeDepth,
      );
      this.#gatherer = gatherer;
      this.#inspect = (object) => {
        inspect?.(object);
        gatherer.inspect(object);
      };
    }
  }

  /** How many objects the pack says it has; 0 before its header came. */
  get declaredObjects(): number {
    return this.#parser.declaredCount;
  }

  /** Objects that came so far, for `Receiving objects`; none of those that complete a thin pack. */
  get receivedObjects(): number {
    const { entries, declaredCount } = this.#parser;
    return Math.min(entries.count, declaredCount);
  }

  /** Unit: bytes. */
  get receivedBytes(): number {
    return this.#parser.receivedBytes;
  }

  /** Bytes of the last chunk that stand after the pack's end and belong to nobody. */
  get trailingBytes(): number {
    return this.#parser.trailingBytes;
  }

  /** Deltas that came so far. */
  get deltas(): number {
    return this.#parser.deltaCount;
  }

  /** How many of them have been given their ids, for `Resolving deltas`. */
  get resolvedDeltas(): number {
    return this.#resolver?.resolvedCount ?? 0;
  }

  /**
   * Takes the next bytes of the pack, cut anywhere. The sink gets them before this returns, all but the trailer, which
   * follows when the pack is finished: what was given up never looks whole.
   * @returns whether the pack's end has been reached
   * @throws PackError `pack/malformed`, `pack/bad-zlib`, `pack/bad-delta`, `pack/bad-checksum`, `pack/limit-exceeded`
   */
  feed(chunk: Uint8Array): boolean {
    return this.#parser.feed(chunk);
  }

  /**
   * Resolves the deltas and makes the index. Without `findBase` a thin pack is refused.
   * @throws PackError `pack/truncated` when the end had not come, `pack/bad-delta`, `pack/missing-base`,
   *   `pack/malformed`, `pack/limit-exceeded`
   */
  finish(findBase?: FindBase): IndexedPack {
    const steps = this.finishSteps(findBase);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** As {@link finish}, coming up every few milliseconds: the place to look at counts, and to stop for good. */
  *finishSteps(findBase: FindBase = () => undefined): Generator<void, IndexedPack> {
    const { entries, checksum, entriesEnd } = this.#parser;
    if (checksum === undefined) throw this.#earlyEnd();
    const received = entries.count;
    yield* this.#inspectLarge();
    if (this.#parser.deltaCount > 0) yield* this.#resolve(findBase);
    const { format, sink } = this.#options;
    const sorted = dropDuplicates(entries, received, (row) => objectIdFromBytes(entries.id(row), format));
    yield;
    const outer = this.#gatherer?.outer(received);
    yield;
    const added = entries.count - received;
    let end = entriesEnd;
    let packChecksum = checksum;
    if (added > 0) {
      this.#budget.takeObjects(entries.count);
      const tools = { codec: this.#options.codec, crc32: this.#crc32, sink, findBase };
      end = yield* appendBases(entries, received, end, tools);
      packChecksum = yield* this.#seal(end);
    }
    sink.append(packChecksum);
    return this.#result(sorted, added, end + packChecksum.length, packChecksum, outer);
  }

  #earlyEnd(): PackError {
    const { receivedBytes } = this.#parser;
    const message = receivedBytes < 12 ? "eof before pack header was fully read" : "early EOF";
    return new PackError("pack/truncated", message, { offset: receivedBytes });
  }

  /** Shows what came whole and was too large to be held while it came. */
  *#inspectLarge(): Generator<void, void> {
    const { entries, entriesEnd, largeRows } = this.#parser;
    if (this.#inspect === undefined || largeRows.length === 0) return;
    const { codec, source } = this.#options;
    const inflater = new EntryInflater(entries, source, entriesEnd, codec);
    for (const row of largeRows) {
      const size = entries.sizes[row] as number;
      this.#budget.takeWork(size);
      const bytes = new Uint8Array(size + 1);
      inflater.inflate(row, bytes, 0);
      const data = bytes.subarray(0, size);
      const kind = entries.kinds[row] as number;
      this.#inspect({ row, kind, data, delta: undefined, rawId: entries.id(row) });
      yield;
    }
  }

  *#resolve(findBase: FindBase): Generator<void, void> {
    const { entries, entriesEnd, deltaCount } = this.#parser;
    const { format, codec, source, room, checkpoint, maxBaseBytes = DEFAULT_MAX_BASE_BYTES } = this.#options;
    const tree = new DeltaTree(entries);
    yield;
    const resolver = new DeltaResolver(entries, tree, {
      format,
      codec,
      hash: this.#hash,
      budget: this.#budget,
      source,
      entriesEnd,
      maxBaseBytes,
      room,
      external: (row) => presentBase(entries, row, findBase),
      inspect: this.#inspect,
      checkpoint,
    });
    this.#resolver = resolver;
    yield* resolveDeltas(resolver, entries, deltaCount, (rawId) => {
      const base = findBase(rawId);
      if (base !== undefined && !("data" in base)) this.largeBaseBytes += base.size;
      return base;
    });
  }

  /** Makes header and trailer those of the completed pack. */
  *#seal(end: number): Generator<void, Uint8Array> {
    const { format, sink, source } = this.#options;
    const { offset, bytes } = packCount(this.#parser.entries.count);
    sink.patch(offset, bytes);
    const hasher = (this.#hash.createHasher ?? createHasher)(format);
    yield* readThrough(source, end, (piece) => hasher.update(piece));
    return hasher.digest();
  }

  #result(
    sorted: Uint32Array,
    added: number,
    packBytes: number,
    packChecksum: Uint8Array,
    outerReferences: OuterReferences | undefined,
  ): IndexedPack {
    const { format } = this.#options;
    const { count, ids, crcs, offsets } = this.#parser.entries;
    const objects: IndexedObjects = { format, count, ids, crcs, offsets, sorted, packChecksum };
    const indexBytes = encodePackIndex(objects, this.#hash);
    const reverseIndexBytes = encodeReverseIndex(objects, this.#hash);
    let index: PackIndex | undefined;
    return {
      objects: count,
      added,
      packBytes,
      receivedEnd: this.#parser.entriesEnd,
      outerReferences,
      packChecksum,
      indexBytes,
      reverseIndexBytes,
      get index() {
        index ??= new PackIndex(indexBytes, format);
        return index;
      },
    };
  }
}
