/** Distinct names in byte order, wherever they are kept. */
export interface SortedNames {
  readonly length: number;
  /** The name at `index`, which is from 0 to `length - 1`. */
  nameAt(index: number): string;
}

/** A run of indexes, `end` not included. */
export interface IndexRange {
  readonly start: number;
  readonly end: number;
}

/** The index of the first name that is not below `name` in byte order; `length` when all are. */
export function lowerBound(names: SortedNames, name: string, from = 0): number {
  let low = from;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (names.nameAt(middle) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of `name`, or -1. */
export function indexOfName(names: SortedNames, name: string): number {
  const index = lowerBound(names, name);
  return index < names.length && names.nameAt(index) === name ? index : -1;
}

/** Sorted, and without those that another one covers. `undefined`, which selects everything, gives `[""]`. */
export function minimalPrefixes(prefixes: readonly string[] | undefined): string[] {
  if (prefixes === undefined) return [""];
  const minimal: string[] = [];
  for (const prefix of [...prefixes].sort(compareNames)) {
    const last = minimal.at(-1);
    if (last === undefined || !prefix.startsWith(last)) minimal.push(prefix);
  }
  return minimal;
}

/** Byte order, for `sort`. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Where the names that start with one of `prefixes` stand: ascending ranges that do not touch each other's names.
 * Costs two binary searches per prefix, however many names there are.
 */
export function selectPrefixes(names: SortedNames, prefixes: readonly string[] | undefined): IndexRange[] {
  const ranges: IndexRange[] = [];
  let from = 0;
  for (const prefix of minimalPrefixes(prefixes)) {
    const start = lowerBound(names, prefix, from);
    // No byte is above \u00ff, so this is above all that start with the prefix.
    const end = prefix === "" ? names.length : lowerBound(names, `${prefix}\u0100`, start);
    if (end > start) ranges.push({ start, end });
    from = end;
  }
  return ranges;
}

/** Whether `name` starts with one of `prefixes`, which are as {@link minimalPrefixes} gives them. */
export function startsWithAny(prefixes: readonly string[], name: string): boolean {
  const at = lowerBound(namesIn(prefixes), name);
  // Whatever stands between a prefix and the name starts with that prefix too, and such are left out.
  return prefixes[at] === name || (at > 0 && name.startsWith(prefixes[at - 1] as string));
}

/** Whether something that starts with `directory` can start with one of `prefixes`, minimal ones again. */
export function prefixesReach(prefixes: readonly string[], directory: string): boolean {
  const at = lowerBound(namesIn(prefixes), directory);
  return prefixes[at]?.startsWith(directory) === true || startsWithAny(prefixes, directory);
}

function namesIn(names: readonly string[]): SortedNames {
  return { length: names.length, nameAt: (index) => names[index] as string };
}
