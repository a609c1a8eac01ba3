import { ServiceError } from "./errors.ts";
import type { RepositoryConfig } from "./ports.ts";

/** A yes or no, as git writes it; `undefined` when it is not set, or is something else. Spec: git-config, "Values". */
export function configBoolean(config: Pick<RepositoryConfig, "get">, key: string): boolean | undefined {
  const text = config.get(key)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === "true" || text === "yes" || text === "on") return true;
  if (text === "" || text === "false" || text === "no" || text === "off") return false;
  if (!/^[+-]?(?:0x[0-9a-f]{1,8}|[0-9]{1,15})[kmg]?$/.test(text)) return undefined;
  return !/^[+-]?(?:0x)?0+[kmg]?$/.test(text);
}

/**
 * The same for a setting where git would not go on with anything else.
 * @throws ServiceError `server-core/repository-unusable`
 */
export function requiredBoolean(config: Pick<RepositoryConfig, "get">, key: string): boolean | undefined {
  const answer = configBoolean(config, key);
  const text = config.get(key);
  if (answer !== undefined || text === undefined) return answer;
  throw new ServiceError(
    "server-core/repository-unusable",
    `bad boolean config value '${text.slice(0, 100)}' for '${key.toLowerCase()}'`,
  );
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

const MAX_UNSIGNED = 2n ** 64n - 1n;

/**
 * A number that is not negative, decimal or as C writes hexadecimal and octal ones, with git's suffixes k, m and g.
 * What is above 2^53 - 1 becomes that; `undefined` when it is no number or none that 64 bits hold.
 */
export function parseUnsigned(text: string): number | undefined {
  const match = /^[ \t\n\v\f\r]*\+?(?:0x([0-9a-f]{1,40})|0([0-7]{0,40})|([1-9][0-9]{0,40}))([kmg]?)$/i.exec(
    text,
  );
  if (match === null) return undefined;
  const [, hexadecimal, octal, decimal, unit = ""] = match;
  const digits =
    hexadecimal === undefined ? (octal === undefined ? decimal : `0o${octal || "0"}`) : `0x${hexadecimal}`;
  const value = BigInt(digits as string) * BigInt(UNITS.get(unit.toLowerCase()) ?? 1);
  if (value > MAX_UNSIGNED) return undefined;
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

/** {@link parseUnsigned} of a setting; `undefined` also when it is not set. */
export function configUnsigned(config: RepositoryConfig, key: string): number | undefined {
  return parseUnsigned(config.get(key) ?? "");
}

/** A timer's longest time. Unit: milliseconds. */
const MAX_TIMER_MS = 0x7fff_ffff;

/**
 * How long a line may be silent: the repository's own word under `key` in seconds, of which 0 is never, or `defaultMs`.
 * Unit: milliseconds.
 */
export function configKeepaliveMs(
  config: RepositoryConfig,
  key: string,
  defaultMs: number,
): number | undefined {
  if (/^\s*-[0-9]/.test(config.get(key) ?? "")) return undefined;
  const seconds = configUnsigned(config, key);
  if (seconds === undefined) return defaultMs;
  return seconds === 0 ? undefined : Math.min(seconds * 1000, MAX_TIMER_MS);
}
