import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { ownProcessName } from "../src/journal/process-name.ts";

/** The name of a process that has ended. */
export async function deadProcessName(): Promise<string> {
  const { pid } = spawnSync("true");
  return withField(await ownProcessName(), "pid", String(pid));
}

/** `name` with one of its fields replaced. */
export function withField(
  name: string,
  field: "machine" | "boot" | "namespace" | "pid" | "start",
  value: string,
): string {
  const fields = name.split(".");
  fields[["machine", "boot", "namespace", "pid", "start"].indexOf(field)] = value;
  return fields.join(".");
}

/** What is in the journal of a repository. */
export function journalOf(gitDirectory: string): string[] {
  const directory = `${gitDirectory}/xgit-journal`;
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** Makes everything in the journal that of `owner`. */
export function handOver(gitDirectory: string, owner: string): void {
  const directory = `${gitDirectory}/xgit-journal`;
  for (const name of journalOf(gitDirectory))
    renameSync(`${directory}/${name}`, `${directory}/${owner}${name.slice(name.indexOf("-"))}`);
}
