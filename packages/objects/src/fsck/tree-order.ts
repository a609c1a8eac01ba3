const SLASH = 0x2f;

/** How an entry stands to the one before it. */
export type EntryOrder = "sorted" | "unsorted" | "duplicate";

/**
 * Knows the order of a tree's entries: byte order of names, a directory's taken as if it ended in `/`. Names are given by
 * where they start and end.
 */
export class TreeOrder {
  /** Names that a directory further on may repeat: `foo`, `foo.bar`, `foo/` is sorted and names `foo` twice. */
  readonly #candidates: number[] = [];

  begin(): void {
    this.#candidates.length = 0;
  }

  /** Compares two neighbours, the name before and the one at hand, of which one starts with the other. */
  compare(
    bytes: Uint8Array,
    beforeAt: number,
    beforeEnd: number,
    beforeIsTree: boolean,
    at: number,
    end: number,
    isTree: boolean,
  ): EntryOrder {
    const beforeLength = beforeEnd - beforeAt;
    const length = end - at;
    if (beforeLength === length) return "duplicate";
    const before = beforeLength > length ? (bytes[beforeAt + length] as number) : beforeIsTree ? SLASH : 0;
    const now = length > beforeLength ? (bytes[at + beforeLength] as number) : isTree ? SLASH : 0;
    if (before === 0 && isBelowSlash(now)) this.#candidates.push(beforeAt, beforeEnd);
    else if (now === SLASH && isBelowSlash(before) && this.#repeatsCandidate(bytes, at, end))
      return "duplicate";
    return before < now ? "sorted" : "unsorted";
  }

  #repeatsCandidate(bytes: Uint8Array, at: number, end: number): boolean {
    const candidates = this.#candidates;
    while (candidates.length > 0) {
      const candidateEnd = candidates.pop() as number;
      const candidateAt = candidates.pop() as number;
      const after = at + candidateEnd - candidateAt;
      if (after > end || !sameBytes(bytes, candidateAt, candidateEnd, at)) continue;
      if (after === end) return true;
      if (isBelowSlash(bytes[after] as number)) {
        candidates.push(candidateAt, candidateEnd);
        return false;
      }
    }
    return false;
  }
}

function isBelowSlash(byte: number): boolean {
  return byte > 0 && byte < SLASH;
}

function sameBytes(bytes: Uint8Array, start: number, end: number, at: number): boolean {
  for (let i = start, k = at; i < end; i++, k++) if (bytes[i] !== bytes[k]) return false;
  return true;
}
