import type { ReftableRecord } from "./reftable-block.ts";
import type { ReftableLog } from "./reftable-log.ts";
import type { ReftableTable } from "./reftable-table.ts";
import type { ReftableWriter } from "./reftable-writer.ts";
import type { ReftableZlib } from "./reftable-zlib.ts";

/** Records that are copied between two pauses. */
const BATCH = 1000;

/** How {@link mergeReftables} goes about it. */
export interface ReftableMerge {
  /** No older table lies below: then what is gone need not be said any more. */
  readonly isOldest: boolean;
  readonly zlib: Pick<ReftableZlib, "inflate">;
}

/**
 * Adds to `writer` what neighbours of a stack say together, the oldest first as in tables.list. Pauses after every
 * thousand records, for the caller to put away what is made.
 * @throws RefsError `refs/malformed`, `refs/too-large`
 */
export async function* mergeReftables(
  tables: readonly ReftableTable[],
  writer: ReftableWriter,
  { isOldest, zlib }: ReftableMerge,
): AsyncGenerator<void, void, undefined> {
  let seen = 0;
  for await (const { name, ref, updateIndex } of mergedRefs(tables)) {
    if (ref !== undefined || !isOldest) writer.addRef({ name, ref }, updateIndex);
    if (++seen % BATCH === 0) yield;
  }
  for await (const log of mergedLogs(tables, "", zlib)) {
    if (log.value !== undefined || !isOldest) writer.addLog(log);
    if (++seen % BATCH === 0) yield;
  }
  yield;
}

/** The log of `name` as a stack has it, the latest entry first. @throws RefsError `refs/malformed` */
export async function* logFromReftables(
  tables: readonly ReftableTable[],
  name: string,
  zlib: Pick<ReftableZlib, "inflate">,
): AsyncGenerator<ReftableLog & { readonly value: Uint8Array }, void, undefined> {
  for await (const log of mergedLogs(tables, name, zlib)) {
    if (log.name !== name) return;
    const { value } = log;
    if (value !== undefined) yield { ...log, value };
  }
}

type IndexedRecord = Pick<ReftableRecord, "name" | "ref"> & { readonly updateIndex: bigint };

async function* mergedRefs(tables: readonly ReftableTable[]): AsyncGenerator<IndexedRecord, void, undefined> {
  const sources = await Promise.all(
    tables.map(async (table) => ({ cursor: await table.seek(""), least: table.frame.minUpdateIndex })),
  );
  sources.reverse();
  for (;;) {
    const least = leastOf(sources, ({ cursor }) => cursor.record?.name);
    const record = least?.cursor.record;
    if (least === undefined || record === undefined) return;
    const { name, ref, delta } = record;
    yield { name, ref, updateIndex: least.least + BigInt(delta) };
    for (const { cursor } of sources)
      if (cursor.record?.name === name && !cursor.advance()) await cursor.next();
  }
}

async function* mergedLogs(
  tables: readonly ReftableTable[],
  name: string,
  zlib: Pick<ReftableZlib, "inflate">,
): AsyncGenerator<ReftableLog, void, undefined> {
  const cursors = await Promise.all(tables.map((table) => table.seekLog(name, zlib)));
  cursors.reverse();
  for (;;) {
    const least = leastOf(cursors, ({ key }) => key);
    if (least?.record === undefined) return;
    const { key, record } = least;
    yield record;
    for (const cursor of cursors) if (cursor.key === key) await cursor.next();
  }
}

/** The first of those with the least key: the youngest table, where they stand youngest first. */
function leastOf<Item>(items: readonly Item[], keyOf: (item: Item) => string | undefined): Item | undefined {
  let least: Item | undefined;
  let leastKey: string | undefined;
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined || (leastKey !== undefined && key >= leastKey)) continue;
    least = item;
    leastKey = key;
  }
  return least;
}

/** A run of tables, `end` not included. */
export interface ReftableSegment {
  readonly start: number;
  readonly end: number;
}

/**
 * Which tables of a stack to merge so that each is `factor` times as large as the next younger one again. `sizes` are
 * those of blocks, the oldest first. As C git chooses. @returns `undefined` when they are so already
 */
export function reftableSegment(sizes: readonly number[], factor: number): ReftableSegment | undefined {
  const sizeAt = (index: number) => sizes[index] as number;
  let at = sizes.length - 1;
  while (at > 0 && sizeAt(at - 1) >= sizeAt(at) * factor) at--;
  if (at <= 0) return undefined;
  const end = at + 1;
  let start = at;
  for (let sum = sizeAt(at); at > 0; at--) {
    if (sizeAt(at - 1) < sum * factor) start = at - 1;
    sum += sizeAt(at - 1);
  }
  return { start, end };
}
