import type { Ref, RefStore } from "@x/refs";
import { readRepositoryConfig } from "../src/config/repository-config.ts";
import { MemoryBudget } from "../src/memory-budget.ts";
import { openRefs as openRefStore } from "../src/refs/open-refs.ts";
import { PageCache } from "../src/refs/page-cache.ts";
import { findRepository, looksBare } from "../src/repository/layout.ts";
import { readRepositoryFormat } from "../src/repository/repository-format.ts";

/** The refs of the repository at `directory`, opened as a server would. */
export async function openRefs(directory: string, warnings: string[] = []): Promise<RefStore> {
  const layout = await findRepository(directory);
  if (layout === undefined) throw new Error(`no repository at ${directory}`);
  const config = await readRepositoryConfig(layout);
  const format = readRepositoryFormat(config);
  const bare = format.bare ?? looksBare(layout);
  const shared = { cache: new PageCache(1 << 20), memory: new MemoryBudget(1 << 20) };
  return openRefStore({ layout, config, format, bare, shared, onWarning: (text) => warnings.push(text) });
}

export async function listAll(refs: RefStore, prefixes?: readonly string[]): Promise<Ref[]> {
  const all: Ref[] = [];
  for await (const batch of refs.list({ prefixes })) all.push(...batch);
  return all;
}
