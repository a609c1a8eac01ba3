const DIGIT_BITS = 16;
const BUCKETS = 1 << DIGIT_BITS;

/** Fewer keys are sorted by comparing: clearing the buckets alone would take longer. */
const MIN_RADIX = 4096;

/** Keys that are looked at between two breaths: a few milliseconds' worth. */
const BLOCK = 1 << 18;

/**
 * Positions 0 … count-1 in ascending order of their keys, by a radix sort: 350,000 keys take some 10 ms where a
 * comparing sort takes 200. Keys are non-negative integers below 2^53.
 */
export function sortPositions(count: number, keyOf: (position: number) => number): Uint32Array {
  const sort = sortPositionsInSteps(count, keyOf);
  for (;;) {
    const step = sort.next();
    if (step.done) return step.value;
  }
}

/** As {@link sortPositions}, yielding every few milliseconds. The loops stand apart: in a generator they run slowly. */
export function* sortPositionsInSteps(
  count: number,
  keyOf: (position: number) => number,
): Generator<undefined, Uint32Array> {
  const keys = new Float64Array(count);
  let from = new Uint32Array(count);
  let maximum = 0;
  for (let start = 0; start < count; start += BLOCK) {
    if (start > 0) yield;
    maximum = Math.max(maximum, takeKeys(keys, from, keyOf, start, Math.min(count, start + BLOCK)));
  }
  // Positions settle what keys leave open: both ways are stable.
  if (count < MIN_RADIX) return from.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
  let to = new Uint32Array(count);
  const starts = new Uint32Array(BUCKETS);
  for (let scale = 1; maximum >= scale; scale *= BUCKETS) {
    starts.fill(0);
    for (let start = 0; start < count; start += BLOCK) {
      if (start > 0) yield;
      countDigits(keys, from, scale, starts, start, Math.min(count, start + BLOCK));
    }
    let sum = 0;
    for (let digit = 0; digit < BUCKETS; digit++) {
      const size = starts[digit] as number;
      starts[digit] = sum;
      sum += size;
    }
    for (let start = 0; start < count; start += BLOCK) {
      if (start > 0) yield;
      scatter(keys, from, to, scale, starts, start, Math.min(count, start + BLOCK));
    }
    [from, to] = [to, from];
  }
  return from;
}

/** @returns the largest */
function takeKeys(
  keys: Float64Array,
  positions: Uint32Array,
  keyOf: (position: number) => number,
  start: number,
  end: number,
): number {
  let maximum = 0;
  for (let position = start; position < end; position++) {
    const key = keyOf(position);
    keys[position] = key;
    positions[position] = position;
    if (key > maximum) maximum = key;
  }
  return maximum;
}

function countDigits(
  keys: Float64Array,
  from: Uint32Array,
  scale: number,
  counts: Uint32Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const digit = Math.floor((keys[from[i] as number] as number) / scale) % BUCKETS;
    counts[digit] = (counts[digit] as number) + 1;
  }
}

function scatter(
  keys: Float64Array,
  from: Uint32Array,
  to: Uint32Array,
  scale: number,
  starts: Uint32Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const position = from[i] as number;
    const digit = Math.floor((keys[position] as number) / scale) % BUCKETS;
    const slot = starts[digit] as number;
    starts[digit] = slot + 1;
    to[slot] = position;
  }
}
