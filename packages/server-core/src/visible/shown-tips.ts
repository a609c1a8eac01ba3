import type { ObjectId } from "@x/objects";

/**
 * Tips that stateless clients were shown. Between the announcement and the request that follows it a ref may move;
 * the client still gets what it was promised. Kept for `keepMs` at least and twice that at most, in two generations,
 * so that nothing has to be looked through. Unit: milliseconds.
 */
export class ShownTips {
  readonly #maxIds: number;
  readonly #keepMs: number;
  readonly #now: () => number;
  #young = new Set<ObjectId>();
  #old = new Set<ObjectId>();
  /** Listings whose ids are all among the young ones, as far as there was room. */
  #taken = new WeakSet<ReadonlySet<ObjectId>>();
  #turnedAt: number;

  constructor(maxIds: number, keepMs: number, now: () => number = () => performance.now()) {
    this.#maxIds = maxIds;
    this.#keepMs = keepMs;
    this.#now = now;
    this.#turnedAt = now();
  }

  /** When there are too many, the rest is not remembered. */
  add(id: ObjectId): void {
    // The clock is read once in a while: an announcement may have a million refs.
    if (this.#young.size % 1024 === 0) this.#turn();
    if (this.#young.size < this.#maxIds) this.#young.add(id);
  }

  /** @param ids do not change any more */
  addAll(ids: ReadonlySet<ObjectId>): void {
    this.#turn();
    if (this.#taken.has(ids)) return;
    for (const id of ids) {
      if (this.#young.size >= this.#maxIds) break;
      this.#young.add(id);
    }
    this.#taken.add(ids);
  }

  has(id: ObjectId): boolean {
    this.#turn();
    return this.#young.has(id) || this.#old.has(id);
  }

  #turn(): void {
    const age = this.#now() - this.#turnedAt;
    if (age < this.#keepMs) return;
    this.#old = age < 2 * this.#keepMs ? this.#young : new Set();
    this.#young = new Set();
    this.#taken = new WeakSet();
    this.#turnedAt += age;
  }
}
