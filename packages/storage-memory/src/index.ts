/** @packageDocumentation Git repositories in memory, filled by code and served. */
export { StorageMemoryError, type StorageMemoryErrorCode } from "./errors.ts";
export { DEFAULT_MEMORY_LIMITS, type MemoryLimits } from "./limits.ts";
export type { MemoryConfig, MemorySetting, MemorySettings } from "./memory-config.ts";
export {
  createMemoryRepository,
  type MemoryRepository,
  type MemoryRepositoryOptions,
} from "./memory-repository.ts";
export type { MemoryTools } from "./memory-tools.ts";
export type { StoredFile } from "./read/file-view.ts";
export { type NamedCall, type RepositoryLookup, repositoriesFrom } from "./repositories-from.ts";
export type { MemoryFiles, StoredBytes, StoredFileName } from "./stored-files.ts";
export type { FileChanges, FileContent } from "./write/file-changes.ts";
export type { Identity } from "./write/identity.ts";
export type { NewCommit, NewTag } from "./write/writer.ts";
