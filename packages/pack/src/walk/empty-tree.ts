import { hashObject, type ObjectFormat, type ObjectId } from "@x/objects";

const known: Map<ObjectFormat, ObjectId> = new Map();

/**
 * Whether `id` is the tree without entries. C git knows that one without its being stored, and so do its clients:
 * a repository may lack it.
 */
export function isEmptyTree(id: ObjectId, format: ObjectFormat): boolean {
  let empty = known.get(format);
  if (empty === undefined) {
    empty = hashObject(format, "tree", new Uint8Array(0));
    known.set(format, empty);
  }
  return id === empty;
}
