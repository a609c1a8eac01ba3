import type { ArchiveFormat } from "@x/objects";
import { configBoolean } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";
import { refused } from "../session.ts";

interface Format {
  readonly format: ArchiveFormat;
  readonly hasLevels: boolean;
  /** The setting that may switch it off. */
  readonly setting?: string;
}

/** By the names that clients use, in the order in which they are listed. */
const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ["tar", { format: "tar", hasLevels: false }],
  ["tgz", { format: "tar.gz", hasLevels: true, setting: "tar.tgz.remote" }],
  ["tar.gz", { format: "tar.gz", hasLevels: true, setting: "tar.tar.gz.remote" }],
  ["zip", { format: "zip", hasLevels: true }],
]);

/** The formats that a client may have, by name. Spec: git-config, `tar.<format>.remote` */
export function archiveFormats(config: RepositoryConfig): readonly string[] {
  return [...FORMATS].filter(([, format]) => isOn(format, config)).map(([name]) => name);
}

/**
 * The format of a name, at a level.
 * @throws ServiceError `server-core/refused`. Spec: git-archive, "BACKEND EXTRA OPTIONS"
 */
export function archiveFormat(
  config: RepositoryConfig,
  name: string,
  level: number | undefined,
): ArchiveFormat {
  const format = FORMATS.get(name);
  if (format === undefined || !isOn(format, config)) throw refused(`Unknown archive format '${name}'`);
  if (level !== undefined && (!format.hasLevels || level > 9))
    throw refused(`Argument not supported for format '${name}': -${level}`);
  return format.format;
}

function isOn({ setting }: Format, config: RepositoryConfig): boolean {
  return setting === undefined || configBoolean(config, setting) !== false;
}
