/** @packageDocumentation Git object ids, hashing, commit, tree and tag codecs, and the ports an object store fills. */

export type { Ancestry, DeepenAnswer, DeepenRequest } from "./ancestry.ts";
export type {
  ArchiveEvent,
  ArchiveFormat,
  ArchiveLimits,
  ArchiveQuestions,
  ArchiveRef,
  ArchiveRequest,
  ArchiveSettings,
} from "./archive-request.ts";
export type { AttributeState } from "./attributes/attribute-file.ts";
export { type AttributeSource, Attributes } from "./attributes/attributes.ts";
export {
  type LineEndingSettings,
  type LineEndings,
  lineEndingsOf,
  toBlob,
  toFile,
} from "./attributes/line-endings.ts";
export { type CommitLinks, committerTime, parseCommitLinks } from "./commit.ts";
export { readConfigFile, type VisitSetting } from "./config-file.ts";
export { type Crc32, crc32 } from "./crc32.ts";
export { ObjectsError, type ObjectsErrorCode } from "./errors.ts";
export {
  type DotName,
  GITMODULES,
  isHfsDotName,
  isNtfsDotGit,
  isNtfsDotName,
} from "./fsck/dot-names.ts";
export { type FsckFinding, type FsckSeverity, fsckLines } from "./fsck/finding.ts";
export {
  createFsck,
  type Fsck,
  type FsckLimits,
  type FsckOptions,
  type FsckSubject,
} from "./fsck/fsck.ts";
export { type FsckConfig, type FsckPolicy, parseFsckConfig } from "./fsck/fsck-config.ts";
export { type FsckLevel, type FsckMessageId, fsckLevels, parseFsckMessageId } from "./fsck/message-ids.ts";
export { RawIdTable } from "./fsck/raw-id-table.ts";
export { relaxedFsckSeverities } from "./fsck/relaxed.ts";
export { parseFsckSkipList } from "./fsck/skip-list.ts";
export { type CreateHasher, createHasher, type Hasher, hashObject, objectPreamble } from "./hasher.ts";
export type { ObjectFilter } from "./object-filter.ts";
export {
  hexIdLength,
  isZeroId,
  type ObjectFormat,
  type ObjectId,
  objectIdFromBytes,
  objectIdToBytes,
  parseObjectId,
  rawIdLength,
  zeroId,
} from "./object-id.ts";
export type { Abortable, ObjectHeader, ObjectReader, PeeledObject, StoredObject } from "./object-reader.ts";
export type { AlternateTipsOptions, ObjectStore } from "./object-store.ts";
export { isObjectType, type ObjectType } from "./object-type.ts";
export type {
  CreatePackOptions,
  Lend,
  PackEvent,
  PackLimits,
  PackRequest,
  PackSummary,
  TagCandidate,
} from "./pack-request.ts";
export { foldCase, matchesPath } from "./pattern/matches-path.ts";
export { type Positions, Wildmatch, type WildmatchOptions } from "./pattern/wildmatch.ts";
export type {
  ConnectivityRequest,
  PackReceipt,
  Quarantine,
  ReceivedObject,
  ReceiveFsck,
  ReceiveLimits,
  TakePackOptions,
  UnconnectedOptions,
} from "./quarantine.ts";
export { parseTagTarget, type TagTarget } from "./tag.ts";
export {
  forEachTreeEntry,
  formatTree,
  parseTree,
  type TreeEntry,
  type TreeEntryKind,
  treeEntryKind,
} from "./tree.ts";
