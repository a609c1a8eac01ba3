import {
  forEachTreeEntry,
  type ObjectFormat,
  type ObjectId,
  type ObjectType,
  objectIdFromBytes,
  objectIdToBytes,
  parseCommitLinks,
  parseTagTarget,
  RawIdTable,
  rawIdLength,
  treeEntryKind,
} from "@x/objects";
import { Growing } from "./growing.ts";

const TYPES = ["commit", "tree", "blob", "tag"] as const satisfies readonly ObjectType[];

/** An object that others name and that is not there. */
export interface MissingObject {
  readonly id: ObjectId;
  readonly type: ObjectType;
  /** Who names it; `undefined` for a root. */
  readonly from: { readonly id: ObjectId; readonly type: ObjectType } | undefined;
}

/**
 * All objects of a repository and what they name, held at once: 20 or 32 bytes for each object, about 20 more, and 4 for
 * each name.
 */
export class ObjectGraph {
  readonly #format: ObjectFormat;
  readonly #table: RawIdTable;
  /** By row: 1 and more for {@link TYPES}; 0 for what is named only. */
  readonly #types = new Growing(Uint8Array);
  /** The same for what it is named as. */
  readonly #expected = new Growing(Uint8Array);
  readonly #first = new Growing(Uint32Array);
  readonly #length = new Growing(Uint32Array);
  readonly #edges = new Growing(Uint32Array);
  #edgeCount = 0;
  #added = 0;

  constructor(format: ObjectFormat) {
    this.#format = format;
    this.#table = new RawIdTable(rawIdLength(format));
  }

  /** Objects that were added. */
  get count(): number {
    return this.#added;
  }

  has(id: ObjectId): boolean {
    return this.#types.get(this.#table.find(objectIdToBytes(id))) > 0;
  }

  /** The type of an object that is there. */
  type(id: ObjectId): ObjectType | undefined {
    return typeOf(this.#types.get(this.#table.find(objectIdToBytes(id))));
  }

  /** Adds an object; the second time nothing happens. @param data need not be given for a blob */
  add(rawId: Uint8Array, type: ObjectType, data?: Uint8Array): void {
    const row = this.#table.add(rawId);
    if (this.#types.get(row) > 0) return;
    this.#types.set(row, TYPES.indexOf(type) + 1);
    this.#added++;
    if (data === undefined || type === "blob") return;
    const start = this.#edgeCount;
    try {
      this.#link(type, data);
    } catch {
      // What cannot be read is told of by whoever looks at the object itself.
    }
    this.#first.set(row, start);
    this.#length.set(row, this.#edgeCount - start);
  }

  #link(type: ObjectType, data: Uint8Array): void {
    if (type === "tree") {
      forEachTreeEntry(data, this.#format, (mode, _nameAt, _nameEnd, idAt) => {
        const kind = treeEntryKind(mode);
        if (kind !== "gitlink") this.#edge(data, idAt, kind);
      });
    } else if (type === "commit") {
      const { tree, parents } = parseCommitLinks(data, this.#format);
      this.#edge(objectIdToBytes(tree), 0, "tree");
      for (const parent of parents) this.#edge(objectIdToBytes(parent), 0, "commit");
    } else {
      const target = parseTagTarget(data, this.#format);
      this.#edge(objectIdToBytes(target.id), 0, target.type);
    }
  }

  #edge(bytes: Uint8Array, at: number, type: ObjectType): void {
    const row = this.#table.add(bytes, at);
    if (this.#expected.get(row) === 0) this.#expected.set(row, TYPES.indexOf(type) + 1);
    this.#edges.set(this.#edgeCount++, row);
  }

  /**
   * Follows all names from `roots`. @param shallow commits whose parents are left out
   * @returns what is missing, and which rows were reached
   */
  reach(
    roots: Iterable<ObjectId>,
    shallow: ReadonlySet<ObjectId>,
  ): { readonly missing: readonly MissingObject[]; readonly reached: Uint8Array } {
    const reached = new Uint8Array(this.#table.count + 1);
    const missing: MissingObject[] = [];
    const cut = new Set([...shallow].map((id) => this.#table.find(objectIdToBytes(id))));
    const stack: number[] = [];
    const visit = (row: number, from: number) => {
      if (reached[row] === 1) return;
      reached[row] = 1;
      if (this.#types.get(row) > 0) stack.push(row);
      else missing.push(this.#missing(row, from));
    };
    for (const id of roots) {
      const row = this.#table.find(objectIdToBytes(id));
      // A root that is not there is its ref's fault.
      if (this.#types.get(row) > 0) visit(row, -1);
    }
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      const first = this.#first.get(row);
      // A commit's tree comes first.
      const length = cut.has(row) ? Math.min(1, this.#length.get(row)) : this.#length.get(row);
      for (let i = 0; i < length; i++) visit(this.#edges.get(first + i), row);
    }
    return { missing, reached };
  }

  #missing(row: number, from: number): MissingObject {
    const parent = typeOf(this.#types.get(from));
    return {
      id: this.#id(row),
      type: typeOf(this.#expected.get(row)) ?? "blob",
      from: parent && { id: this.#id(from), type: parent },
    };
  }

  /** Objects that were not reached and that no other object names. */
  *dangling(reached: Uint8Array): Generator<{ readonly id: ObjectId; readonly type: ObjectType }> {
    for (let row = 0; row < this.#table.count; row++) {
      const type = typeOf(this.#types.get(row));
      if (type !== undefined && reached[row] !== 1 && this.#expected.get(row) === 0)
        yield { id: this.#id(row), type };
    }
  }

  #id(row: number): ObjectId {
    return objectIdFromBytes(this.#table.id(row), this.#format, 0);
  }
}

function typeOf(code: number): ObjectType | undefined {
  return TYPES[code - 1];
}
