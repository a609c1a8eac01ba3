import type { Ref, RefStore } from "@x/refs";
import { createFileRefs } from "../src/file-refs.ts";
import { findRepository, looksBare } from "../src/layout.ts";
import { readRepositoryConfig } from "../src/repository-config.ts";
import { readRepositoryFormat } from "../src/repository-format.ts";

/** The refs of the repository at `directory`, opened as a server would. */
export async function openRefs(directory: string, warnings: string[] = []): Promise<RefStore> {
  const layout = await findRepository(directory);
  if (layout === undefined) throw new Error(`no repository at ${directory}`);
  const config = await readRepositoryConfig(layout);
  const { objectFormat, bare = looksBare(layout) } = readRepositoryFormat(config);
  return createFileRefs({ layout, objectFormat, config, bare, onWarning: (text) => warnings.push(text) });
}

export async function listAll(refs: RefStore, prefixes?: readonly string[]): Promise<Ref[]> {
  const all: Ref[] = [];
  for await (const batch of refs.list({ prefixes })) all.push(...batch);
  return all;
}
