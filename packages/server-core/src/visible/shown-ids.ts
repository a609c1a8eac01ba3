import type { ObjectId } from "@x/objects";

/** Ids that one connection was shown. Listings that many clients get are not copied for each. */
export class ShownIds {
  readonly #own = new Set<ObjectId>();
  readonly #shared = new Set<ReadonlySet<ObjectId>>();
  readonly #promised = new Set<ObjectId>();

  /** What a ref holds that the client asked for by name. Nobody has looked whether it is stored. */
  promise(id: ObjectId): void {
    this.#promised.add(id);
  }

  /** What was announced, and found stored for that. */
  add(id: ObjectId): void {
    this.#own.add(id);
  }

  /** @param ids do not change any more */
  addAll(ids: ReadonlySet<ObjectId>): void {
    this.#shared.add(ids);
  }

  has(id: ObjectId): boolean {
    return this.isStored(id) || this.#promised.has(id);
  }

  isStored(id: ObjectId): boolean {
    if (this.#own.has(id)) return true;
    for (const ids of this.#shared) if (ids.has(id)) return true;
    return false;
  }
}
