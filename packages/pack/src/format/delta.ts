import { PackError } from "../errors.ts";

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
 * @param allocate gives the bytes that the result is written to, all of them
 * @throws PackError `pack/bad-delta`, `pack/limit-exceeded`
 */
export function applyDelta(
  base: Uint8Array,
  delta: Uint8Array,
  maxBytes: number,
  allocate: (size: number) => Uint8Array = (size) => new Uint8Array(size),
): Uint8Array {
  const { baseSize, resultSize, opsAt } = decodeDeltaHeader(delta);
  if (baseSize !== base.length) throw badDelta("delta does not fit its base");
  if (resultSize > maxBytes)
    throw new PackError(
      "pack/limit-exceeded",
      `object of ${resultSize} bytes exceeds the limit of ${maxBytes}`,
    );
  const result = allocate(resultSize);
  runDelta(base, 0, baseSize, delta, opsAt, delta.length, result, 0, resultSize);
  return result;
}

/**
 * Runs the instructions `delta[at … end)` on `base[baseAt … +baseSize)` and writes the result, which has to have
 * `resultSize` bytes, into `result` from `resultAt` on. All three may be one array (not overlapping): that is the
 * fastest, for `copyWithin` costs half of making a view and setting it.
 * @throws PackError `pack/bad-delta`
 */
export function runDelta(
  base: Uint8Array,
  baseAt: number,
  baseSize: number,
  delta: Uint8Array,
  at: number,
  end: number,
  result: Uint8Array,
  resultAt: number,
  resultSize: number,
): void {
  const copiesWithin = base === result;
  const insertsWithin = delta === result;
  const resultEnd = resultAt + resultSize;
  let out = resultAt;
  while (at < end) {
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
      if (at > end) throw badDelta("delta stops inside an instruction");
      if (size === 0) size = 0x10000;
      if (offset + size > baseSize || out + size > resultEnd) throw badDelta("delta copies out of bounds");
      const from = baseAt + offset;
      if (copiesWithin) result.copyWithin(out, from, from + size);
      else if (size < 24) for (let i = 0; i < size; i++) result[out + i] = base[from + i] as number;
      else result.set(base.subarray(from, from + size), out);
      out += size;
    } else {
      if (op === 0) throw badDelta("delta has the reserved instruction 0");
      if (at + op > end || out + op > resultEnd) throw badDelta("delta inserts out of bounds");
      if (op < 24) for (let i = 0; i < op; i++) result[out + i] = delta[at + i] as number;
      else if (insertsWithin) result.copyWithin(out, at, at + op);
      else result.set(delta.subarray(at, at + op), out);
      out += op;
      at += op;
    }
  }
  if (out !== resultEnd) throw badDelta("delta yields another size than it declares");
}

/**
 * How many bytes the instructions `delta[at … end)` yield, so that a declared size can be checked before as much is
 * allocated. Copies are not checked against the base.
 */
export function deltaYield(delta: Uint8Array, at: number, end: number): number {
  let size = 0;
  while (at < end) {
    const op = delta[at++] as number;
    if (op & 0x80) {
      for (let bit = 0x01; bit < 0x10; bit <<= 1) if (op & bit) at++;
      let copied = 0;
      if (op & 0x10) copied = delta[at++] ?? 0;
      if (op & 0x20) copied += (delta[at++] ?? 0) * 0x100;
      if (op & 0x40) copied += (delta[at++] ?? 0) * 0x10000;
      size += copied === 0 ? 0x10000 : copied;
    } else {
      size += op;
      at += op;
    }
  }
  return size;
}

function badDelta(message: string): PackError {
  return new PackError("pack/bad-delta", message);
}
