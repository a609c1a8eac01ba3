import type { ExternalBase, ObjectTable, SpillRoom } from "@x/pack";
import type { Snapshot } from "./object-database.ts";
import { findBase } from "./stored-base.ts";

/**
 * The bases that a thin pack lacks. One that is not stored may have come just now, so that no look at the directories
 * shows it: then they are listed once more.
 */
export class ThinBases {
  readonly #objects: ObjectTable;
  readonly #lookAgain: () => Snapshot;
  readonly #room: SpillRoom;
  #later: Snapshot | undefined;

  /**
   * @param lookAgain gives what is stored when all is listed anew
   * @param room for what is too large to be held
   */
  constructor(objects: ObjectTable, lookAgain: () => Snapshot, room: SpillRoom) {
    this.#objects = objects;
    this.#lookAgain = lookAgain;
    this.#room = room;
  }

  find(rawId: Uint8Array): ExternalBase | undefined {
    const found = findBase(this.#objects, rawId, this.#room);
    if (found !== undefined) return found;
    this.#later ??= this.#lookAgain();
    return findBase(this.#later.objects, rawId, this.#room);
  }

  release(): void {
    this.#later?.release();
  }
}
