import { isIPv6 } from "node:net";
import type { RefusalLabels } from "@x/server-core";
import type { SshLimits } from "./limits.ts";

/** A connection's right to be there. Both may be called at any time, and again. */
export interface Place {
  /** It has logged in. */
  promote(): void;
  leave(): void;
}

/** How many may be connected, in all and from one address, and how many of them without having said who they are. */
export class Places {
  readonly #limits: SshLimits;
  readonly #all = new Shares();
  readonly #early = new Shares();

  constructor(limits: SshLimits) {
    this.#limits = limits;
  }

  /** @returns why there is none, where there is none */
  take(address: string): Place | RefusalLabels["reason"] {
    const share = shareOf(address);
    const limits = this.#limits;
    if (this.#all.size >= limits.maxConnections) return "full";
    if (this.#all.of(share) >= limits.maxConnectionsPerAddress) return "address";
    if (this.#early.size >= limits.maxUnauthenticated) return "early";
    if (this.#early.of(share) >= limits.maxUnauthenticatedPerAddress) return "early-address";
    const leaveAll = this.#all.add(share);
    const leaveEarly = this.#early.add(share);
    return {
      promote: leaveEarly,
      leave() {
        leaveEarly();
        leaveAll();
      },
    };
  }
}

class Shares {
  readonly #counts = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  of(share: string): number {
    return this.#counts.get(share) ?? 0;
  }

  /** @returns takes it back, once */
  add(share: string): () => void {
    this.#size++;
    this.#counts.set(share, this.of(share) + 1);
    let there = true;
    return () => {
      if (!there) return;
      there = false;
      this.#size--;
      const left = this.of(share) - 1;
      if (left > 0) this.#counts.set(share, left);
      else this.#counts.delete(share);
    };
  }
}

/** Of IPv6, whoever has one address has 2^64. */
function shareOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const behind = tail ? tail.split(":") : [];
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - behind.length);
  return [...groups, ...Array<string>(missing).fill("0"), ...behind].slice(0, 4).join(":");
}
