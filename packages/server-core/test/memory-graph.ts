import {
  hashObject,
  type ObjectFormat,
  type ObjectId,
  type ObjectType,
  parseCommitLinks,
  parseTagTarget,
  parseTree,
  type StoredObject,
  treeEntryKind,
} from "@x/objects";

/** Objects in a map, and what a walk over them needs. */
export class MemoryGraph {
  readonly format: ObjectFormat;
  readonly stored: Map<ObjectId, StoredObject> = new Map();
  readonly #below: MemoryGraph | undefined;

  /** @param below objects that are seen too, and not changed */
  constructor(format: ObjectFormat, below?: MemoryGraph) {
    this.format = format;
    this.#below = below;
  }

  get(id: ObjectId): StoredObject | undefined {
    return this.stored.get(id) ?? this.#below?.get(id);
  }

  add(type: ObjectType, data: Uint8Array | string): ObjectId {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const id = hashObject(this.format, type, bytes);
    this.stored.set(id, { type, data: bytes });
    return id;
  }

  type(id: ObjectId): ObjectType | undefined {
    return this.get(id)?.type;
  }

  parents(id: ObjectId): readonly ObjectId[] {
    const object = this.get(id);
    return object?.type === "commit" ? parseCommitLinks(object.data, this.format).parents : [];
  }

  time(id: ObjectId): number {
    const object = this.get(id);
    return object?.type === "commit" ? parseCommitLinks(object.data, this.format).committedAt : 0;
  }

  /** What a chain of tags ends in; `undefined` when it breaks off. */
  peel(id: ObjectId): ObjectId | undefined {
    const object = this.get(id);
    if (object?.type !== "tag") return object && id;
    return this.peel(parseTagTarget(object.data, this.format).id);
  }

  /** What an object names directly; commits in `cut` have no parents. */
  links(id: ObjectId, cut: ReadonlySet<ObjectId>): ObjectId[] {
    const object = this.get(id);
    if (object?.type === "tag") return [parseTagTarget(object.data, this.format).id];
    if (object?.type === "commit") {
      const { tree, parents } = parseCommitLinks(object.data, this.format);
      return cut.has(id) ? [tree] : [tree, ...parents];
    }
    if (object?.type === "tree")
      return parseTree(object.data, this.format)
        .filter(({ mode }) => treeEntryKind(mode) !== "gitlink")
        .map((entry) => entry.id);
    return [];
  }

  /** All that `from` reach, themselves included; a missing object is given to `onMissing`. */
  reach(
    from: Iterable<ObjectId>,
    options: {
      readonly cut?: ReadonlySet<ObjectId>;
      readonly without?: ReadonlySet<ObjectId>;
      readonly onMissing?: (id: ObjectId) => void;
    } = {},
  ): Set<ObjectId> {
    const cut = options.cut ?? new Set();
    const seen = new Set<ObjectId>();
    const open = [...from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id) || options.without?.has(id)) continue;
      seen.add(id);
      if (this.get(id) === undefined) options.onMissing?.(id);
      open.push(...this.links(id, cut));
    }
    return seen;
  }
}
