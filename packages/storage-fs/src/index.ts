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
export type { Durability } from "./disk/durability.ts";
export { StorageFsError, type StorageFsErrorCode } from "./errors.ts";
export { MemoryBudget } from "./memory-budget.ts";
export { createFileObjectStore } from "./object-store.ts";
export { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./pool/worker-pool.ts";
export type { StoreLocation } from "./pool/worker-protocol.ts";
export { writeLooseObject } from "./quarantine/write-loose-object.ts";
export { createFileRefs, type FileRefsOptions } from "./refs/file-refs.ts";
export type { ScanLooseRefs } from "./refs/loose-refs.ts";
export type { LooseScan, LooseScanRequest } from "./refs/loose-scan.ts";
export { PageCache } from "./refs/page-cache.ts";
export type { RefDirectories } from "./refs/ref-directories.ts";
export {
  createReftableRefs,
  type ReftableRefs,
  type ReftableRefsOptions,
} from "./reftable/reftable-refs.ts";
export { containedLayout } from "./repository/containment.ts";
export { createBareRepository, type NewRepositoryOptions } from "./repository/create-repository.ts";
export {
  type ExportedRepositories,
  type ExportedRepositoriesOptions,
  type ExportFinding,
  type ExportRequest,
  exportedRepositories,
  type HostNames,
} from "./repository/exported-repositories.ts";
export { sanitizeHost } from "./repository/interpolate-path.ts";
export {
  findRepository,
  layoutAt,
  looksBare,
  type RepositoryLayout,
  readLayout,
} from "./repository/layout.ts";
export {
  createRepositoryOpener,
  type FileRepository,
  type OpenRepositoryOptions,
  openRepository,
  type RepositoryOpener,
} from "./repository/open-repository.ts";
export {
  type RepositoriesUnder,
  type RepositoriesUnderOptions,
  repositoriesUnder,
} from "./repository/repositories-under.ts";
export {
  type RefStorage,
  type RepositoryFormat,
  readRepositoryFormat,
} from "./repository/repository-format.ts";
export type { StoredFile, StoredFileName, StoredFiles } from "./repository/stored-files.ts";
export { findSystemUser, type SystemUser } from "./repository/system-user.ts";
export type { FileWorkTree } from "./work-tree/list-work-trees.ts";
export {
  createWorkTreeUpdate,
  type WorkTreePlace,
  type WorkTreeUpdate,
  type WorkTreeUpdateOptions,
} from "./work-tree/work-tree.ts";
