import type { ReceiveLimits } from "@x/objects";
import { PackError } from "../errors.ts";

/** No array is longer. Unit: bytes. */
const MAX_HELD_BYTES = 0x7fff0000;

/** Counts what a received pack costs against the limits it came under. */
export class ReceiveBudget {
  readonly #limits: ReceiveLimits;
  #inflatedBytes = 0;

  constructor(limits: ReceiveLimits) {
    this.#limits = limits;
  }

  /** What has been inflated, or is known to be inflated yet. Unit: bytes. */
  get inflatedBytes(): number {
    return this.#inflatedBytes;
  }

  /** How long the pack may be. Unit: bytes. */
  get maxPackBytes(): number {
    return this.#limits.maxPackBytes ?? Number.POSITIVE_INFINITY;
  }

  packTooLong(): PackError {
    return limitExceeded(`pack exceeds maximum allowed size (${humanBytes(this.maxPackBytes)})`);
  }

  /** @throws PackError `pack/limit-exceeded` */
  takeObjects(count: number): void {
    const max = this.#limits.maxObjects;
    if (max !== undefined && count > max)
      throw limitExceeded(`pack has ${count} objects, more than the allowed ${max}`);
  }

  /** An object, or a delta, of `size` is about to be inflated. @throws PackError `pack/limit-exceeded` */
  takeObject(size: number): void {
    const max = this.#limits.maxObjectBytes;
    if (max !== undefined && size > max)
      throw limitExceeded(`object exceeds maximum allowed size (${humanBytes(max)})`);
    this.takeWork(size);
  }

  /** Inflating that is due to the order of things, not to another object. @throws PackError `pack/limit-exceeded` */
  takeWork(size: number): void {
    this.#inflatedBytes += size;
    const max = this.#limits.maxInflatedBytes;
    if (max !== undefined && this.#inflatedBytes > max)
      throw limitExceeded(`pack exceeds maximum allowed inflated size (${humanBytes(max)})`);
  }

  /** An object of `size` is made by a delta, or a delta is made of it. @throws PackError `pack/limit-exceeded` */
  takeDeltaObject(size: number): void {
    const max = this.#limits.maxDeltaObjectBytes;
    if (max !== undefined && size > max)
      throw limitExceeded(`delta base or result exceeds maximum allowed size (${humanBytes(max)})`);
  }

  /** An object or a delta of `size` is about to be held whole, for lack of room elsewhere. @throws PackError `pack/limit-exceeded` */
  hold(size: number): void {
    this.takeDeltaObject(size);
    if (size > MAX_HELD_BYTES)
      throw limitExceeded(
        `delta base or result exceeds maximum allowed size (${humanBytes(MAX_HELD_BYTES)})`,
      );
  }

  /** A commit, tree or tag of `size` is about to be read whole. @throws PackError `pack/limit-exceeded` */
  takeParsed(size: number): void {
    const max = Math.min(this.#limits.maxParsedBytes ?? MAX_HELD_BYTES, MAX_HELD_BYTES);
    if (size > max)
      throw limitExceeded(`commit, tree or tag exceeds maximum allowed size (${humanBytes(max)})`);
  }

  /** @throws PackError `pack/limit-exceeded` */
  takeDepth(depth: number): void {
    const max = this.#limits.maxDeltaDepth;
    if (max !== undefined && depth > max)
      throw limitExceeded(`delta chain exceeds maximum allowed depth (${max})`);
  }
}

function limitExceeded(message: string): PackError {
  return new PackError("pack/limit-exceeded", message);
}

/** A size in C git's words: `1.50 KiB`. Spec: strbuf_humanise_bytes(). */
function humanBytes(bytes: number): string {
  for (const [unit, scale] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const)
    if (bytes > scale) return `${(bytes / scale).toFixed(2)} ${unit}`;
  return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
}
