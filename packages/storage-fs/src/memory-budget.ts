/** Shares memory among things that can be let go of: the longest unused goes first. */
export class MemoryBudget {
  readonly #maxBytes: number;
  /** In the order of their last use. */
  readonly #kept = new Map<object, { readonly bytes: number; readonly drop: () => void }>();
  #bytes = 0;

  /** `maxBytes` bounds what is kept in all, but for the latest, which its owner works with. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps `owner`'s bytes, instead of what it had before, until `drop` is called. */
  keep(owner: object, bytes: number, drop: () => void): void {
    this.release(owner);
    this.#kept.set(owner, { bytes, drop });
    this.#bytes += bytes;
    for (const [other, { drop: dropOther }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes || other === owner) return;
      this.release(other);
      dropOther();
    }
  }

  /** Says that `owner` is in use. */
  touch(owner: object): void {
    const kept = this.#kept.get(owner);
    if (kept === undefined) return;
    this.#kept.delete(owner);
    this.#kept.set(owner, kept);
  }

  release(owner: object): void {
    const kept = this.#kept.get(owner);
    if (kept === undefined) return;
    this.#kept.delete(owner);
    this.#bytes -= kept.bytes;
  }
}
