import { type FileHandle, open } from "node:fs/promises";
import { setImmediate as letOthersRun, setTimeout as wait } from "node:timers/promises";
import type { ObjectFormat } from "@x/objects";
import { parseTablesList, RefsError, type ReftableSource, ReftableTable } from "@x/refs";
import { fromBytePath } from "../disk/byte-path.ts";
import { readSmallFile } from "../disk/small-file.ts";
import { systemCode } from "../errors.ts";
import { type CachedFile, PAGE_BYTES, type PageCache } from "../refs/page-cache.ts";

/** Unit: bytes. */
const MAX_TABLES_LIST_BYTES = 1 << 20;
/** Each may take a file descriptor; C git merges them so that there are a dozen. */
const MAX_TABLES = 512;
/** How often a list is read whose tables have gone before they were opened. */
const MAX_ATTEMPTS = 100;
/** Read from memory without a pause: some five milliseconds of decoding. Unit: bytes. */
const BYTES_PER_TURN = 256 * 1024;

/** The tables of a stack as they were at one moment. They stay readable until it is released. */
export interface ReftableSnapshot {
  /** As they stand in tables.list. */
  readonly names: readonly string[];
  /** The oldest first. */
  readonly tables: readonly ReftableTable[];
  release(): Promise<void>;
}

/** What is remembered of a table, which keeps its name and its bytes for as long as it exists. */
interface KnownTable extends CachedFile {
  readonly size: number;
}

/** One stack of reftables in a directory, which others add to and merge at any time. */
export class ReftableFiles {
  /** A byte path. */
  readonly directory: string;
  readonly #format: ObjectFormat;
  readonly #cache: PageCache;
  #known = new Map<string, KnownTable>();

  constructor(directory: string, format: ObjectFormat, cache: PageCache) {
    this.directory = directory;
    this.#format = format;
    this.#cache = cache;
  }

  /** The tables as they are now, or were at some time after the call. @throws RefsError `refs/malformed`, `refs/unavailable` */
  async snapshot(): Promise<ReftableSnapshot> {
    let before: readonly string[] | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const names = await this.names();
      const sources: TableSource[] = [];
      const release = async () => {
        await Promise.all(sources.map((source) => source.close()));
      };
      try {
        for (const name of names) sources.push(await this.#open(name));
        const tables: ReftableTable[] = [];
        for (const source of sources) tables.push(await ReftableTable.open(source, this.#format));
        this.#forgetAllBut(names);
        return { names, tables, release };
      } catch (error) {
        await release();
        // Merged with others and removed meanwhile: then the list has changed too.
        if (systemCode(error) !== "ENOENT" || sameNames(names, before)) throw error;
        before = names;
        await wait(Math.min(attempt, 20));
      }
    }
    throw new RefsError("refs/unavailable", "the tables of refs change faster than they can be opened");
  }

  /** The names of the tables as they are now: no other table ever has one of them. @throws RefsError `refs/malformed` */
  async names(): Promise<string[]> {
    const path = fromBytePath(`${this.directory}/tables.list`);
    const file = await readSmallFile(path, { maxBytes: MAX_TABLES_LIST_BYTES, followSymlink: true });
    if (file === "missing") return [];
    if (typeof file === "string")
      throw new RefsError("refs/malformed", `tables.list cannot be read: ${file}`);
    const names = parseTablesList(file);
    if (names.length > MAX_TABLES)
      throw new RefsError("refs/malformed", `tables.list names more than ${MAX_TABLES} tables`);
    return names;
  }

  async #open(name: string): Promise<TableSource> {
    const known = this.#known.get(name);
    const whole = known && this.#cache.whole(known, known.size);
    if (known !== undefined && whole !== undefined) return new TableSource(known, whole);
    const handle = await open(fromBytePath(`${this.directory}/${name}`), "r");
    try {
      const { size } = await handle.stat();
      if (known?.size === size) return new TableSource(known, { handle, cache: this.#cache });
      const table: KnownTable = { size, pages: new Map() };
      this.#known.set(name, table);
      return new TableSource(table, { handle, cache: this.#cache });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  #forgetAllBut(names: readonly string[]): void {
    if (this.#known.size <= names.length) return;
    const kept = new Map<string, KnownTable>();
    for (const name of names) {
      const table = this.#known.get(name);
      if (table !== undefined) kept.set(name, table);
      this.#known.delete(name);
    }
    for (const table of this.#known.values()) this.#cache.drop(table);
    this.#known = kept;
  }
}

/** Where a table's bytes come from: memory, all of it, or a file. */
type Origin = readonly Uint8Array[] | { readonly handle: FileHandle; readonly cache: PageCache };

class TableSource implements ReftableSource {
  readonly size: number;
  readonly #table: KnownTable;
  readonly #origin: Origin;
  #unpaused = 0;

  constructor(table: KnownTable, origin: Origin) {
    this.size = table.size;
    this.#table = table;
    this.#origin = origin;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#unpaused += length;
    if (this.#unpaused > BYTES_PER_TURN) {
      this.#unpaused = 0;
      await letOthersRun();
    }
    const first = Math.floor(offset / PAGE_BYTES);
    const from = offset - first * PAGE_BYTES;
    const page = await this.#page(first);
    if (from + length <= page.length) return page.subarray(from, from + length);
    const parts = [page.subarray(from)];
    for (let missing = length - (page.length - from), next = first + 1; missing > 0; next++) {
      const part = (await this.#page(next)).subarray(0, missing);
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Harmless a second time. */
  async close(): Promise<void> {
    if ("handle" in this.#origin) await this.#origin.handle.close();
  }

  async #page(page: number): Promise<Uint8Array> {
    const origin = this.#origin;
    if (!("handle" in origin)) return origin[page] as Uint8Array;
    const known = origin.cache.get(this.#table, page);
    if (known !== undefined) return known;
    const start = page * PAGE_BYTES;
    const bytes = Buffer.allocUnsafeSlow(Math.min(PAGE_BYTES, this.size - start));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await origin.handle.read(bytes, filled, bytes.length - filled, start + filled);
      if (bytesRead === 0) throw new RefsError("refs/malformed", "broken reftable: it became shorter");
      filled += bytesRead;
    }
    origin.cache.put(this.#table, page, bytes);
    return bytes;
  }
}

function sameNames(a: readonly string[], b: readonly string[] | undefined): boolean {
  return a.length === b?.length && a.every((name, index) => name === b[index]);
}
