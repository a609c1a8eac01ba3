import { type ObjectFormat, objectIdFromBytes, type ReceivedObject, rawIdLength } from "@x/objects";
import { entryObjectType, objectEntryType } from "@x/pack";

/*
 * Objects that came in, on their way between threads: a row for each of <raw id> <type, 1 byte> <size, 8 bytes>.
 */

/** @returns the rows of `objects` in one buffer of their own */
export function encodeReceived(
  objects: readonly (Omit<ReceivedObject, "id"> & { readonly rawId: Uint8Array })[],
  format: ObjectFormat,
): Uint8Array {
  const idLength = rawIdLength(format);
  const rowBytes = idLength + 9;
  const bytes = new Uint8Array(objects.length * rowBytes);
  const view = new DataView(bytes.buffer);
  for (const [i, { rawId, type, size }] of objects.entries()) {
    bytes.set(rawId, i * rowBytes);
    bytes[i * rowBytes + idLength] = objectEntryType(type);
    view.setFloat64(i * rowBytes + idLength + 1, size);
  }
  return bytes;
}

/** What {@link encodeReceived} was given. */
export function decodeReceived(bytes: Uint8Array, format: ObjectFormat): ReceivedObject[] {
  const idLength = rawIdLength(format);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const objects: ReceivedObject[] = [];
  for (let at = 0; at < bytes.length; at += idLength + 9) {
    const type = entryObjectType(bytes[at + idLength] as number);
    if (type === undefined) throw new RangeError("a row of received objects has no type");
    const size = view.getFloat64(at + idLength + 1);
    objects.push({ id: objectIdFromBytes(bytes, format, at), type, size });
  }
  return objects;
}
