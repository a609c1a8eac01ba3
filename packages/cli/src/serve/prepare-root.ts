import { mkdir, readdir, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CliError } from "../errors.ts";

const DEFAULT_DIRECTORY = "repositories";

/** The directory of repositories; made when it is the usual one. @throws CliError when it is none */
export async function prepareRoot(directory: string | undefined): Promise<string> {
  const root = resolve(directory ?? DEFAULT_DIRECTORY);
  if (directory === undefined) await mkdir(root, { recursive: true });
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new CliError("cli/fatal", `'${directory ?? root}' is not a directory`);
  return root;
}

/** Whether nothing is in a directory. */
export async function isEmpty(directory: string): Promise<boolean> {
  return (await readdir(directory)).length === 0;
}
