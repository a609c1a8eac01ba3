/** @packageDocumentation Git ref names, packed-refs and loose-ref codecs, and the port a ref store fills. */
export { byteStringFromBytes, bytesFromByteString } from "./byte-string.ts";
export { CalledOff, RefPhases } from "./change/ref-phases.ts";
export { checkEdits, inRounds } from "./change/ref-rounds.ts";
export {
  type CurrentRef,
  conflicting,
  conflictsAmong,
  type RejectedRef,
  refusalByValue,
  rejected,
  rejectedByValue,
} from "./change/ref-verdict.ts";
export { stagedChange } from "./change/staged-change.ts";
export { RefsError, type RefsErrorCode } from "./errors.ts";
export { formatLooseRef, parseLooseRef } from "./loose-ref.ts";
export {
  emptyPackedRefs,
  PackedRefs,
  type PackedRefsTraits,
  parsePackedRefs,
  parsePackedRefsInSteps,
} from "./packed-refs.ts";
export { formatPackedRefs, packedRefsWithout } from "./packed-refs-writer.ts";
export {
  isRootRefName,
  isSafeRefName,
  isSymbolicTarget,
  isValidRefName,
  parentRefNames,
} from "./ref-name.ts";
export type {
  Ref,
  RefChangePhase,
  RefEdit,
  ReflogEntry,
  RefOutcome,
  RefRejection,
  RefStore,
  RefTarget,
  StagedRefChange,
  TransactOptions,
} from "./ref-store.ts";
export {
  MAX_REFTABLE_BLOCK_BYTES,
  MAX_REFTABLE_NAME_BYTES,
  type ReftableRecord,
} from "./reftable/reftable-block.ts";
export {
  logFromReftables,
  mergeReftables,
  type ReftableMerge,
  type ReftableSegment,
  reftableSegment,
} from "./reftable/reftable-compaction.ts";
export type { ReftableFrame } from "./reftable/reftable-frame.ts";
export {
  decodeReftableLogValue,
  encodeReftableLogValue,
  type ReftableLog,
  type ReftableLogValue,
} from "./reftable/reftable-log.ts";
export {
  getFromReftables,
  listReftables,
  parseTablesList,
  type ReftableListing,
} from "./reftable/reftable-stack.ts";
export {
  type ReftableCursor,
  type ReftableLogCursor,
  type ReftableSource,
  ReftableTable,
} from "./reftable/reftable-table.ts";
export {
  DEFAULT_REFTABLE_BLOCK_BYTES,
  fitsReftable,
  type ReftableShapeOptions,
  ReftableWriter,
  type ReftableWriterOptions,
} from "./reftable/reftable-writer.ts";
export type { ReftableZlib } from "./reftable/reftable-zlib.ts";
export { MAX_SYMBOLIC_DEPTH, type ResolvedRef, resolveRef } from "./resolve.ts";
export {
  compareNames,
  type IndexRange,
  indexOfName,
  lowerBound,
  minimalPrefixes,
  prefixesReach,
  type SortedNames,
  selectPrefixes,
  startsWithAny,
} from "./sorted-names.ts";
export { isStorableRefName, type RefPlace, refPlace } from "./worktree-ref.ts";
