import { hashObject, type ObjectFormat, type ObjectId, ObjectsError, type ObjectType } from "@x/objects";
import {
  type ByteSource,
  type LooseObjects,
  ObjectTable,
  type PackedObject,
  type PackIndex,
  PackReader,
} from "@x/pack";
import type { MemoryLimits } from "./limits.ts";
import { type MemoryTools, sharedBaseCache } from "./memory-tools.ts";

/** What an object costs beside its bytes. Unit: bytes. */
const PER_OBJECT = 200;
/** What a packed object costs in the index of its pack. Unit: bytes. */
const PER_PACKED_OBJECT = 60;
/** Windows of a pack: its bytes are in memory anyway. */
const MAX_WINDOWS = 4;

/** What objects are kept in, whosever they are. */
export interface ShelfOptions {
  readonly format: ObjectFormat;
  readonly tools: MemoryTools;
  readonly limits: MemoryLimits;
}

/** Objects in memory: those that came in packs as they came, the others one by one. Nothing is ever taken away. */
export class ObjectShelf {
  readonly format: ObjectFormat;
  readonly tools: MemoryTools;
  readonly limits: MemoryLimits;
  #packs: readonly PackReader[] = [];
  #loose: Map<ObjectId, PackedObject> = new Map();
  #bytes = 0;
  #packed: ObjectTable | undefined;

  constructor({ format, tools, limits }: ShelfOptions) {
    this.format = format;
    this.tools = tools;
    this.limits = limits;
  }

  /** Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get packs(): readonly PackReader[] {
    return this.#packs;
  }

  get loose(): ReadonlyMap<ObjectId, PackedObject> {
    return this.#loose;
  }

  /** All there is now, with what is on `above` before it: what comes later may show or not. */
  table(above?: ObjectShelf): ObjectTable {
    if (above !== undefined && above.#packs.length > 0)
      return new ObjectTable(
        this.format,
        [...above.#packs, ...this.#packs],
        looseOf(above.#loose, this.#loose),
      );
    this.#packed ??= new ObjectTable(this.format, this.#packs, looseOf());
    return this.#packed.withLoose(
      above === undefined ? looseOf(this.#loose) : looseOf(above.#loose, this.#loose),
    );
  }

  /**
   * Puts an object there, which is its from now on.
   * @param others what else takes up the room. Unit: bytes.
   * @throws ObjectsError `objects/limit-exceeded`
   */
  add(type: ObjectType, data: Uint8Array, others = 0): ObjectId {
    const id = hashObject(this.format, type, data, this.tools.createHasher);
    if (this.#loose.has(id)) return id;
    this.#take(data.length + PER_OBJECT, others);
    this.#loose.set(id, { type, data });
    return id;
  }

  /** Puts a pack there. @throws ObjectsError `objects/limit-exceeded` */
  addPack(source: ByteSource, index: PackIndex, others = 0): void {
    this.#take(source.size + index.count * PER_PACKED_OBJECT, others);
    this.#packs = [...this.#packs, this.openPack(source, index)];
    this.#packed = undefined;
  }

  /** @throws PackError */
  openPack(source: ByteSource, index: PackIndex): PackReader {
    return new PackReader(source, index, {
      codec: this.tools.codec,
      cache: sharedBaseCache(),
      maxObjectBytes: this.limits.maxObjectBytes,
      maxWindows: MAX_WINDOWS,
    });
  }

  /** Takes over all that is on `other`. @throws ObjectsError `objects/limit-exceeded`: then nothing was taken over */
  absorb(other: ObjectShelf): void {
    this.#take(other.#bytes, 0);
    const known = new Set(this.#packs.map(({ index }) => index.packChecksum.join()));
    const fresh = other.#packs.filter(({ index }) => !known.has(index.packChecksum.join()));
    if (fresh.length > 0) {
      this.#packs = [...this.#packs, ...fresh];
      this.#packed = undefined;
    }
    for (const [id, object] of other.#loose) this.#loose.set(id, object);
  }

  /** A pack has been made of `objects`, which were kept one by one. Whoever looks at them now still finds them. */
  replaceLoose(objects: ReadonlyMap<ObjectId, PackedObject>, source: ByteSource, index: PackIndex): void {
    this.#packs = [...this.#packs, this.openPack(source, index)];
    this.#packed = undefined;
    const left = new Map<ObjectId, PackedObject>();
    for (const [id, object] of this.#loose) if (!objects.has(id)) left.set(id, object);
    this.#loose = left;
    for (const { data } of objects.values()) this.#bytes -= data.length + PER_OBJECT;
    this.#bytes += source.size + index.count * PER_PACKED_OBJECT;
  }

  #take(bytes: number, others: number): void {
    const { maxRepositoryBytes } = this.limits;
    if (this.#bytes + others + bytes > maxRepositoryBytes)
      throw new ObjectsError(
        "objects/limit-exceeded",
        `the repository has no room for more than maxRepositoryBytes (${maxRepositoryBytes})`,
      );
    this.#bytes += bytes;
  }
}

function looseOf(...maps: readonly ReadonlyMap<ObjectId, PackedObject>[]): LooseObjects {
  const find = (id: ObjectId): PackedObject | undefined => {
    for (const map of maps) {
      const object = map.get(id);
      if (object !== undefined) return object;
    }
    return undefined;
  };
  return {
    has: (id) => find(id) !== undefined,
    read: find,
    header(id) {
      const object = find(id);
      return object && { type: object.type, size: object.data.length };
    },
  };
}
