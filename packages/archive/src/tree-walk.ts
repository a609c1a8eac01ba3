import { Attributes, type ObjectId, objectIdFromBytes, rawIdLength, treeEntryKind } from "@x/objects";
import { fromBytes } from "./byte-text.ts";
import { ArchiveError } from "./errors.ts";
import type { ArchiveSource } from "./source.ts";

/** Trees within trees. As in C git (`core.maxTreeDepth`). */
const MAX_DEPTH = 2048;

/** A larger file of attributes is passed over. Unit: bytes. */
const MAX_ATTRIBUTES_BYTES = 4 * 1024 * 1024;

/** An entry of the tree at {@link base}, which is empty or ends in a slash. */
export interface WalkedEntry {
  readonly base: string;
  readonly name: string;
  /** One of 0o100644, 0o100755, 0o120000, 0o40000 and 0o160000, whatever stands in the tree. */
  readonly mode: number;
  readonly id: ObjectId;
}

interface Frame {
  readonly base: string;
  readonly tree: Uint8Array;
  at: number;
}

/** Walks a tree in order, and tells what its `.gitattributes` files say of the paths at hand. */
export class TreeWalk {
  readonly #source: ArchiveSource;
  readonly #count: () => void;
  /** The trees from the top to where the walk is. */
  readonly #frames: Frame[] = [];
  readonly #byBase: Map<string, Frame> = new Map();
  readonly #createAttributes: () => Attributes;
  #attributes: Attributes | undefined;

  /** @param count called for each entry and each tree; may throw */
  constructor(
    source: ArchiveSource,
    options: { readonly ignoreCase: boolean; readonly withTree: boolean },
    count: () => void,
  ) {
    this.#source = source;
    this.#count = count;
    this.#createAttributes = () =>
      new Attributes({
        read: (directory) => (options.withTree ? this.#readAttributes(directory) : undefined),
        repository: source.repositoryAttributes,
        user: source.userAttributes,
        ignoreCase: options.ignoreCase,
      });
  }

  /** Only of paths in trees that the walk is in. */
  get attributes(): Attributes {
    // Not before the top is entered: its macros count everywhere.
    this.#attributes ??= this.#createAttributes();
    return this.#attributes;
  }

  /**
   * Gives each entry of the tree that `fits`, and goes into those trees for which `descend` is true; both are called in
   * order. A tree is given after its `descend`, before what is in it; `undefined` is a chance to give way.
   */
  *each(
    root: ObjectId,
    fits: (entry: WalkedEntry) => boolean,
    descend: (entry: WalkedEntry) => boolean,
  ): Generator<WalkedEntry | undefined, void> {
    try {
      this.#enter("", root);
      for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
        const entry = this.#next(frame);
        if (entry === undefined) {
          this.#leave();
          continue;
        }
        if (!fits(entry)) {
          yield undefined;
          continue;
        }
        if (treeEntryKind(entry.mode) !== "tree") yield entry;
        else if (descend(entry)) {
          yield entry;
          this.#enter(`${entry.base}${entry.name}/`, entry.id);
        }
      }
    } finally {
      while (this.#frames.length > 0) this.#leave();
    }
  }

  #enter(base: string, id: ObjectId): void {
    if (this.#frames.length > MAX_DEPTH)
      throw new ArchiveError("archive/limit-exceeded", "exceeded maximum allowed tree depth");
    this.#count();
    const object = this.#source.read(id);
    if (object?.type !== "tree")
      throw new ArchiveError("archive/missing-object", `unable to read tree (${id})`, { id });
    const frame = { base, tree: object.data.slice(), at: 0 };
    this.#frames.push(frame);
    this.#byBase.set(base, frame);
    // What was asked of it before it was entered does not count.
    if (base !== "") this.attributes.forget(base);
  }

  #leave(): void {
    const frame = this.#frames.pop();
    if (frame === undefined) return;
    this.#byBase.delete(frame.base);
    if (frame.base === "") this.#attributes = undefined;
    else this.attributes.forget(frame.base);
  }

  #next(frame: Frame): WalkedEntry | undefined {
    if (frame.at >= frame.tree.length) return undefined;
    this.#count();
    const { format } = this.#source;
    const { tree, base } = frame;
    const space = tree.indexOf(0x20, frame.at);
    const end = space < 0 ? -1 : tree.indexOf(0, space);
    const next = end + 1 + rawIdLength(format);
    const digits = fromBytes(tree.subarray(frame.at, Math.min(space, frame.at + 8)));
    if (end < 0 || next > tree.length || !/^[0-7]{1,7}$/.test(digits) || end === space + 1)
      throw new ArchiveError("archive/missing-object", `malformed tree below '${base}'`);
    frame.at = next;
    return {
      base,
      name: fromBytes(tree.subarray(space + 1, end)),
      mode: canonicalMode(Number(`0o${digits}`)),
      id: objectIdFromBytes(tree, format, end + 1),
    };
  }

  #readAttributes(directory: string): string | undefined {
    const frame = this.#byBase.get(directory);
    if (frame === undefined) return undefined;
    const { tree } = frame;
    const idLength = rawIdLength(this.#source.format);
    for (let at = 0; at < tree.length; ) {
      const space = tree.indexOf(0x20, at);
      const end = space < 0 ? -1 : tree.indexOf(0, space);
      if (end < 0) return undefined;
      // Names come in order, and a name is as good as a prefix of it here.
      if (tree[space + 1] === 0x2e && end - space === ATTRIBUTES_NAME.length + 1) {
        const name = fromBytes(tree.subarray(space + 1, end));
        if (name === ATTRIBUTES_NAME && tree[at] === 0x31 && tree[at + 2] === 0x30)
          return this.#text(objectIdFromBytes(tree, this.#source.format, end + 1));
      }
      if ((tree[space + 1] as number) > 0x2e) return undefined;
      at = end + 1 + idLength;
    }
    return undefined;
  }

  #text(id: ObjectId): string | undefined {
    const header = this.#source.header(id);
    if (header?.type !== "blob" || header.size > MAX_ATTRIBUTES_BYTES) return undefined;
    const object = this.#source.read(id);
    return object && fromBytes(object.data);
  }
}

const ATTRIBUTES_NAME = ".gitattributes";

function canonicalMode(mode: number): number {
  switch (mode & 0o170000) {
    case 0o100000:
      return mode & 0o100 ? 0o100755 : 0o100644;
    case 0o120000:
      return 0o120000;
    case 0o040000:
      return 0o040000;
    default:
      return 0o160000;
  }
}
