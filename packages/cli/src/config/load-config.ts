import { dirname, resolve } from "node:path";
import { safeParse } from "valibot";
import { CliError } from "../errors.ts";
import { readConfigFile } from "./config-file.ts";
import type { Setting } from "./setting.ts";
import { type LimitGroups, limitsOf, SETTINGS, type Settings } from "./settings.ts";

/** What holds, whoever set it. */
export interface Config {
  get<K extends keyof Settings>(key: K): Settings[K];
  limits<G extends keyof LimitGroups>(group: G): LimitGroups[G];
  /** Every setting with a value, in order. */
  entries(): Iterable<ConfigEntry>;
}

/** A setting, its value, and who set it. */
interface ConfigEntry {
  readonly key: string;
  readonly value: unknown;
  /** `default`, the path of a file, the name of a variable, or a flag. */
  readonly origin: string;
  readonly isSecret: boolean;
}

/** Where a config comes from; what comes first counts more. */
export interface ConfigSources {
  /** By key: the flag as it is written, and the text or truth that it gives. */
  readonly flags: ReadonlyMap<string, { readonly flag: string; readonly value: unknown }>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: string | undefined;
  /** Relative paths of flags and variables count from here. */
  readonly directory: string;
}

/**
 * Puts flags, variables and the file together: a flag counts more than a variable, a variable more than the file.
 * @throws CliError that names each place, its key, and what was expected there
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { flags, env, file, directory } = sources;
  const loader = new Loader();
  if (file !== undefined) {
    const path = resolve(directory, file);
    const found = await readConfigFile(path, (key) => SETTINGS.has(key));
    for (const [key, value] of found)
      loader.take(key, value, { origin: path, place: `${file}: ${key}`, directory: dirname(path) });
  }
  for (const [key] of SETTINGS) {
    const name = variableOf(key);
    const value = env[name];
    // A variable that is set to nothing is as good as none.
    if (value) loader.takeText(key, value, { origin: name, place: name, directory });
  }
  for (const [key, { flag, value }] of flags) {
    const from = { origin: flag, place: flag, directory };
    if (typeof value === "string") loader.takeText(key, value, from);
    else loader.take(key, value, from);
  }
  return loader.finish();
}

/** The variable of a setting: `http.limits.maxInflatedBytes` is `XGIT_HTTP_LIMITS_MAX_INFLATED_BYTES`. */
export function variableOf(key: string): string {
  return `XGIT_${key
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll(".", "_")
    .toUpperCase()}`;
}

interface Place {
  readonly origin: string;
  /** How a message names it. */
  readonly place: string;
  readonly directory: string;
}

class Loader {
  readonly #values = new Map<string, { readonly value: unknown; readonly origin: string }>();
  readonly #faults: string[] = [];

  /** Takes a value as a file has it. */
  take(key: string, value: unknown, from: Place): void {
    const setting = SETTINGS.get(key);
    if (setting === undefined) this.#faults.push(`${from.place}: there is no such setting${similarTo(key)}`);
    else this.#takeFirst(key, setting, [value], from);
  }

  /** Takes a value as a command line has it: a text that may stand for a number, for yes or no, or for a list. */
  takeText(key: string, text: string, from: Place): void {
    const setting = SETTINGS.get(key);
    if (setting === undefined) {
      this.take(key, text, from);
      return;
    }
    const readings: unknown[] = [text];
    if (/^[0-9]{1,16}(?:\.[0-9]{1,9})?$/.test(text)) readings.push(Number(text));
    if (text === "true" || text === "false") readings.push(text === "true");
    readings.push(text.split(",").map((word) => word.trim()));
    this.#takeFirst(key, setting, readings, from);
  }

  #takeFirst(key: string, setting: Setting<unknown>, readings: readonly unknown[], from: Place): void {
    for (const reading of readings) {
      const result = safeParse(setting.schema, reading);
      if (!result.success) continue;
      const value = setting.isPath === true ? resolved(from.directory, result.output) : result.output;
      this.#values.set(key, { value, origin: from.origin });
      return;
    }
    const found = setting.isSecret === true ? "something else" : JSON.stringify(readings[0]);
    this.#faults.push(`${from.place}: expected ${setting.expected}, found ${found}`);
  }

  /** @throws CliError when anything that was taken is no good */
  finish(): Config {
    const [first, ...others] = this.#faults;
    if (first !== undefined)
      throw new CliError("cli/usage", first, { after: others.map((fault) => `error: ${fault}\n`).join("") });
    const entries: ConfigEntry[] = [];
    const values = new Map<string, unknown>();
    for (const [key, { fallback, isSecret = false }] of SETTINGS) {
      const { value, origin } = this.#values.get(key) ?? { value: fallback, origin: "default" };
      if (value === undefined) continue;
      values.set(key, value);
      entries.push({ key, value, origin, isSecret });
    }
    return {
      get: <K extends keyof Settings>(key: K) => values.get(key) as Settings[K],
      limits: (group) => limitsOf(group, values),
      entries: () => entries,
    };
  }
}

/** A hint at what may have been meant. */
function similarTo(key: string): string {
  const name = key.slice(key.lastIndexOf(".") + 1).toLowerCase();
  const found = [...SETTINGS.keys()].find((known) => known.toLowerCase().split(".").includes(name));
  return found === undefined ? "" : ` (is ${found} meant?)`;
}

function resolved(directory: string, paths: unknown): string | string[] {
  return Array.isArray(paths)
    ? paths.map((path) => resolve(directory, path))
    : resolve(directory, String(paths));
}
