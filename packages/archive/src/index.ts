/** @packageDocumentation tar and zip archives of Git trees, byte for byte as `git archive` makes them. */
export { ArchiveError, type ArchiveErrorCode, archiveErrorCode } from "./errors.ts";
export { type AskRefs, MAX_EXPANDED_BYTES } from "./export-subst.ts";
export { type ArchiveStep, makeArchive } from "./make-archive.ts";
export type { ArchiveSource, ArchiveTools, Gzip } from "./source.ts";
