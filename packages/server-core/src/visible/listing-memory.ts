import type { ObjectId } from "@x/objects";

/** An answer to ls-refs, as it was sent. */
export interface KnownListing {
  /** The refs' state that it tells of, as the store names it. */
  readonly state: string;
  /** Packets, the flush included. */
  readonly chunks: readonly Uint8Array[];
  /** What the client was shown. */
  readonly ids: ReadonlySet<ObjectId>;
  /** How many refs it lists. */
  readonly refs: number;
}

interface Kept {
  readonly listing: KnownListing;
  readonly bytes: number;
  readonly madeAt: number;
}

/** What an id costs in a set, more or less. Unit: bytes. */
const ID_BYTES = 100;

/**
 * Listings for those who ask the same while the refs stay as they are. Kept for `keepMs` at most, as an object that a
 * ref leads to may go or come back without the refs' changing; the longest unused goes first.
 */
export class ListingMemory {
  readonly #maxBytes: number;
  readonly #keepMs: number;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** `maxBytes` bounds all listings together; one may take a quarter of it. Units: bytes, milliseconds. */
  constructor(maxBytes: number, keepMs: number, now: () => number = () => performance.now()) {
    this.#maxBytes = maxBytes;
    this.#keepMs = keepMs;
    this.#now = now;
  }

  /** Whether a listing of so many bytes can be kept. */
  fits(bytes: number): boolean {
    return bytes * 4 <= this.#maxBytes;
  }

  get(key: string, state: string): KnownListing | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    if (kept.listing.state !== state || this.#now() - kept.madeAt >= this.#keepMs) {
      this.#bytes -= kept.bytes;
      return undefined;
    }
    this.#kept.set(key, kept);
    return kept.listing;
  }

  put(key: string, listing: KnownListing): void {
    const bytes =
      listing.chunks.reduce((sum, chunk) => sum + chunk.buffer.byteLength, 0) +
      listing.ids.size * ID_BYTES +
      2 * (key.length + listing.state.length);
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
    if (!this.fits(bytes)) return;
    this.#kept.set(key, { listing, bytes, madeAt: this.#now() });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#kept.delete(oldest);
      this.#bytes -= freed;
    }
  }
}
