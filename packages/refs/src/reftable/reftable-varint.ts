/*
 * Seven bits in a byte, the highest first, the top bit in all but the last; each further byte counts one more, so that
 * no number has two forms. Spec: reftable, "Varint encoding".
 */

/** How many bytes {@link writeVarint} takes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor((left - 1) / 128)) length++;
  return length;
}

/** Writes `value` at `at`. @returns where it ends */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  const end = at + varintLength(value);
  let left = value;
  for (let i = end - 1; i >= at; i--) {
    into[i] = (left % 128) | (i === end - 1 ? 0 : 0x80);
    left = Math.floor(left / 128) - 1;
  }
  return end;
}
