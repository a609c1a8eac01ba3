/** What logs in reftables are compressed with; a `ZlibCodec` of `@x/pack` is one. */
export interface ReftableZlib {
  /**
   * Inflates the whole zlib stream at `input[at … end)`, bytes after it being left alone. `output` is one byte longer
   * than what the stream should hold.
   * @returns how many input bytes the stream has
   * @throws anything when the stream is broken, or of another size
   */
  inflate(input: Uint8Array, at: number, end: number, output: Uint8Array): number;
  /** A whole zlib stream for `data`. */
  deflate(data: Uint8Array, level?: number): Uint8Array;
}
