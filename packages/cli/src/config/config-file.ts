import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { parse, TomlError } from "smol-toml";
import { CliError } from "../errors.ts";

/** A config file is not longer. Unit: bytes. */
const MAX_BYTES = 1024 * 1024;

/**
 * What a config file says, by dotted keys: `http.port`. JSON when its name ends in `.json`, else TOML.
 * @throws CliError `cli/fatal` that names the file, and the place where it can
 */
export async function readConfigFile(
  file: string,
  isKey: (key: string) => boolean,
): Promise<Map<string, unknown>> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (cause) {
    throw new CliError("cli/fatal", `${file}: ${cause instanceof Error ? cause.message : "cannot be read"}`, {
      cause,
    });
  }
  if (content.length > MAX_BYTES)
    throw new CliError("cli/fatal", `${file}: it is longer than ${MAX_BYTES} bytes`);
  const found = new Map<string, unknown>();
  collect(parsed(file, content.toString("utf8")), "", isKey, found);
  return found;
}

function parsed(file: string, text: string): object {
  const isJson = extname(file) === ".json";
  let value: unknown;
  try {
    value = isJson ? JSON.parse(text) : parse(text);
  } catch (cause) {
    const at = cause instanceof TomlError ? `${file}:${cause.line}:${cause.column}` : file;
    // What follows the first line is a picture of the place.
    const [why = "not understood"] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new CliError("cli/fatal", `${at}: not ${isJson ? "JSON" : "TOML"}: ${why}`, { cause });
  }
  if (!isTable(value)) throw new CliError("cli/fatal", `${file}: expected an object of settings`);
  return value;
}

function collect(
  table: object,
  prefix: string,
  isKey: (key: string) => boolean,
  found: Map<string, unknown>,
): void {
  for (const [name, value] of Object.entries(table) as [string, unknown][]) {
    const key = prefix + name;
    if (isTable(value) && !isKey(key)) collect(value, `${key}.`, isKey, found);
    else found.set(key, value);
  }
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
