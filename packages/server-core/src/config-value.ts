import type { RepositoryConfig } from "./ports.ts";

/** A yes or no, as git writes it; `undefined` when it is not set, or is something else. Spec: git-config, "Values". */
export function configBoolean(config: RepositoryConfig, key: string): boolean | undefined {
  const text = config.get(key)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === "true" || text === "yes" || text === "on" || /^[+-]?0*[1-9][0-9]*$/.test(text)) return true;
  if (text === "" || text === "false" || text === "no" || text === "off" || /^[+-]?0+$/.test(text))
    return false;
  return undefined;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
]);

/** A size with git's suffixes k, m and g; `undefined` when it is not set, or is none. Unit: bytes. */
export function configBytes(config: RepositoryConfig, key: string): number | undefined {
  const match = /^([0-9]{1,15})([kmg]?)$/.exec(config.get(key)?.toLowerCase() ?? "");
  const bytes = match ? Number(match[1]) * (UNITS.get(match[2] ?? "") ?? 1) : Number.NaN;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
