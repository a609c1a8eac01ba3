import { PackError } from "./errors.ts";

/*
 * A delta: <base size> <result size> (copy | insert)*, sizes as little-endian base-128 numbers.
 *
 *   1sss oooo  offset bytes and size bytes for each bit set, least significant first; size 0 means 65536
 *   0nnn nnnn  n (1–127) literal bytes follow; n = 0 is reserved
 *
 * Spec: gitformat-pack, "Deltified representation".
 */

/** The two sizes that open a delta. Unit: bytes. */
export interface DeltaHeader {
  readonly baseSize: number;
  readonly resultSize: number;
  /** Where the instructions start. */
  readonly opsAt: number;
}

/** @throws PackError `pack/bad-delta` */
export function decodeDeltaHeader(delta: Uint8Array): DeltaHeader {
  let at = 0;
  const size = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = delta[at++];
      if (byte === undefined) throw badDelta("delta header stops short");
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw badDelta("delta size exceeds 2^53 - 1");
      if ((byte & 0x80) === 0) return value;
      scale *= 128;
    }
  };
  const baseSize = size();
  return { baseSize, resultSize: size(), opsAt: at };
}

/**
 * What `delta` makes of `base`. The result's declared size is checked against `maxBytes` before anything is allocated.
 * @throws PackError `pack/bad-delta`, `pack/limit-exceeded`
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array, maxBytes: number): Uint8Array {
  const { baseSize, resultSize, opsAt } = decodeDeltaHeader(delta);
  if (baseSize !== base.length) throw badDelta("delta does not fit its base");
  if (resultSize > maxBytes)
    throw new PackError(
      "pack/limit-exceeded",
      `object of ${resultSize} bytes exceeds the limit of ${maxBytes}`,
    );
  const result = new Uint8Array(resultSize);
  let out = 0;
  let at = opsAt;
  while (at < delta.length) {
    const op = delta[at++] as number;
    if (op & 0x80) {
      let offset = 0;
      let size = 0;
      if (op & 0x01) offset = delta[at++] as number;
      if (op & 0x02) offset += (delta[at++] as number) * 0x100;
      if (op & 0x04) offset += (delta[at++] as number) * 0x10000;
      if (op & 0x08) offset += (delta[at++] as number) * 0x1000000;
      if (op & 0x10) size = delta[at++] as number;
      if (op & 0x20) size += (delta[at++] as number) * 0x100;
      if (op & 0x40) size += (delta[at++] as number) * 0x10000;
      if (size === 0) size = 0x10000;
      // A delta that stops inside the instruction has made NaN of these, which fails both comparisons.
      if (!(offset + size <= baseSize) || !(out + size <= resultSize))
        throw badDelta("delta copies out of bounds");
      if (size < 24) for (let i = 0; i < size; i++) result[out + i] = base[offset + i] as number;
      else result.set(base.subarray(offset, offset + size), out);
      out += size;
    } else {
      if (op === 0) throw badDelta("delta has the reserved instruction 0");
      if (at + op > delta.length || out + op > resultSize) throw badDelta("delta inserts out of bounds");
      if (op < 24) for (let i = 0; i < op; i++) result[out + i] = delta[at + i] as number;
      else result.set(delta.subarray(at, at + op), out);
      out += op;
      at += op;
    }
  }
  if (out !== resultSize) throw badDelta("delta yields another size than it declares");
  return result;
}

function badDelta(message: string): PackError {
  return new PackError("pack/bad-delta", message);
}
