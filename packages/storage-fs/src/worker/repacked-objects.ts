import { type ObjectId, objectIdToBytes } from "@x/objects";
import type { LooseObjects, PackedObject } from "@x/pack";
import { type Generation, letGo } from "./generation.ts";

/**
 * What a snapshot does not find in its packs: loose objects, and those that somebody packed, or brought in packs, since
 * it was taken. C git looks for new packs in the same places.
 */
export class RepackedObjects implements LooseObjects {
  readonly #start: Generation;
  readonly #hold: (isMissed: boolean) => Generation;
  #later: Generation | undefined;

  /** @param hold gives the packs there are now, to be {@link letGo}; when something is missed, whatever the look costs */
  constructor(start: Generation, hold: (isMissed: boolean) => Generation) {
    this.#start = start;
    this.#hold = hold;
  }

  has(id: ObjectId): boolean {
    return this.#start.loose.has(id) || this.#find(id) !== undefined;
  }

  hasEach(ids: readonly ObjectId[], lookAgain: boolean): boolean[] {
    const loose = this.#start.loose;
    const has = loose.hasEach?.(ids, lookAgain) ?? ids.map((id) => loose.has(id));
    if (!has.includes(false)) return [...has];
    const later = this.#look(lookAgain);
    return ids.map(
      (id, i) => has[i] === true || (later?.packed.findPacked(objectIdToBytes(id), 0) ?? -1) >= 0,
    );
  }

  read(id: ObjectId, maxBytes?: number): PackedObject | undefined {
    const loose = this.#start.loose.read(id, maxBytes);
    if (loose !== undefined) return loose;
    const found = this.#find(id);
    return found?.packed.read(found.number, maxBytes);
  }

  stream(id: ObjectId): Iterable<Uint8Array> | undefined {
    const loose = this.#start.loose.stream?.(id);
    if (loose !== undefined) return loose;
    const found = this.#find(id);
    return found?.packed.stream(found.number);
  }

  header(id: ObjectId): ReturnType<LooseObjects["header"]> {
    const loose = this.#start.loose.header(id);
    if (loose !== undefined) return loose;
    const found = this.#find(id);
    return found?.packed.header(found.number);
  }

  #find(id: ObjectId): { readonly packed: Generation["packed"]; readonly number: number } | undefined {
    const later = this.#look(true);
    if (later === undefined) return undefined;
    const number = later.packed.findPacked(objectIdToBytes(id), 0);
    return number < 0 ? undefined : { packed: later.packed, number };
  }

  /** The packs there are now, if they are others than at the start. */
  #look(isMissed: boolean): Generation | undefined {
    const latest = this.#hold(isMissed);
    if (latest === this.#later || latest === this.#start) letGo(latest);
    else {
      this.release();
      this.#later = latest;
    }
    return latest === this.#start ? undefined : latest;
  }

  release(): void {
    if (this.#later !== undefined) letGo(this.#later);
    this.#later = undefined;
  }
}
