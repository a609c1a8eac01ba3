import type { ArchiveFormat } from "@x/objects";
import { configBoolean } from "../config-value.ts";
import type { ArchiveFilter, Repository } from "../ports.ts";
import { refused } from "../session.ts";

/** A format by the name that clients use. */
export interface KnownFormat {
  readonly name: string;
  /** What the store makes. */
  readonly format: ArchiveFormat;
  readonly maxLevel: number;
  /** What becomes of that. */
  readonly run?: ArchiveFilter["run"];
}

const TAR: KnownFormat = { name: "tar", format: "tar", maxLevel: -1 };
const ZIP: KnownFormat = { name: "zip", format: "zip", maxLevel: 9 };

/** What git has made of tar files from the start. */
const USUAL: readonly ArchiveFilter[] = ["tgz", "tar.gz"].map((name) => ({ name, remote: true }));

type Formats = Pick<Repository, "config" | "archiveFilters">;

/** The formats that a client may have, in git's order. Spec: git-config, `tar.<format>.remote` */
export function archiveFormats({ config, archiveFilters = [] }: Formats): readonly KnownFormat[] {
  const filters = new Map([...USUAL, ...archiveFilters].map((filter) => [filter.name, filter]));
  const offered = [...filters.values()].filter(
    ({ name, remote }) => remote && configBoolean(config, `tar.${name}.remote`) !== false,
  );
  return [TAR, ...offered.map(toFormat), ZIP];
}

function toFormat({ name, run }: ArchiveFilter): KnownFormat {
  if (run === undefined) return { name, format: "tar.gz", maxLevel: 9 };
  // Whatever the program knows.
  return { name, format: "tar", maxLevel: Number.POSITIVE_INFINITY, run };
}

/**
 * The format of a name, at a level.
 * @throws ServiceError `server-core/refused`. Spec: git-archive, "BACKEND EXTRA OPTIONS"
 */
export function archiveFormat(repository: Formats, name: string, level: number | undefined): KnownFormat {
  const format = archiveFormats(repository).find((known) => known.name === name);
  if (format === undefined) throw refused(`Unknown archive format '${name}'`);
  if (level !== undefined && level > format.maxLevel)
    throw refused(`Argument not supported for format '${name}': -${level}`);
  return format;
}
