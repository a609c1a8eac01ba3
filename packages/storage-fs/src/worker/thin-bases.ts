import type { ExternalBase, ObjectTable } from "@x/pack";
import type { Snapshot } from "./object-database.ts";

/**
 * The bases that a thin pack lacks. One that is not stored may have come just now, so that no look at the directories
 * shows it: then they are listed once more.
 */
export class ThinBases {
  readonly #objects: ObjectTable;
  readonly #lookAgain: () => Snapshot;
  #later: Snapshot | undefined;

  /** @param lookAgain gives what is stored when all is listed anew */
  constructor(objects: ObjectTable, lookAgain: () => Snapshot) {
    this.#objects = objects;
    this.#lookAgain = lookAgain;
  }

  find(rawId: Uint8Array): ExternalBase | undefined {
    const found = read(this.#objects, rawId);
    if (found !== undefined) return found;
    this.#later ??= this.#lookAgain();
    return read(this.#later.objects, rawId);
  }

  release(): void {
    this.#later?.release();
  }
}

function read(objects: ObjectTable, rawId: Uint8Array): ExternalBase | undefined {
  const number = objects.find(rawId, 0);
  if (number < 0) return undefined;
  const { type, data } = objects.read(number);
  return { type, data: data.slice() }; // the original holds until the next read only
}
