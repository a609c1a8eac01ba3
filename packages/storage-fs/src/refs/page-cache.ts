/** Unit: bytes. */
export const PAGE_BYTES: number = 64 * 1024;

/** The pages of one file that does not change. Make one for each state of a file. */
export interface CachedFile {
  readonly pages: Map<number, Uint8Array>;
}

/** Pages of files, the longest unused forgotten first. */
export class PageCache {
  readonly #maxBytes: number;
  /** In the order of their last use. */
  readonly #used = new Map<Uint8Array, { readonly file: CachedFile; readonly page: number }>();
  #bytes = 0;

  /** `maxBytes` bounds what is kept in all. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(file: CachedFile, page: number): Uint8Array | undefined {
    const found = file.pages.get(page);
    const use = found && this.#used.get(found);
    if (found === undefined || use === undefined) return undefined;
    this.#used.delete(found);
    this.#used.set(found, use);
    return found;
  }

  /** Every page of a file of `size` bytes; `undefined` when one is not kept. */
  whole(file: CachedFile, size: number): Uint8Array[] | undefined {
    const pages: Uint8Array[] = [];
    for (let page = 0; page * PAGE_BYTES < size; page++) {
      const found = this.get(file, page);
      if (found === undefined) return undefined;
      pages.push(found);
    }
    return pages;
  }

  put(file: CachedFile, page: number, bytes: Uint8Array): void {
    if (file.pages.has(page)) return;
    file.pages.set(page, bytes);
    this.#used.set(bytes, { file, page });
    this.#bytes += bytes.length;
    for (const [oldest, use] of this.#used) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest, use.file, use.page);
    }
  }

  /** Forgets all of a file. */
  drop(file: CachedFile): void {
    for (const [page, bytes] of file.pages) this.#drop(bytes, file, page);
  }

  #drop(bytes: Uint8Array, file: CachedFile, page: number): void {
    if (!this.#used.delete(bytes)) return;
    file.pages.delete(page);
    this.#bytes -= bytes.length;
  }
}
