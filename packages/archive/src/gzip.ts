import { Deflater } from "./deflater.ts";
import type { ArchiveEntry, Archiver } from "./sink.ts";
import { TAR_BLOCK, type TarSink } from "./tar.ts";

/** Compresses a tar file on its way, block by block as git does. Spec: RFC 1952; git-config, `tar.<format>.command`. */
export class GzipSink implements TarSink {
  readonly #deflater: Deflater;
  readonly #sink: TarSink;
  readonly #block: Uint8Array = new Uint8Array(TAR_BLOCK);
  #filled = 0;

  constructor(level: number | undefined, sink: TarSink) {
    this.#deflater = new Deflater(level, "gzip");
    this.#sink = sink;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(TAR_BLOCK - this.#filled, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + size), this.#filled);
      this.#fill(size);
      at += size;
    }
  }

  writeZeros(count: number): void {
    for (let left = count; left > 0; ) {
      const size = Math.min(TAR_BLOCK - this.#filled, left);
      this.#block.fill(0, this.#filled, this.#filled + size);
      this.#fill(size);
      left -= size;
    }
  }

  #fill(size: number): void {
    this.#filled += size;
    if (this.#filled < TAR_BLOCK) return;
    for (const piece of this.#deflater.write(this.#block)) this.#sink.write(piece);
    this.#filled = 0;
  }

  /** Ends the stream; a tar file fills its last block. */
  end(): void {
    for (const piece of this.#deflater.end()) this.#sink.write(piece);
  }
}

/** A tar archiver whose bytes go through `gzip`. */
export function gzipped(tar: Archiver, gzip: GzipSink): Archiver {
  return {
    start: () => tar.start(),
    add: (entry: ArchiveEntry) => tar.add(entry),
    *end() {
      yield* tar.end();
      gzip.end();
    },
  };
}
