import { type ReftableSource, ReftableTable } from "../src/reftable/reftable-table.ts";

/** A table in memory that counts what is read of it. */
export interface CountedSource extends ReftableSource {
  reads: number;
  bytesRead: number;
}

export function sourceOf(bytes: Uint8Array): CountedSource {
  return {
    size: bytes.length,
    reads: 0,
    bytesRead: 0,
    async read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) throw new Error("read out of bounds");
      this.reads++;
      this.bytesRead += length;
      return bytes.subarray(offset, offset + length);
    },
  };
}

export function tableOf(bytes: Uint8Array, format: "sha1" | "sha256" = "sha1"): Promise<ReftableTable> {
  return ReftableTable.open(sourceOf(bytes), format);
}
