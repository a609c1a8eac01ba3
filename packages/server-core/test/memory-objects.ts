import {
  type AlternateTipsOptions,
  type CreatePackOptions,
  type DeepenAnswer,
  type DeepenRequest,
  type ObjectFormat,
  type ObjectHeader,
  type ObjectId,
  type ObjectReader,
  type ObjectStore,
  ObjectsError,
  type ObjectType,
  type PackEvent,
  type PackReceipt,
  type PackRequest,
  type PeeledObject,
  type Quarantine,
  type ReceivedObject,
  type StoredObject,
  type TakePackOptions,
  type UnconnectedOptions,
} from "@x/objects";
import { decodeLatin1, encodeLatin1 } from "@x/pktline";
import { MemoryGraph } from "./memory-graph.ts";

class MemoryReader implements ObjectReader {
  readonly graph: MemoryGraph;

  constructor(graph: MemoryGraph) {
    this.graph = graph;
  }

  async has(ids: readonly ObjectId[]): Promise<readonly boolean[]> {
    return ids.map((id) => this.graph.get(id) !== undefined);
  }

  async headers(ids: readonly ObjectId[]): Promise<readonly (ObjectHeader | undefined)[]> {
    return ids.map((id) => {
      const object = this.graph.get(id);
      return object && { type: object.type, size: object.data.length };
    });
  }

  async read(id: ObjectId): Promise<StoredObject | undefined> {
    return this.graph.get(id);
  }

  async peel(ids: readonly ObjectId[]): Promise<readonly (PeeledObject | undefined)[]> {
    return ids.map((id) => {
      const peeled = this.graph.peel(id);
      return peeled && { id: peeled, type: this.graph.type(peeled) as PeeledObject["type"] };
    });
  }

  async isAncestor(ancestor: ObjectId, descendant: ObjectId): Promise<boolean> {
    return this.graph.reach([descendant]).has(ancestor);
  }
}

/** An object store in memory. Its packs are texts: `PACK`, a line for each object, `END`. */
export class MemoryObjects extends MemoryReader implements ObjectStore {
  readonly format: ObjectFormat;
  /** Every order for a pack, for tests that look at it. */
  readonly orders: PackRequest[] = [];
  readonly quarantines: MemoryQuarantine[] = [];
  boundary: ObjectId[] = [];
  /** What refs of alternates hold, by their names. */
  readonly lent: Map<string, ObjectId> = new Map();
  /** Put in the place of the pack that would be made. */
  pack: ((request: PackRequest, options?: CreatePackOptions) => AsyncIterable<PackEvent>) | undefined;

  constructor(format: ObjectFormat) {
    super(new MemoryGraph(format));
    this.format = format;
  }

  async shallow(): Promise<readonly ObjectId[]> {
    return this.boundary;
  }

  async addShallow(ids: readonly ObjectId[]): Promise<void> {
    this.boundary.push(...ids);
  }

  async *alternateTips({ prefixes = [""] }: AlternateTipsOptions = {}): AsyncGenerator<ObjectId[]> {
    for (const [name, id] of this.lent) if (prefixes.some((prefix) => name.startsWith(prefix))) yield [id];
  }

  async unreachable(ids: readonly ObjectId[], tips: readonly ObjectId[]): Promise<readonly ObjectId[]> {
    const reached = this.graph.reach(tips, { cut: new Set(this.boundary) });
    return ids.filter((id) => !reached.has(id) || this.graph.get(id) === undefined);
  }

  async allReach(wants: readonly ObjectId[], common: readonly ObjectId[]): Promise<boolean> {
    return wants.every((want) => {
      const reached = this.graph.reach([want]);
      return common.some((id) => reached.has(id));
    });
  }

  async deepen(request: DeepenRequest): Promise<DeepenAnswer> {
    if (request.depth === Number.POSITIVE_INFINITY && this.boundary.length === 0) {
      const unshallow = [...request.clientShallow];
      return { shallow: [], unshallow, parents: unshallow.flatMap((id) => [...this.graph.parents(id)]) };
    }
    const peel = (ids: readonly ObjectId[]) => ids.map((id) => this.graph.peel(id) ?? id);
    const tips = peel(request.wants);
    const from = request.relative
      ? this.#reachable(request.clientShallow, [...tips, ...peel(request.tips ?? [])])
      : tips;
    const depth = (request.depth ?? Number.POSITIVE_INFINITY) + (request.relative ? 1 : 0);
    const hidden = this.graph.reach(request.not ?? []);
    const selected = (id: ObjectId) =>
      !hidden.has(id) && (request.since === undefined || this.graph.time(id) >= request.since);
    const kept = new Map<ObjectId, number>();
    let level = from.filter(selected);
    for (let at = 1; at <= depth && level.length > 0; at++) {
      for (const id of level) if (!kept.has(id)) kept.set(id, at);
      level = level.flatMap((id) => this.#parents(id)).filter((id) => !kept.has(id) && selected(id));
    }
    if (kept.size === 0)
      throw new ObjectsError("objects/nothing-selected", "no commits selected for shallow requests");
    const ends = [...kept.keys()].filter(
      (id) => this.boundary.includes(id) || this.graph.parents(id).some((parent) => !kept.has(parent)),
    );
    const client = new Set(request.clientShallow);
    const unshallow = [...client].filter((id) => kept.has(id) && !ends.includes(id));
    return {
      shallow: ends.filter((id) => !client.has(id)),
      unshallow,
      parents: unshallow.flatMap((id) => [...this.graph.parents(id)]),
    };
  }

  #parents(id: ObjectId): readonly ObjectId[] {
    return this.boundary.includes(id) ? [] : this.graph.parents(id);
  }

  #reachable(ids: readonly ObjectId[], tips: readonly ObjectId[]): ObjectId[] {
    const reached = this.graph.reach(tips);
    return ids.filter((id) => reached.has(id));
  }

  async *createPack(request: PackRequest, options?: CreatePackOptions): AsyncGenerator<PackEvent> {
    this.orders.push(request);
    if (this.pack !== undefined) {
      yield* this.pack(request, options);
      return;
    }
    const cut = new Set([...(request.shallow ?? []), ...this.boundary]);
    const without = this.graph.reach(request.haves, { cut });
    const ids = this.graph.reach(request.wants, {
      cut,
      without,
      onMissing: (id) => {
        throw new ObjectsError("objects/not-found", `/secret/objects lacks ${id}`);
      },
    });
    for (const { tag, peeled } of request.tags ?? []) if (ids.has(peeled)) ids.add(tag);
    const wanted = new Set(request.wants);
    if (request.filter?.kind === "blob-none")
      for (const id of ids) if (this.graph.type(id) === "blob" && !wanted.has(id)) ids.delete(id);
    if (request.progress) yield { kind: "progress", text: `Counting objects: ${ids.size}, done.\n` };
    if (request.elsewhere !== undefined)
      yield { kind: "elsewhere", ids: request.elsewhere.filter((id) => ids.delete(id)) };
    const pack = encodePack([...ids].map((id) => this.graph.get(id) as StoredObject));
    yield { kind: "bytes", bytes: pack };
    yield { kind: "summary", summary: { objects: ids.size, bytes: pack.length, reused: 0, deltas: 0 } };
  }

  async receive(): Promise<Quarantine> {
    const quarantine = new MemoryQuarantine(this);
    this.quarantines.push(quarantine);
    return quarantine;
  }
}

/** A pack as {@link MemoryObjects} makes it. */
export function encodePack(objects: readonly StoredObject[]): Uint8Array {
  const lines = objects.map(({ type, data }) => `${type} ${JSON.stringify(decodeLatin1(data))}\n`);
  return encodeLatin1(`PACK\n${lines.join("")}END\n`);
}

/** Where a {@link MemoryObjects} takes packs in. */
export class MemoryQuarantine extends MemoryReader implements Quarantine {
  readonly #store: MemoryObjects;
  state: "open" | "published" | "discarded" = "open";
  readonly environment: ReadonlyMap<string, string> = new Map([["GIT_QUARANTINE_PATH", "/quarantine"]]);
  readonly #received: ReceivedObject[] = [];

  constructor(store: MemoryObjects) {
    super(new MemoryGraph(store.format, store.graph));
    this.#store = store;
  }

  async takePack(chunks: AsyncIterable<Uint8Array>, options: TakePackOptions): Promise<PackReceipt> {
    let text = "";
    for await (const chunk of chunks) {
      text += decodeLatin1(chunk);
      if (text.includes("END\n")) break;
    }
    const end = text.indexOf("END\n");
    if (!text.startsWith("PACK\n") || end < 0)
      throw new ObjectsError("objects/bad-pack", "eof before pack header was fully read");
    const bytes = end + 4;
    if (bytes > (options.limits.maxPackBytes ?? Number.POSITIVE_INFINITY))
      throw new ObjectsError("objects/limit-exceeded", "pack exceeds maximum allowed size");
    const lines = text.slice(5, end).split("\n").slice(0, -1);
    options.onProgress?.(`Unpacking objects: 100% (${lines.length}/${lines.length}), done.\n`);
    for (const line of lines) {
      const space = line.indexOf(" ");
      const data = encodeLatin1(JSON.parse(line.slice(space + 1)) as string);
      const type = line.slice(0, space) as ObjectType;
      this.#received.push({ id: this.graph.add(type, data), type, size: data.length });
    }
    return { objects: lines.length, bytes, trailingBytes: text.length - bytes };
  }

  async *received(): AsyncGenerator<readonly ReceivedObject[]> {
    for (const object of this.#received) yield [object];
  }

  async writeObject(type: ObjectType, data: Uint8Array): Promise<ObjectId> {
    return this.graph.add(type, data);
  }

  async unconnected(
    tips: readonly ObjectId[],
    known: readonly ObjectId[],
    options: UnconnectedOptions = {},
  ): Promise<readonly ObjectId[]> {
    const without = this.#store.graph.reach(known);
    const cut = new Set([...this.#store.boundary, ...(options.clientShallow ?? [])]);
    return tips.filter((tip) => {
      let whole = true;
      this.graph.reach([tip], {
        without,
        cut,
        onMissing: () => {
          whole = false;
        },
      });
      return !whole;
    });
  }

  async publish(): Promise<void> {
    this.state = "published";
    for (const [id, object] of this.graph.stored) this.#store.graph.stored.set(id, object);
  }

  async discard(): Promise<void> {
    if (this.state === "open") this.state = "discarded";
  }
}
