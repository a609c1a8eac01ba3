import type { Lend } from "@x/objects";

/** For a transport that knows when a chunk has left: then its memory goes back to whoever made it. One for each call. */
export class LentBuffers {
  // Weak: a chunk that was copied on its way never comes back.
  readonly #onBack: WeakMap<ArrayBufferLike, () => void> = new WeakMap();

  /** For {@link ServiceCall.lend}. */
  readonly lend: Lend = (bytes, onBack) => void this.#onBack.set(bytes.buffer, onBack);

  /** Nobody reads `chunk` any more. Nothing happens when it was not lent, or has come back before. */
  giveBack(chunk: Uint8Array): void {
    const onBack = this.#onBack.get(chunk.buffer);
    if (onBack === undefined) return;
    this.#onBack.delete(chunk.buffer);
    onBack();
  }
}
