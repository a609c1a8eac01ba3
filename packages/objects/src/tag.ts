import { ObjectsError } from "./errors.ts";
import { hexIdLength, type ObjectFormat, type ObjectId, parseObjectId } from "./object-id.ts";
import { isObjectType, type ObjectType } from "./object-type.ts";

/** What an annotated tag points at. */
export interface TagTarget {
  readonly id: ObjectId;
  readonly type: ObjectType;
}

const decoder = new TextDecoder("latin1");

/**
 * Reads the first two lines of a tag: `object <id> LF type <type> LF`.
 * @throws ObjectsError `objects/malformed`
 */
export function parseTagTarget(tag: Uint8Array, format: ObjectFormat): TagTarget {
  const length = hexIdLength(format);
  const head = decoder.decode(tag.subarray(0, length + 32));
  const match = /^object ([0-9a-f]+)\ntype ([a-z]+)\n/.exec(head);
  const id = match && parseObjectId(match[1] as string, format);
  const type = match?.[2];
  if (!id || type === undefined || !isObjectType(type))
    throw new ObjectsError("objects/malformed", "a tag does not start with its object and type");
  return { id, type };
}
