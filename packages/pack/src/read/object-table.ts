import {
  type ObjectFormat,
  type ObjectId,
  objectIdFromBytes,
  objectIdToBytes,
  rawIdLength,
} from "@x/objects";
import { PackError } from "../errors.ts";
import { AnswerMemory } from "./answer-memory.ts";
import type { CommitGraph } from "./commit-graph.ts";
import type { PackedObject } from "./delta-base-cache.ts";
import { MergedLookup } from "./merged-lookup.ts";
import type { PackReader } from "./pack-reader.ts";

/** Objects that are in no pack. Synchronous: they are read in worker threads. */
export interface LooseObjects {
  has(id: ObjectId): boolean;
  /** As `has` for each, for less where most are not there; as {@link ObjectTable.hasEach}. */
  hasEach?(ids: readonly ObjectId[], lookAgain: boolean): readonly boolean[];
  /**
   * `undefined` when it is not there (any more).
   * @param maxBytes a larger one is refused with `pack/limit-exceeded`. Unit: bytes.
   */
  read(id: ObjectId, maxBytes?: number): PackedObject | undefined;
  /** The data of one that is there in pieces, each of which holds until the next: for what is too large to be held. */
  stream?(id: ObjectId): Iterable<Uint8Array> | undefined;
  /** As `read`, but only what the head of the file tells. */
  header(id: ObjectId): { readonly type: PackedObject["type"]; readonly size: number } | undefined;
}

/**
 * All objects of a store at one moment, each with a number, so that a walk over millions of them keeps its notes in
 * typed arrays. Packed objects are numbered pack by pack in the order of their indexes; loose ones get the numbers
 * after that as they are met. An object that lies in several packs has one number: that of the first.
 */
export class ObjectTable {
  readonly format: ObjectFormat;
  /** Largest first: most look-ups end in the first. */
  readonly packs: readonly PackReader[];
  /** Shared by all tables of the same packs. */
  readonly answers: AnswerMemory;
  readonly #starts: readonly number[];
  readonly #packed: number;
  /** Finds what is in none of {@link #late}, and not in the first pack. */
  readonly #rest: MergedLookup;
  /** What {@link #rest} has from here on came later, for another table. */
  readonly #restEnd: number;
  /** The packs that came after the look-up was made; the last of {@link packs}. */
  readonly #late: readonly PackReader[];
  readonly #loose: LooseObjects;
  readonly #looseNumbers: Map<ObjectId, number> = new Map();
  readonly #looseIds: ObjectId[] = [];
  readonly #openCommitGraph: () => CommitGraph | undefined;
  #commitGraph: CommitGraph | undefined | "unopened" = "unopened";

  /**
   * @param twin a table of the same packs but for `late` ones, to share with it what is known of them
   * @param stay the late ones go into the look-up that is shared
   */
  constructor(
    format: ObjectFormat,
    packs: readonly PackReader[],
    loose: LooseObjects,
    twin?: ObjectTable,
    openCommitGraph: () => CommitGraph | undefined = () => undefined,
    late: readonly PackReader[] = [],
    stay = false,
  ) {
    this.format = format;
    this.#openCommitGraph = openCommitGraph;
    this.#loose = loose;
    if (twin !== undefined) {
      this.packs = [...twin.packs, ...late];
      this.answers = late.length === 0 ? twin.answers : new AnswerMemory();
      this.#late = stay ? [] : [...twin.#late, ...late];
      const starts = [...twin.#starts];
      let count = twin.#packed;
      for (const { index } of late) {
        starts.push(count);
        count += index.count;
      }
      this.#starts = starts;
      this.#packed = count;
      this.#rest = twin.#rest;
      this.#restEnd = stay ? count : twin.#restEnd;
      if (stay) for (const { index } of late) this.#rest.add(index);
      return;
    }
    this.#late = [];
    this.answers = new AnswerMemory();
    this.packs = [...packs].sort((a, b) => b.index.count - a.index.count);
    const starts: number[] = [];
    let count = 0;
    for (const { index } of this.packs) {
      starts.push(count);
      count += index.count;
    }
    this.#starts = starts;
    this.#packed = count;
    this.#rest = new MergedLookup(
      this.packs.slice(1).map((pack) => pack.index),
      starts[1] ?? count,
    );
    this.#restEnd = count;
  }

  /** What is known of its commits without reading them. Opened when a walk first asks. */
  get commitGraph(): CommitGraph | undefined {
    if (this.#commitGraph === "unopened") this.#commitGraph = this.#openCommitGraph();
    return this.#commitGraph;
  }

  /** Numbers given so far: every number is below. Grows as loose objects are met. */
  get count(): number {
    return this.#packed + this.#looseIds.length;
  }

  /** Objects in packs: their numbers are below. */
  get packedCount(): number {
    return this.#packed;
  }

  /** The same packs, with the loose objects of `loose`, looked for anew. */
  withLoose(loose: LooseObjects, openCommitGraph?: () => CommitGraph | undefined): ObjectTable {
    return new ObjectTable(this.format, this.packs, loose, this, openCommitGraph);
  }

  /**
   * The same with a few packs more, whose objects get the next numbers. Each of them makes every look-up for what is in
   * no pack longer.
   */
  withPacks(late: readonly PackReader[]): ObjectTable {
    return new ObjectTable(this.format, [], this.#loose, this, this.#openCommitGraph, late);
  }

  /** As {@link withPacks}, for packs that are there to stay: look-ups take as long as before. */
  grown(packs: readonly PackReader[]): ObjectTable {
    const isLatest = this.#late.length === 0 && this.#rest.end === this.#packed;
    if (!isLatest)
      return new ObjectTable(
        this.format,
        [...this.packs, ...packs],
        this.#loose,
        undefined,
        this.#openCommitGraph,
      );
    return new ObjectTable(this.format, [], this.#loose, this, this.#openCommitGraph, packs, true);
  }

  /** Packs of {@link withPacks}. */
  get latePacks(): number {
    return this.#late.length;
  }

  /** The number of the object whose raw id stands in `bytes` at `at`; -1 when it is not stored. */
  find(bytes: Uint8Array, at: number): number {
    const number = this.findPacked(bytes, at);
    return number >= 0 ? number : this.#findLoose(objectIdFromBytes(bytes, this.format, at));
  }

  /** As {@link find}, among the packs only. */
  findPacked(bytes: Uint8Array, at: number): number {
    const position = this.packs[0]?.index.find(bytes, at) ?? -1;
    if (position >= 0) return position;
    const number = this.#rest.find(bytes, at);
    return number >= 0 && number < this.#restEnd ? number : this.#findLate(bytes, at);
  }

  #findLate(bytes: Uint8Array, at: number): number {
    for (const [i, { index }] of this.#late.entries()) {
      const position = index.find(bytes, at);
      if (position >= 0) return this.startOf(this.packs.length - this.#late.length + i) + position;
    }
    return -1;
  }

  /** As {@link find}. */
  findId(id: ObjectId): number {
    return id.length === rawIdLength(this.format) * 2 ? this.find(objectIdToBytes(id), 0) : -1;
  }

  /**
   * Whether each is stored. Gives no numbers to loose ones: a client may name any number of objects that it has.
   * @param lookAgain what was not there a moment ago is looked for whatever that costs
   */
  hasEach(ids: readonly ObjectId[], lookAgain = true): boolean[] {
    const length = rawIdLength(this.format) * 2;
    const stored = new Set<ObjectId>();
    const others: ObjectId[] = [];
    for (const id of ids) {
      if (id.length !== length) continue;
      if (this.findPacked(objectIdToBytes(id), 0) >= 0) stored.add(id);
      else others.push(id);
    }
    const loose = this.#loose.hasEach?.(others, lookAgain) ?? others.map((id) => this.#loose.has(id));
    for (const [i, id] of others.entries()) if (loose[i] === true) stored.add(id);
    return ids.map((id) => stored.has(id));
  }

  /** How many leading hex digits of `id` another packed object's id has as well, at most. */
  sharedDigits(id: ObjectId): number {
    const bytes = objectIdToBytes(id);
    return this.packs.reduce((most, { index }) => Math.max(most, index.sharedDigits(bytes)), 0);
  }

  #findLoose(id: ObjectId): number {
    const known = this.#looseNumbers.get(id);
    if (known !== undefined) return known;
    if (!this.#loose.has(id)) return -1;
    const number = this.count;
    this.#looseIds.push(id);
    this.#looseNumbers.set(id, number);
    return number;
  }

  /** Which pack an object lies in, -1 for loose ones. */
  packOf(number: number): number {
    if (number >= this.#packed) return -1;
    let pack = 0;
    while (pack + 1 < this.#starts.length && number >= (this.#starts[pack + 1] as number)) pack++;
    return pack;
  }

  /** The number of the first object of a pack. */
  startOf(pack: number): number {
    return this.#starts[pack] as number;
  }

  /** The objects that were met and are in no pack. */
  looseNumbers(): number[] {
    return this.#looseIds.map((_, i) => this.#packed + i);
  }

  id(number: number): ObjectId {
    const pack = this.packOf(number);
    if (pack < 0) return this.#looseIds[number - this.#packed] as ObjectId;
    return (this.packs[pack] as PackReader).index.id(number - this.startOf(pack));
  }

  /** The raw id, to be read only. */
  rawId(number: number): Uint8Array {
    const pack = this.packOf(number);
    if (pack < 0) return objectIdToBytes(this.id(number));
    return (this.packs[pack] as PackReader).index.rawId(number - this.startOf(pack));
  }

  /**
   * @param maxBytes neither it nor anything it is made of may be larger. Unit: bytes.
   * @throws PackError when it cannot be read (any more); `pack/limit-exceeded`
   */
  read(number: number, maxBytes?: number): PackedObject {
    const place = this.placeOf(number);
    if (place === undefined) return this.#present(number, this.#loose.read(this.id(number), maxBytes));
    return place.pack.read(place.offset, maxBytes);
  }

  /** Where an object lies; `undefined` for loose ones. */
  placeOf(number: number): { readonly pack: PackReader; readonly offset: number } | undefined {
    const at = this.packOf(number);
    if (at < 0) return undefined;
    const pack = this.packs[at] as PackReader;
    return { pack, offset: pack.index.offset(number - this.startOf(at)) };
  }

  /** As {@link read}, piece by piece where it lies whole in a pack; each piece holds until the next. @throws PackError */
  stream(number: number): Iterable<Uint8Array> {
    const place = this.placeOf(number);
    if (place !== undefined) return place.pack.stream(place.offset);
    return this.#loose.stream?.(this.id(number)) ?? [this.read(number).data];
  }

  /** As {@link read}, with a key that stands for the copy that was read, and for a tree its delta. @throws PackError */
  readDerived(number: number): PackedObject & { readonly key: number } {
    const pack = this.packOf(number);
    if (pack < 0) return { ...this.read(number), key: -1 - number };
    const reader = this.packs[pack] as PackReader;
    const offset = reader.index.offset(number - this.startOf(pack));
    const { type, data, delta } = reader.read(offset);
    return { type, data, delta, key: reader.keyOf(offset) };
  }

  /** A key that orders objects as they lie: pack by pack, and there by offset. Bases come before their deltas. */
  locality(number: number): number {
    const pack = this.packOf(number);
    if (pack < 0) return number;
    const reader = this.packs[pack] as PackReader;
    return reader.keyOf(reader.index.offset(number - this.startOf(pack)));
  }

  /** Type and size, without putting the object together. @throws PackError */
  header(number: number): { readonly type: PackedObject["type"]; readonly size: number } {
    const pack = this.packOf(number);
    if (pack < 0) return this.#present(number, this.#loose.header(this.id(number)));
    const reader = this.packs[pack] as PackReader;
    return reader.header(reader.index.offset(number - this.startOf(pack)));
  }

  /** The size alone: as {@link header}, and quicker. Unit: bytes. @throws PackError */
  size(number: number): number {
    const pack = this.packOf(number);
    if (pack < 0) return this.header(number).size;
    const reader = this.packs[pack] as PackReader;
    return reader.size(reader.index.offset(number - this.startOf(pack)));
  }

  #present<T>(number: number, value: T | undefined): T {
    if (value === undefined)
      throw new PackError("pack/missing-object", `object ${this.id(number)} is gone`, {
        id: this.id(number),
      });
    return value;
  }
}
