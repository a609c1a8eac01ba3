import { type ObjectFormat, type ObjectId, objectIdToBytes, parseTagTarget, rawIdLength } from "@x/objects";
import { ENTRY_BLOB, ENTRY_COMMIT, ENTRY_TREE, objectEntryType } from "../format/entry-header.ts";
import { EntryScanner } from "../walk/entry-scanner.ts";
import type { EntryTable } from "./entry-table.ts";
import { IdNotes } from "./id-notes.ts";
import type { InspectedObject } from "./object-inspector.ts";
import { TreeHeights } from "./tree-heights.ts";

const TREE = 0o040000;
const GITLINK = 0o160000;
/** In the notes: the id belongs to an object of the pack. */
const CAME = 1;

/** References to so many objects are remembered whatever the pack holds. */
const SPARE_REFERENCES = 65_536;
/** One more for each so many bytes that came: what names an object takes 20 at least. */
const BYTES_PER_REFERENCE = 16;

/** The bit that says that an object is referred to as one of this type. */
export function referenceBit(kind: number): number {
  return 1 << kind;
}

/** Ids that the objects of a pack refer to and that are not in it. */
export interface OuterReferences {
  /** Rows of a raw id and a byte with the {@link referenceBit} of each type it is referred to as. */
  readonly rows: Uint8Array;
}

/**
 * Gathers what the objects of a pack refer to while they are taken in: if all of it came as well, or is reached by refs,
 * nothing has to be walked to know that the pack is connected.
 */
export class ReferenceGatherer {
  readonly #format: ObjectFormat;
  readonly #entries: EntryTable;
  readonly #receivedBytes: () => number;
  readonly #references: IdNotes;
  readonly #scanner: EntryScanner;
  /** Something cannot be read, or there are too many: then the gathered is of no use. */
  #gaveUp = false;
  readonly #maxTreeDepth: number;
  readonly #heights = new TreeHeights();
  /** The tree that is being read. */
  #row = 0;
  readonly #treeEntry = (data: Uint8Array, type: number, _: number, idAt: number): void => {
    if (type === GITLINK) return;
    const reference = this.#references.add(data, idAt, referenceBit(type === TREE ? ENTRY_TREE : ENTRY_BLOB));
    if (type === TREE) this.#heights.link(this.#row, reference);
  };

  /**
   * @param receivedBytes how long the pack is so far
   * @param maxTreeDepth of trees that are nested deeper, nothing is told
   */
  constructor(
    format: ObjectFormat,
    entries: EntryTable,
    receivedBytes: () => number,
    maxTreeDepth: number = Number.POSITIVE_INFINITY,
  ) {
    this.#maxTreeDepth = maxTreeDepth;
    const idLength = rawIdLength(format);
    this.#format = format;
    this.#entries = entries;
    this.#receivedBytes = receivedBytes;
    this.#references = new IdNotes(idLength);
    this.#scanner = new EntryScanner(idLength);
  }

  /** @see InspectObject */
  inspect({ row, kind, data, delta }: InspectedObject): void {
    if (this.#gaveUp) return;
    this.#row = row;
    const isRead =
      kind === ENTRY_TREE
        ? this.#scanner.scan(data, row, delta, this.#treeEntry)
        : kind === ENTRY_COMMIT
          ? this.#readCommit(data)
          : this.#readTag(data);
    const most = SPARE_REFERENCES + 2 * this.#entries.count + this.#receivedBytes() / BYTES_PER_REFERENCE;
    if (!isRead || this.#references.count > most || this.#heights.links > 4 * most) this.#gaveUp = true;
  }

  /** Spec: git-commit-tree; `tree` and `parent` lines come first. */
  #readCommit(data: Uint8Array): boolean {
    const hexLength = rawIdLength(this.#format) * 2;
    let at = this.#readLine(data, 0, TREE_LINE, hexLength, ENTRY_TREE);
    if (at < 0) return false;
    for (let next = at; next >= 0; next = this.#readLine(data, at, PARENT_LINE, hexLength, ENTRY_COMMIT))
      at = next;
    // A parent line that is none, and lines that may be: whoever walks is to decide.
    return !startsWith(data, at, PARENT_LINE);
  }

  /** @returns where the next line starts; -1 when this is no such line */
  #readLine(data: Uint8Array, at: number, start: Uint8Array, hexLength: number, kind: number): number {
    const idAt = at + start.length;
    if (!startsWith(data, at, start) || data[idAt + hexLength] !== 0x0a) return -1;
    for (let i = 0; i < hexLength; i += 2) {
      const high = digit(data[idAt + i] as number);
      const low = digit(data[idAt + i + 1] as number);
      if (high < 0 || low < 0) return -1;
      this.#rawId[i / 2] = high * 16 + low;
    }
    this.#references.add(this.#rawId, 0, referenceBit(kind));
    return idAt + hexLength + 1;
  }

  readonly #rawId = new Uint8Array(32);

  #readTag(data: Uint8Array): boolean {
    let target: { readonly id: ObjectId; readonly type: "commit" | "tree" | "blob" | "tag" };
    try {
      target = parseTagTarget(data, this.#format);
    } catch {
      return false;
    }
    this.#references.add(objectIdToBytes(target.id), 0, referenceBit(objectEntryType(target.type)));
    return true;
  }

  /**
   * What is referred to and did not come.
   * @param received rows of the pack as it came; what completes it comes after these
   * @returns `undefined` when that is not known, or when an object is not of the type it is referred to as
   */
  outer(received: number): OuterReferences | undefined {
    if (this.#gaveUp) return undefined;
    const { ids, kinds, idLength } = this.#entries;
    const { notes } = this.#references;
    const rowOf = new Int32Array(this.#references.count).fill(-1);
    let came = 0;
    for (let row = 0; row < received; row++) {
      const reference = this.#references.find(ids, row * idLength);
      if (reference < 0) continue;
      if (notes[reference] !== referenceBit(kinds[row] as number)) return undefined;
      notes[reference] = CAME;
      rowOf[reference] = row;
      came++;
    }
    if (!this.#heights.isWithin(this.#maxTreeDepth, this.#entries, received, rowOf)) return undefined;
    const rows = new Uint8Array((this.#references.count - came) * (idLength + 1));
    let at = 0;
    for (let reference = 0; reference < this.#references.count; reference++) {
      if (notes[reference] === CAME) continue;
      const start = reference * idLength;
      rows.set(this.#references.ids.subarray(start, start + idLength), at);
      rows[at + idLength] = notes[reference] as number;
      at += idLength + 1;
    }
    return { rows };
  }
}

const TREE_LINE: Uint8Array = bytesOf("tree ");
const PARENT_LINE: Uint8Array = bytesOf("parent ");

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function startsWith(data: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (data[at + i] !== start[i]) return false;
  return true;
}

/** The value of a hex digit, small letters only; -1 for anything else. */
function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}
