import type { ObjectId, ObjectType } from "@x/objects";
import { askRead } from "@x/pack";
import { StorageMemoryError } from "../errors.ts";
import type { ObjectShelf } from "../object-shelf.ts";

/** The data of an object that has to be there. @throws StorageMemoryError `storage-memory/not-found` */
export function readStored(shelf: ObjectShelf, id: ObjectId, type: ObjectType): Uint8Array {
  const object = askRead(shelf.table(), id);
  if (object?.type === type) return object.data;
  throw new StorageMemoryError("storage-memory/not-found", `there is no ${type} ${id}`);
}
