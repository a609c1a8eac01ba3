import { type ArchiveFilter, configBoolean } from "@x/server-core";
import type { FileConfig } from "@x/storage-fs";

/** Where the programs run. */
export interface FilterPlace {
  /** `$GIT_DIR` */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What C git calls its own gzip. */
const OWN_GZIP = "git archive gzip";

/** Formats that have a command and may be had without anybody's leave. */
const USUAL = ["tgz", "tar.gz"];

/**
 * The formats of archives that the operator has made out of programs.
 * @param protectedConfig settings that the repository's owner cannot make
 * Spec: git-config, `tar.<format>.command`, `tar.<format>.remote`
 */
export function archiveFilters(protectedConfig: FileConfig, place: FilterPlace): readonly ArchiveFilter[] {
  const commands = new Map<string, string>();
  const remotes = new Map<string, boolean>();
  for (const { key, value } of protectedConfig.entries("tar.")) {
    const [, name, variable] = /^tar\.(.*)\.(command|remote)$/s.exec(key) ?? [];
    if (name === undefined) continue;
    if (variable === "remote") remotes.set(name, configBoolean({ get: () => value ?? "true" }, key) === true);
    else if (value !== undefined) commands.set(name, value);
  }
  for (const name of USUAL) if (remotes.has(name) && !commands.has(name)) commands.set(name, OWN_GZIP);
  return [...commands].map(([name, command]) => {
    const remote = remotes.get(name) ?? USUAL.includes(name);
    return { name, remote, run: command === OWN_GZIP ? undefined : runnerOf(command, place) };
  });
}

/** Most archives are spared the code. */
function runnerOf(command: string, place: FilterPlace): ArchiveFilter["run"] {
  return async function* run(tar, options) {
    const { runFilter } = await import("./run-filter.ts");
    yield* runFilter({ command, ...place }, tar, options);
  };
}
