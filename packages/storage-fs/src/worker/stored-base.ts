import { type ExternalBase, type ObjectTable, readHeld, type SpillRoom, spillObject } from "@x/pack";

/**
 * The object with this raw id as the base of deltas in a pack that lacks it; `undefined` when it is not stored.
 * @param room for one that is too large to be held
 */
export function findBase(objects: ObjectTable, rawId: Uint8Array, room: SpillRoom): ExternalBase | undefined {
  const number = objects.find(rawId, 0);
  if (number < 0) return undefined;
  const object = readHeld(room, (maxBytes) => objects.read(number, maxBytes));
  // What was read holds until the next reading only.
  if (object !== undefined) return { type: object.type, data: object.data.slice() };
  const { type, size } = objects.header(number);
  return { type, size, spill: () => spillObject(objects, number, room), place: objects.placeOf(number) };
}
