/** A connection, as far as sharing goes. */
export interface Sharer {
  /** See {@link addressKey}. */
  readonly address: string;
  /** Its request line has been read. */
  readonly requested: boolean;
}

/** How many connections there are, and whose. */
export class ConnectionShares<S extends Sharer> {
  readonly #max: number;
  readonly #maxPerAddress: number;
  /** By address; the oldest of each first. */
  readonly #byAddress: Map<string, Set<S>> = new Map();
  /** The oldest first. */
  readonly #waiting: Set<S> = new Set();
  #size = 0;

  /** @param maxPerAddress all but an eighth of `max` when not given */
  constructor(max: number, maxPerAddress: number = max - Math.floor(max / 8)) {
    this.#max = max;
    this.#maxPerAddress = Number.isNaN(maxPerAddress) ? max : maxPerAddress;
  }

  add(sharer: S): void {
    const own = this.#byAddress.get(sharer.address);
    if (own === undefined) this.#byAddress.set(sharer.address, new Set([sharer]));
    else own.add(sharer);
    this.#waiting.add(sharer);
    this.#size++;
  }

  /** What was deleted before is passed over. */
  delete(sharer: S): void {
    const own = this.#byAddress.get(sharer.address);
    if (own?.delete(sharer) !== true) return;
    if (own.size === 0) this.#byAddress.delete(sharer.address);
    this.#waiting.delete(sharer);
    this.#size--;
  }

  /**
   * Whether one more from `address` may come in: `yes`, `no`, or the connection that has to leave for it. One that has
   * not asked for anything yet costs least; beyond that, an address with nothing open goes before the newest of the
   * address that has most.
   */
  roomFor(address: string): "yes" | "no" | S {
    const own = this.#byAddress.get(address);
    const isShareUsed = (own?.size ?? 0) >= this.#maxPerAddress;
    if (!isShareUsed && this.#size < this.#max) return "yes";
    const waiting = this.#longestWaiting(isShareUsed ? address : undefined);
    if (waiting !== undefined) return waiting;
    if (own !== undefined) return "no";
    let most: ReadonlySet<S> | undefined;
    for (const sharers of this.#byAddress.values()) if (sharers.size > (most?.size ?? 1)) most = sharers;
    return (most && [...most].at(-1)) ?? "no";
  }

  /** Why there is no room for one more from `address`. */
  reasonFor(address: string): "full" | "address" {
    return (this.#byAddress.get(address)?.size ?? 0) >= this.#maxPerAddress ? "address" : "full";
  }

  #longestWaiting(address: string | undefined): S | undefined {
    for (const sharer of this.#waiting) {
      if (sharer.requested) this.#waiting.delete(sharer);
      else if (address === undefined || sharer.address === address) return sharer;
    }
    return undefined;
  }
}

/** What shares are counted by: an IPv4 address, or the /64 of an IPv6 one, for that is what one customer gets. */
export function addressKey(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [bare = ""] = address.split("%");
  const [head = "", tail] = bare.split("::");
  const before = head.split(":").filter((group) => group !== "");
  const after = (tail ?? "").split(":").filter((group) => group !== "");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...new Array<string>(Math.max(0, zeros)).fill("0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, "").toLowerCase())
    .join(":")}::/64`;
}
