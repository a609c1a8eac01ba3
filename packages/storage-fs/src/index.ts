/** @packageDocumentation Repositories on disk as C git keeps them, served from worker threads. */
export { type ConfigEntry, parseConfig } from "./config-file.ts";
export type { ConfigScope, ScopedConfigEntry } from "./config-includes.ts";
export { parseConfigBoolean, parseConfigInteger } from "./config-value.ts";
export { createBareRepository, type NewRepositoryOptions } from "./create-repository.ts";
export { StorageFsError, type StorageFsErrorCode } from "./errors.ts";
export { createFileRefs, type FileRefsOptions } from "./file-refs.ts";
export { type GitConfig, type GitConfigSource, readGitConfig } from "./git-config.ts";
export { findRepository, layoutAt, looksBare, type RepositoryLayout, readLayout } from "./layout.ts";
export type { ScanLooseRefs } from "./loose-refs.ts";
export type { LooseScan, LooseScanRequest } from "./loose-scan.ts";
export { MemoryBudget } from "./memory-budget.ts";
export { createFileObjectStore } from "./object-store.ts";
export {
  createRepositoryOpener,
  type FileRepository,
  type OpenRepositoryOptions,
  openRepository,
  type RepositoryOpener,
} from "./open-repository.ts";
export { PageCache } from "./page-cache.ts";
export type { RefDirectories } from "./ref-directories.ts";
export { createReftableRefs, type ReftableRefsOptions } from "./reftable-refs.ts";
export {
  type RepositoriesUnder,
  type RepositoriesUnderOptions,
  repositoriesUnder,
} from "./repositories-under.ts";
export { createFileConfig, type FileConfig, readRepositoryConfig } from "./repository-config.ts";
export { type RefStorage, type RepositoryFormat, readRepositoryFormat } from "./repository-format.ts";
export { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";
export type { StoreLocation } from "./worker-protocol.ts";
export { writeLooseObject } from "./write-loose-object.ts";
