import { byteStringFromBytes } from "../byte-string.ts";
import { isSafeRefName, isValidRefName } from "../ref-name.ts";
import type { Ref } from "../ref-store.ts";
import { minimalPrefixes } from "../sorted-names.ts";
import { malformedReftable } from "./reftable-frame.ts";
import type { ReftableCursor, ReftableTable } from "./reftable-table.ts";

/*
 * tables.list names the tables of a stack, one in a line, the oldest first. What a younger table says of a ref counts,
 * its deletion too.
 */

/** Refs that are looked at for one batch of a listing. */
const BATCH = 1000;

/**
 * The names of a stack's tables, the oldest first. Spec: reftable, "Layout".
 * @throws RefsError `refs/malformed` when one is no name of a file
 */
export function parseTablesList(file: Uint8Array): string[] {
  const names = byteStringFromBytes(file)
    .split("\n")
    .filter((line) => line !== "");
  for (const name of names)
    if (/[/\\\0]|^\.\.?$/.test(name)) throw malformedReftable(`no name of a table: ${name.slice(0, 256)}`);
  return names;
}

/** What a stack says of `name`. `tables` are as in tables.list. @throws RefsError `refs/malformed` */
export async function getFromReftables(
  tables: readonly ReftableTable[],
  name: string,
): Promise<Ref | undefined> {
  for (let i = tables.length - 1; i >= 0; i--) {
    const record = await (tables[i] as ReftableTable).get(name);
    if (record !== undefined) return record.ref;
  }
  return undefined;
}

/** What {@link listReftables} lists. */
export interface ReftableListing {
  /** All when not given. */
  readonly prefixes?: readonly string[] | undefined;
  /** Hears of names that git would not take, which are passed over. */
  readonly onBadName?: ((name: string) => void) | undefined;
}

/**
 * The refs of a stack below `refs/` that start with one of the prefixes, in byte order of names, in batches, some of
 * which may be empty. `tables` are as in tables.list.
 * @throws RefsError `refs/malformed`
 */
export async function* listReftables(
  tables: readonly ReftableTable[],
  options: ReftableListing = {},
): AsyncGenerator<readonly Ref[], void, undefined> {
  for (const prefix of minimalPrefixes(options.prefixes)) {
    // What is beside `refs/` is not listed.
    if (!prefix.startsWith("refs/") && !"refs/".startsWith(prefix)) continue;
    const wanted = prefix.length < 5 ? "refs/" : prefix;
    // The youngest first: of equals it is found first.
    const cursors = await Promise.all(tables.map((table) => table.seek(wanted)));
    yield* merged(cursors.reverse(), wanted, options.onBadName ?? (() => {}));
  }
}

async function* merged(
  cursors: ReftableCursor[],
  prefix: string,
  onBadName: (name: string) => void,
): AsyncGenerator<readonly Ref[], void, undefined> {
  let batch: Ref[] = [];
  for (let seen = 1; ; seen++) {
    let least: ReftableCursor | undefined;
    for (const cursor of cursors)
      if (
        cursor.record !== undefined &&
        (least?.record === undefined || cursor.record.name < least.record.name)
      )
        least = cursor;
    const record = least?.record;
    if (record === undefined || !record.name.startsWith(prefix)) break;
    if (record.ref !== undefined) {
      if (isValidRefName(record.name)) batch.push(record.ref);
      else if (isSafeRefName(record.name)) onBadName(record.name);
      else throw malformedReftable(`the name of a ref is dangerous: ${record.name.slice(0, 256)}`);
    }
    for (const cursor of cursors)
      if (cursor.record?.name === record.name && !cursor.advance()) await cursor.next();
    if (seen % BATCH !== 0) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
