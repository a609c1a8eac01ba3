import { isIPv6 } from "node:net";

interface Count {
  failures: number;
  /** When the first of them was. Unit: milliseconds. */
  since: number;
}

/** What {@link Failures} goes by. */
export interface FailureLimits {
  readonly maxFailures: number;
  /** Unit: milliseconds. */
  readonly windowMs: number;
  readonly maxTracked: number;
  readonly now: () => number;
}

/** Counts failures by name, and forgets them after a while. */
export class Failures {
  readonly #limits: FailureLimits;
  /** Whoever has failed the longest ago comes first. */
  readonly #counts = new Map<string, Count>();

  constructor(limits: FailureLimits) {
    this.#limits = limits;
  }

  /** Those that are counted. */
  get tracked(): number {
    return this.#counts.size;
  }

  /** @returns how long nobody listens to `name` any more; 0 when somebody does. Unit: milliseconds */
  waitOf(name: string): number {
    const count = this.#current(name);
    if (count === undefined || count.failures < this.#limits.maxFailures) return 0;
    return count.since + this.#limits.windowMs - this.#limits.now();
  }

  add(name: string): void {
    const count = this.#current(name) ?? { failures: 0, since: this.#limits.now() };
    count.failures++;
    this.#counts.delete(name);
    this.#counts.set(name, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > this.#limits.maxTracked && oldest !== undefined) this.#counts.delete(oldest);
  }

  /** Takes one back: it was none. */
  undo(name: string): void {
    const count = this.#counts.get(name);
    if (count === undefined) return;
    if (count.failures > 1) count.failures--;
    else this.#counts.delete(name);
  }

  #current(name: string): Count | undefined {
    const count = this.#counts.get(name);
    if (count === undefined || this.#limits.now() - count.since < this.#limits.windowMs) return count;
    this.#counts.delete(name);
    return undefined;
  }
}

/** Whoever has one address of IPv6 has 2^64: those that share their first half are one. */
export function shareOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const behind = tail ? tail.split(":") : [];
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - behind.length);
  return [...groups, ...Array<string>(missing).fill("0"), ...behind].slice(0, 4).join(":");
}
