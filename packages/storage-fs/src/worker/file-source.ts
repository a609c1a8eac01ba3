import { fstatSync, readSync } from "node:fs";
import type { ByteSource } from "@x/pack";

/** An open file as a {@link ByteSource} of the size it has now. */
export function fileSource(descriptor: number): ByteSource {
  return {
    size: fstatSync(descriptor).size,
    read: (offset, into) => readFully(descriptor, offset, into),
  };
}

/** Reads until `into` is full or the file ends: one call may give less than there is. */
export function readFully(descriptor: number, offset: number, into: Uint8Array): number {
  let filled = 0;
  while (filled < into.length) {
    const read = readSync(descriptor, into, filled, into.length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}
