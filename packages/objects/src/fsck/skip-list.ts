import { ObjectsError } from "../errors.ts";
import { type ObjectFormat, objectIdToBytes, parseObjectId, rawIdLength } from "../object-id.ts";
import { textOf } from "./scan.ts";

/**
 * Reads the file that `receive.fsck.skipList` names: ids of objects that are not checked, one in a line, with blanks
 * around them, comments from `#` on and empty lines.
 * @returns the raw ids, one after the other, for {@link FsckOptions.skip}
 * @throws ObjectsError `objects/bad-setting`, with git's words
 */
export function parseFsckSkipList(file: Uint8Array, format: ObjectFormat): Uint8Array {
  const ids: Uint8Array[] = [];
  for (const line of textOf(file, 0, file.length).split("\n")) {
    const name = line.split("#", 1)[0]?.replace(/^[ \t\r]+|[ \t\r]+$/g, "") ?? "";
    if (name === "") continue;
    const id = parseObjectId(name, format);
    if (id === undefined) throw new ObjectsError("objects/bad-setting", `invalid object name: ${name}`);
    ids.push(objectIdToBytes(id));
  }
  const raw = new Uint8Array(ids.length * rawIdLength(format));
  ids.forEach((id, i) => {
    raw.set(id, i * id.length);
  });
  return raw;
}
