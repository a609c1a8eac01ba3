/** Random access to a pack's bytes, whatever holds them. Synchronous: packs are read in worker threads. */
export interface ByteSource {
  /** Unit: bytes. */
  readonly size: number;
  /** Fills `into` with the bytes from `offset` on; gives how many there were, fewer only at the end. */
  read(offset: number, into: Uint8Array): number;
}

/** Bytes in memory as a {@link ByteSource}. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, into) {
      const part = bytes.subarray(offset, Math.min(bytes.length, offset + into.length));
      into.set(part);
      return part.length;
    },
  };
}
