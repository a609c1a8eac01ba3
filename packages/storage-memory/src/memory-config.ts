/** One setting as it was written. */
export interface MemorySetting {
  /** Section and variable in lower case, a subsection as it is. */
  readonly key: string;
  readonly value: string;
}

/** Settings under git's keys: one value, or several for keys that git reads all values of. */
export type MemorySettings = Readonly<Record<string, string | readonly string[]>>;

/** Settings that were given, not read. */
export interface MemoryConfig {
  /** The last value of `key`; section and variable in any case. */
  get(key: string): string | undefined;
  /** Every value of `key`, in order. */
  getAll(key: string): readonly string[];
  /** All settings whose key begins with `prefix`, in order. */
  entries(prefix: string): Iterable<MemorySetting>;
}

/** @see MemorySettings */
export function createMemoryConfig(settings: MemorySettings = {}): MemoryConfig {
  const values = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(settings))
    values.set(canonicalKey(key), typeof value === "string" ? [value] : [...value]);
  return {
    get: (key) => values.get(canonicalKey(key))?.at(-1),
    getAll: (key) => values.get(canonicalKey(key)) ?? [],
    *entries(prefix) {
      for (const [key, all] of values)
        if (key.startsWith(prefix)) for (const value of all) yield { key, value };
    },
  };
}

function canonicalKey(key: string): string {
  const first = key.indexOf(".");
  const last = key.lastIndexOf(".");
  if (first < 0) return key.toLowerCase();
  return key.slice(0, first).toLowerCase() + key.slice(first, last) + key.slice(last).toLowerCase();
}
