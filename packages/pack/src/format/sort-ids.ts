import { sortPositions } from "./sort-positions.ts";

/**
 * Positions of the `count` raw ids that stand in a row in `ids`, in the order of the ids; equal ids in that of their
 * positions. Sorts by the first 48 bits, then what is equal in those: ids chosen to collide cost no more than n log n.
 */
export function sortIds(ids: Uint8Array, count: number, idLength: number): Uint32Array {
  const prefix = (position: number): number => {
    const at = position * idLength;
    const low =
      ((ids[at + 2] as number) << 24) |
      ((ids[at + 3] as number) << 16) |
      ((ids[at + 4] as number) << 8) |
      (ids[at + 5] as number);
    return (((ids[at] as number) << 8) | (ids[at + 1] as number)) * 0x100000000 + (low >>> 0);
  };
  const order = sortPositions(count, prefix);
  for (let start = 0; start < count; ) {
    let end = start + 1;
    const value = prefix(order[start] as number);
    while (end < count && prefix(order[end] as number) === value) end++;
    if (end - start > 1)
      order.subarray(start, end).sort((a, b) => compareIds(ids, a * idLength, ids, b * idLength, idLength));
    start = end;
  }
  return order;
}

/** How the raw id in `a` at `aAt` compares with that in `b` at `bAt`: below, equal to or above 0. */
export function compareIds(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, idLength: number): number {
  for (let i = 0; i < idLength; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
