/** @packageDocumentation Repositories on disk as C git keeps them, served from worker threads. */
export { type ConfigEntry, parseConfig } from "./config/config-file.ts";
export type { ConfigScope, ScopedConfigEntry } from "./config/config-includes.ts";
export { parseConfigBoolean, parseConfigInteger } from "./config/config-value.ts";
export {
  type GitConfig,
  type GitConfigSource,
  readGitConfig,
  readProtectedConfig,
} from "./config/git-config.ts";
export { createFileConfig, type FileConfig, readRepositoryConfig } from "./config/repository-config.ts";
export { createBareRepository, type NewRepositoryOptions } from "./create-repository.ts";
export type { Durability } from "./durability.ts";
export { StorageFsError, type StorageFsErrorCode } from "./errors.ts";
export { findRepository, layoutAt, looksBare, type RepositoryLayout, readLayout } from "./layout.ts";
export { MemoryBudget } from "./memory-budget.ts";
export { createFileObjectStore } from "./object-store.ts";
export {
  createRepositoryOpener,
  type FileRepository,
  type OpenRepositoryOptions,
  openRepository,
  type RepositoryOpener,
} from "./open-repository.ts";
export { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./pool/worker-pool.ts";
export type { StoreLocation } from "./pool/worker-protocol.ts";
export { createFileRefs, type FileRefsOptions } from "./refs/file-refs.ts";
export type { ScanLooseRefs } from "./refs/loose-refs.ts";
export type { LooseScan, LooseScanRequest } from "./refs/loose-scan.ts";
export { PageCache } from "./refs/page-cache.ts";
export type { RefDirectories } from "./refs/ref-directories.ts";
export { createReftableRefs, type ReftableRefs, type ReftableRefsOptions } from "./refs/reftable-refs.ts";
export {
  type RepositoriesUnder,
  type RepositoriesUnderOptions,
  repositoriesUnder,
} from "./repositories-under.ts";
export { type RefStorage, type RepositoryFormat, readRepositoryFormat } from "./repository-format.ts";
export type { FileWorkTree } from "./work-tree/list-work-trees.ts";
export {
  createWorkTreeUpdate,
  type WorkTreePlace,
  type WorkTreeUpdate,
  type WorkTreeUpdateOptions,
} from "./work-tree/work-tree.ts";
export { writeLooseObject } from "./write-loose-object.ts";
