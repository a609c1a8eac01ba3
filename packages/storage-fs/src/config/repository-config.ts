import { readSmallFile } from "../disk/small-file.ts";
import { StorageFsError } from "../errors.ts";
import type { RepositoryLayout } from "../repository/layout.ts";
import { type ConfigEntry, parseConfig } from "./config-file.ts";
import { parseConfigBoolean } from "./config-value.ts";

/** Largest config file that is read. Unit: bytes. */
export const MAX_CONFIG_BYTES: number = 1 << 20;

/**
 * A repository's own settings. Keys are `section.name` or `section.subsection.name`, section and name in any case;
 * values are byte-exact, one character for each byte. A name without a value reads as `true`.
 */
export interface FileConfig {
  /** The last value of `key`. */
  get(key: string): string | undefined;
  /** Every value of `key`, in order. */
  getAll(key: string): readonly string[];
  /** All settings whose key begins with `prefix`, in order. */
  entries(prefix: string): Iterable<ConfigEntry>;
  /** Every key that is set, as {@link ConfigEntry} writes it. */
  keys(): Iterable<string>;
}

/** Settings from entries, the later ones winning. */
export function createFileConfig(entries: readonly ConfigEntry[]): FileConfig {
  const values = new Map<string, string[]>();
  for (const { key, value = "true" } of entries) {
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return {
    get: (key) => values.get(canonicalKey(key))?.at(-1),
    getAll: (key) => values.get(canonicalKey(key)) ?? [],
    entries: (prefix) => entries.filter(({ key }) => key.startsWith(prefix)),
    keys: () => values.keys(),
  };
}

/**
 * Reads the repository's `config`, and its `config.worktree` when `extensions.worktreeConfig` asks for it. The
 * system's and the user's settings do not count, and includes are not followed: whoever may write to a repository
 * must not be able to point the server elsewhere.
 * @throws StorageFsError `storage-fs/bad-config`
 */
export async function readRepositoryConfig(layout: RepositoryLayout): Promise<FileConfig> {
  const entries = await readEntries(layout.configFile);
  const config = createFileConfig(entries);
  if (parseConfigBoolean(config.get("extensions.worktreeConfig") ?? "") !== true) return config;
  return createFileConfig([...entries, ...(await readEntries(`${layout.gitDirectory}/config.worktree`))]);
}

async function readEntries(path: string): Promise<ConfigEntry[]> {
  const file = await readSmallFile(path, { maxBytes: MAX_CONFIG_BYTES });
  if (file === "missing") return [];
  if (typeof file === "string")
    throw new StorageFsError("storage-fs/bad-config", `the repository's config cannot be read: ${file}`);
  return parseConfig(file);
}

function canonicalKey(key: string): string {
  const first = key.indexOf(".");
  const last = key.lastIndexOf(".");
  if (first < 0) return key.toLowerCase();
  return key.slice(0, first).toLowerCase() + key.slice(first, last) + key.slice(last).toLowerCase();
}
