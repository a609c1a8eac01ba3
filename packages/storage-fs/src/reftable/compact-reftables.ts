import { unlink } from "node:fs/promises";
import { mergeReftables, RefsError, type ReftableTable, ReftableWriter, reftableSegment } from "@x/refs";
import { fromBytePath } from "../disk/byte-path.ts";
import { type LockFile, lockFile } from "../disk/lock-file.ts";
import type { ReftableFiles, ReftableSnapshot } from "./reftable-files.ts";
import { LockedStack, type ReftableChangeContext, reftableZlib } from "./reftable-lock.ts";
import { randomTableName, sweepTables, TableFile } from "./table-file.ts";

/**
 * Merges tables of a stack where one is not much larger than the next younger one, so that there are few. The stack is
 * locked while it is looked at and while the outcome takes the tables' place; in between, each of these has a lock of its
 * own, which is C git's way to know that they are being merged. What fails leaves all as it is, and is warned of.
 */
export async function compactReftables(stack: ReftableFiles, context: ReftableChangeContext): Promise<void> {
  try {
    if (await isGeometric(stack, context)) return;
    const compaction = new Compaction(stack, context);
    try {
      if (await compaction.begin()) await compaction.finish();
    } finally {
      await compaction.release();
    }
  } catch (error) {
    context.warn(`reftables could not be merged: ${error instanceof Error ? error.message : error}`);
  }
}

async function isGeometric(stack: ReftableFiles, { settings }: ReftableChangeContext): Promise<boolean> {
  const snapshot = await stack.snapshot();
  try {
    return reftableSegment(sizesOf(snapshot.tables), settings.geometricFactor) === undefined;
  } finally {
    await snapshot.release();
  }
}

class Compaction {
  readonly #stack: ReftableFiles;
  readonly #context: ReftableChangeContext;
  readonly #locks: LockFile[] = [];
  #snapshot: ReftableSnapshot | undefined;
  #names: readonly string[] = [];
  #tables: readonly ReftableTable[] = [];
  #isOldest = false;

  constructor(stack: ReftableFiles, context: ReftableChangeContext) {
    this.#stack = stack;
    this.#context = context;
  }

  /** Locks what is to be merged. @returns whether that is anything */
  async begin(): Promise<boolean> {
    const { settings } = this.#context;
    const locked = await LockedStack.lock(this.#stack, this.#context);
    if (locked === undefined) return false;
    try {
      const { names, tables } = locked.snapshot;
      const segment = reftableSegment(sizesOf(tables), settings.geometricFactor);
      if (segment === undefined) return false;
      let start = segment.end;
      // The youngest first: where somebody merges the older ones, the rest can still be.
      while (start > segment.start && (await this.#lockTable(names[start - 1] as string))) start--;
      if (segment.end - start < 2) return false;
      this.#isOldest = start === 0;
      this.#names = names.slice(start, segment.end);
      this.#tables = tables.slice(start, segment.end);
      this.#snapshot = locked.snapshot;
      return true;
    } finally {
      await locked.release({ keepTables: this.#snapshot !== undefined });
    }
  }

  async finish(): Promise<void> {
    const { settings } = this.#context;
    const [first, last] = [this.#tables[0], this.#tables.at(-1)] as [ReftableTable, ReftableTable];
    const { minUpdateIndex } = first.frame;
    const { maxUpdateIndex } = last.frame;
    const range = { minUpdateIndex, maxUpdateIndex };
    const writer = new ReftableWriter({ ...settings.shape, ...range, zlib: reftableZlib });
    const name = randomTableName(minUpdateIndex, maxUpdateIndex);
    const file = await TableFile.create(this.#stack.directory, name, this.#context);
    try {
      const merge = { isOldest: this.#isOldest, zlib: reftableZlib };
      for await (const _ of mergeReftables(this.#tables, writer, merge)) await file.write(writer.take());
      const isEmpty = writer.isEmpty;
      writer.finish();
      await file.write(writer.take());
      await file.close();
      await this.#replace(isEmpty ? undefined : file);
    } finally {
      await file.discard();
    }
  }

  async #replace(file: TableFile | undefined): Promise<void> {
    const locked = await LockedStack.lock(this.#stack, this.#context);
    if (locked === undefined) return;
    try {
      const { names } = locked.snapshot;
      const at = names.indexOf(this.#names[0] as string);
      const { length } = this.#names;
      // They are locked, so nobody should have touched them.
      if (at < 0 || this.#names.some((name, i) => names[at + i] !== name))
        throw new RefsError("refs/unavailable", "the tables were changed meanwhile");
      const merged = file === undefined ? [] : [file.name];
      const kept = [...names.slice(0, at), ...merged, ...names.slice(at + length)];
      await sweepTables(this.#stack.directory, new Set([...names, ...kept]), locked.nextUpdateIndex);
      await locked.replace(kept, file);
      for (const name of this.#names)
        await unlink(fromBytePath(`${this.#stack.directory}/${name}`)).catch(() => {});
    } finally {
      await locked.release();
    }
  }

  async release(): Promise<void> {
    for (const lock of this.#locks) await lock.release().catch(() => {});
    await this.#snapshot?.release();
  }

  async #lockTable(name: string): Promise<boolean> {
    const path = `${this.#stack.directory}/${name}`;
    const draft = await this.#context.journal.draft(path, new Uint8Array());
    const lock = await lockFile(path, { timeoutMs: 0, draft, sync: false });
    if (lock !== undefined) this.#locks.push(lock);
    return lock !== undefined;
  }
}

/** As C git counts: a table of one byte of blocks has a size of two. */
function sizesOf(tables: readonly ReftableTable[]): number[] {
  return tables.map(({ frame }) => frame.blocksEnd - frame.headerLength + 1);
}
