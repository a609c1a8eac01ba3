import { deflateSync, inflateSync } from "node:zlib";
import type { ReftableZlib } from "../src/reftable/reftable-zlib.ts";

/** What the stream at the start of `bytes` inflates to, and how long it is. */
export function inflatedAt(bytes: Uint8Array): {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
} {
  return inflateSync(bytes, { info: true } as object) as never;
}

export const testZlib: ReftableZlib = {
  inflate(input, at, end, output) {
    const { buffer, engine } = inflatedAt(input.subarray(at, end));
    if (buffer.length !== output.length - 1) throw new Error("another size");
    output.set(buffer);
    return engine.bytesWritten;
  },
  deflate: (data, level) => deflateSync(data, level === undefined ? {} : { level }),
};
