import { StorageFsError } from "../errors.ts";
import type { ConfigEntry } from "./config-file.ts";

/** Settings that `GIT_CONFIG_COUNT` may announce. */
const MAX_ENVIRONMENT_ENTRIES = 10_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings from the environment: `GIT_CONFIG_COUNT` with `GIT_CONFIG_KEY_<n>` and `GIT_CONFIG_VALUE_<n>`, then
 * `GIT_CONFIG_PARAMETERS`, which `git -c` writes. Wording as in C git. Spec: git-config, "ENVIRONMENT".
 * @throws StorageFsError `storage-fs/bad-config`, its `cause` saying what is wrong
 */
export function readConfigEnvironment(env: Environment): ConfigEntry[] {
  return [...counted(env), ...parameters(bytesOf(env.GIT_CONFIG_PARAMETERS ?? ""))];
}

/** One character for each byte, as in config files. */
export function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function counted(env: Environment): ConfigEntry[] {
  const text = env.GIT_CONFIG_COUNT;
  if (text === undefined) return [];
  if (!/^[ \t\n\v\f\r]*\+?[0-9]+$/.test(text) && text !== "") throw bad("bogus count in GIT_CONFIG_COUNT");
  const count = Number(text);
  if (count > MAX_ENVIRONMENT_ENTRIES) throw bad("too many entries in GIT_CONFIG_COUNT");
  return Array.from({ length: count }, (_, i) => {
    const key = env[`GIT_CONFIG_KEY_${i}`];
    if (key === undefined) throw bad(`missing config key GIT_CONFIG_KEY_${i}`);
    const value = env[`GIT_CONFIG_VALUE_${i}`];
    if (value === undefined) throw bad(`missing config value GIT_CONFIG_VALUE_${i}`);
    return entry(bytesOf(key), bytesOf(value));
  });
}

/** Both ways in which git has quoted them: `'key=value'` and `'key'='value'`. */
function parameters(text: string): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  const reader = { text, at: 0 };
  while (reader.at < text.length) {
    const key = dequote(reader);
    if (text.charAt(reader.at) === "=") {
      reader.at++;
      entries.push(entry(key, text.charAt(reader.at) === "'" ? dequote(reader) : undefined));
    } else {
      const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(key) ?? [];
      if (name === "") throw bad(`bogus config parameter: ${key}`);
      entries.push(entry(name, value));
    }
    const blanks = /^(?:[ \t\n\v\f\r]+|$)/.exec(text.slice(reader.at));
    if (blanks === null) throw bad("bogus format in GIT_CONFIG_PARAMETERS");
    reader.at += blanks[0].length;
  }
  return entries;
}

/** Quotes end and begin again around `\'` and `\!`. */
function dequote(reader: { readonly text: string; at: number }): string {
  const match = /^'([^']*)'(?:\\(['!])'([^']*)')*/.exec(reader.text.slice(reader.at));
  if (match === null) throw bad("bogus format in GIT_CONFIG_PARAMETERS");
  reader.at += match[0].length;
  return match[0].slice(1, -1).replace(/'\\(['!])'/g, "$1");
}

function entry(key: string, value: string | undefined): ConfigEntry {
  const dot = key.lastIndexOf(".");
  if (dot <= 0) throw bad(`key does not contain a section: ${key}`);
  if (dot === key.length - 1) throw bad(`key does not contain variable name: ${key}`);
  const first = key.indexOf(".");
  const section = key.slice(0, first);
  const name = key.slice(dot + 1);
  if (!/^[A-Za-z0-9-]+$/.test(section) || !/^[A-Za-z][A-Za-z0-9-]*$/.test(name))
    throw bad(`invalid key: ${key}`);
  if (key.includes("\n")) throw bad(`invalid key (newline): ${key}`);
  return { key: section.toLowerCase() + key.slice(first, dot + 1) + name.toLowerCase(), value };
}

function bad(why: string): StorageFsError {
  return new StorageFsError("storage-fs/bad-config", "unable to parse command-line config", {
    cause: new Error(why),
  });
}
