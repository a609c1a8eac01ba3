import { readConfigFile } from "@x/objects";
import { StorageFsError } from "../errors.ts";

/** One setting, in the order of the file. Texts are byte-exact: one character for each byte. */
export interface ConfigEntry {
  /** `section.name` or `section.subsection.name`, or `name` before the first section; section and name in lower case, the subsection as written. */
  readonly key: string;
  /** `undefined` for a name alone, which as a boolean is true. */
  readonly value: string | undefined;
}

/**
 * Reads a config file. Includes are entries like others: nothing is followed. A NUL is refused: C git's texts end there.
 * Spec: git-config, "CONFIGURATION FILE", "Syntax".
 * @throws StorageFsError `storage-fs/bad-config`, with the line's number
 */
export function parseConfig(file: Uint8Array): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  const badLine = readConfigFile(file, (section, name, value) => {
    if (section?.includes("\0") === true || value?.includes("\0") === true) return false;
    entries.push({ key: section === undefined ? name : `${section}.${name}`, value });
    return true;
  });
  if (badLine !== undefined) throw new StorageFsError("storage-fs/bad-config", `bad config line ${badLine}`);
  return entries;
}
