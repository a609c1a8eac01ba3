/** @packageDocumentation Git packs: entries, deltas, indexes, reading, taking in, and making what a fetch needs. */

export { type Positions, Wildmatch } from "@x/objects";
export {
  type AncestryQuestion,
  askAllReach,
  askDeepen,
  askIsAncestor,
  askUnreachable,
  type FindLost,
  storedNumbers,
} from "./ask/ask-ancestry.ts";
export { askHas, askHeaders, askPeel, askRead } from "./ask/ask-objects.ts";
export { type ArrivedPack, type ArrivedTips, connectsAtOnce } from "./ask/connects-at-once.ts";
export { FsckWatch } from "./ask/fsck-watch.ts";
export { hexOf } from "./ask/hex-of.ts";
export { listReceived, type PackRow } from "./ask/list-received.ts";
export { objectsErrorCode } from "./ask/objects-error-code.ts";
export type { Pace } from "./ask/pace.ts";
export { askUnconnected, type ReceivedPack, type UnconnectedQuestion } from "./ask/unconnected.ts";
export { PackError, type PackErrorCode } from "./errors.ts";
export type { ByteSource } from "./format/byte-source.ts";
export { applyDelta, type DeltaHeader, decodeDeltaHeader } from "./format/delta.ts";
export {
  decodeEntryHeader,
  ENTRY_BLOB,
  ENTRY_COMMIT,
  ENTRY_OFS_DELTA,
  ENTRY_REF_DELTA,
  ENTRY_TAG,
  ENTRY_TREE,
  type EntryHeader,
  encodeBaseDistance,
  encodeEntryHeader,
  entryObjectType,
  MAX_ENTRY_HEADER_BYTES,
  objectEntryType,
} from "./format/entry-header.ts";
export { PackIndex } from "./format/pack-index.ts";
export { encodePackIndex, encodeReverseIndex, type IndexedObjects } from "./format/pack-index-writer.ts";
export { createZlibCodec, type Inflater, type ZlibCodec } from "./format/zlib-codec.ts";
export { makeEmptyPack } from "./make/empty-pack.ts";
export { makePack, type PackTools } from "./make/make-pack.ts";
export { soughtAnswer } from "./make/recall.ts";
export { CommitGraph } from "./read/commit-graph.ts";
export { DeltaBaseCache, type PackedObject } from "./read/delta-base-cache.ts";
export { type LooseObjects, ObjectTable } from "./read/object-table.ts";
export type { BitmapFile } from "./read/pack-bitmaps.ts";
export { PACK_HEADER_BYTES, type PackEntry, PackReader, type PackReaderOptions } from "./read/pack-reader.ts";
export { readHeld, spillObject } from "./read/spill-object.ts";
export { type Spill, SpillRoom, type SpillRoomOptions, type SpillStore } from "./read/spill-room.ts";
export { type Comparison, compareExisting } from "./take/compare-existing.ts";
export type { ExternalBase, FindBase, LargeBase, PackSink } from "./take/complete-thin-pack.ts";
export { cpuAllowance } from "./take/cpu-allowance.ts";
export type { HashInto, HashTools } from "./take/object-hasher.ts";
export type { InspectedObject, InspectObject } from "./take/object-inspector.ts";
export { type IndexedPack, PackIndexer, type PackIndexerOptions } from "./take/pack-indexer.ts";
export { type OuterReferences, referenceBit } from "./take/reference-gatherer.ts";
export { allReach, unreachableCommits, withParents } from "./walk/ancestry.ts";
export { CommitTable, MISSING } from "./walk/commit-table.ts";
export { type ReferenceCheck, referencesConnect } from "./walk/connected-references.ts";
export { type DeepenSearch, type Depths, findDepths } from "./walk/deepen.ts";
export { type EnumerateRequest, enumerateObjects } from "./walk/enumerate.ts";
export { ReachableObjects } from "./walk/reachable-objects.ts";
export type { Selection } from "./walk/selection.ts";
