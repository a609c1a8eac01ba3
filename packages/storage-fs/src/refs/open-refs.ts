import type { RefStore } from "@x/refs";
import type { FileConfig } from "../config/repository-config.ts";
import type { Durability } from "../disk/durability.ts";
import type { SharedAccess } from "../disk/shared-access.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import { createReftableRefs } from "../reftable/reftable-refs.ts";
import type { PeelObjects } from "../reftable/reftable-transaction.ts";
import { layoutAt, type RepositoryLayout } from "../repository/layout.ts";
import type { RepositoryFormat } from "../repository/repository-format.ts";
import { createFileRefs } from "./file-refs.ts";
import type { ScanLooseRefs } from "./loose-refs.ts";
import type { PageCache } from "./page-cache.ts";
import { type RefDirectories, refDirectories } from "./ref-directories.ts";

/** Where refs are remembered; repositories may share it. */
export interface SharedRefMemory {
  /** For reftables. */
  readonly cache: PageCache;
  /** For packed-refs. */
  readonly memory: MemoryBudget;
  /** Looks through loose refs; in the thread that asks when not given. */
  readonly scanLooseRefs?: ScanLooseRefs | undefined;
}

/** What {@link openRefs} works with. */
export interface OpenRefsOptions {
  readonly layout: RepositoryLayout;
  readonly config: FileConfig;
  readonly format: RepositoryFormat;
  readonly durability?: Durability | undefined;
  /** No work tree belongs to the repository. */
  readonly bare: boolean;
  readonly shared: SharedRefMemory;
  /** What others may do with what is made. */
  readonly access?: SharedAccess | undefined;
  /** Another repository's, to be read only: nothing there is cleared up. */
  readonly isForeign?: boolean | undefined;
  /** What tags peel to, for stores that keep it with them. */
  readonly peel?: PeelObjects | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The refs of a repository, whatever keeps them. */
export async function openRefs(options: OpenRefsOptions): Promise<RefStore> {
  const { layout, config, format, durability, bare, onWarning } = options;
  const { cache, memory, scanLooseRefs } = options.shared;
  const { objectFormat, refStorage } = format;
  const directories = await refDirectories(layout, refStorage.path);
  const how = { objectFormat, config, durability, bare, onWarning, access: options.access };
  const refs =
    refStorage.backend === "reftable"
      ? createReftableRefs({ ...how, directories, cache, peel: options.peel })
      : createFileRefs({ ...how, layout: layoutOfRefs(layout, directories), memory, scanLooseRefs });
  if (options.isForeign) return refs;
  // Nobody is to see a half of what was to be done as a whole.
  await refs.recover().catch((error: unknown) => onWarning?.(`refs could not be cleared up: ${error}`));
  return refs;
}

/** Refs that are files may lie apart from the rest. */
function layoutOfRefs(layout: RepositoryLayout, { own, common }: RefDirectories): RepositoryLayout {
  if (own === layout.gitDirectory && common === layout.commonDirectory) return layout;
  const { objectsDirectory, configFile } = layout;
  return { ...layoutAt(own, common), objectsDirectory, configFile };
}
