import { Deflater } from "./deflater.ts";
import type { ArchiveEntry, Archiver } from "./sink.ts";
import type { Gzip } from "./source.ts";
import { TAR_BLOCK, type TarSink } from "./tar.ts";

/** gzip as git does it, block by block: the same bytes come out. Spec: RFC 1952 */
export function createPakoGzip(level: number | undefined): Gzip {
  const deflater = new Deflater(level, "gzip");
  return {
    blockBytes: TAR_BLOCK,
    write: (block) => deflater.write(block),
    end: (rest) => deflater.end(rest),
  };
}

/** Compresses a tar file on its way. Spec: git-config, `tar.<format>.command`. */
export class GzipSink implements TarSink {
  readonly #gzip: Gzip;
  readonly #sink: TarSink;
  readonly #block: Uint8Array;
  #filled = 0;

  constructor(gzip: Gzip, sink: TarSink) {
    this.#gzip = gzip;
    this.#sink = sink;
    this.#block = new Uint8Array(gzip.blockBytes);
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(this.#block.length - this.#filled, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + size), this.#filled);
      this.#fill(size);
      at += size;
    }
  }

  writeZeros(count: number): void {
    for (let left = count; left > 0; ) {
      const size = Math.min(this.#block.length - this.#filled, left);
      this.#block.fill(0, this.#filled, this.#filled + size);
      this.#fill(size);
      left -= size;
    }
  }

  #fill(size: number): void {
    this.#filled += size;
    if (this.#filled < this.#block.length) return;
    this.#filled = 0;
    for (const piece of this.#gzip.write(this.#block)) this.#sink.write(piece);
  }

  end(): void {
    for (const piece of this.#gzip.end(this.#block.subarray(0, this.#filled))) this.#sink.write(piece);
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
