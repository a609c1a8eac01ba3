/** @packageDocumentation Git packs: entries, deltas, indexes, reading, taking in, and making what a fetch needs. */

export { allReach, unreachableCommits } from "./ancestry.ts";
export type { ByteSource } from "./byte-source.ts";
export { CommitTable, MISSING } from "./commit-table.ts";
export type { ExternalBase, FindBase, PackSink } from "./complete-thin-pack.ts";
export { type Crc32, crc32 } from "./crc32.ts";
export { type DeepenSearch, type Depths, findDepths } from "./deepen.ts";
export { applyDelta, type DeltaHeader, decodeDeltaHeader } from "./delta.ts";
export { DeltaBaseCache, type PackedObject } from "./delta-base-cache.ts";
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
} from "./entry-header.ts";
export { type EnumerateRequest, enumerateObjects, type Selection } from "./enumerate.ts";
export { PackError, type PackErrorCode } from "./errors.ts";
export { makePack, type PackTools } from "./make-pack.ts";
export type { HashInto, HashTools } from "./object-hasher.ts";
export { type LooseObjects, ObjectTable } from "./object-table.ts";
export { PackIndex } from "./pack-index.ts";
export { encodePackIndex, encodeReverseIndex, type IndexedObjects } from "./pack-index-writer.ts";
export { type IndexedPack, PackIndexer, type PackIndexerOptions } from "./pack-indexer.ts";
export { PACK_HEADER_BYTES, type PackEntry, PackReader, type PackReaderOptions } from "./pack-reader.ts";
export { createZlibCodec, type Inflater, type ZlibCodec } from "./zlib-codec.ts";
