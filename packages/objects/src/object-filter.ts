import type { ObjectId } from "./object-id.ts";
import type { ObjectType } from "./object-type.ts";

/**
 * Which of the objects that a fetch reaches are left out. What is wanted by its own id is always sent.
 * Spec: git-rev-list, `--filter=<filter-spec>`.
 */
export type ObjectFilter =
  /** No blobs. */
  | { readonly kind: "blob-none" }
  /** No blobs of `limitBytes` or more. */
  | { readonly kind: "blob-limit"; readonly limitBytes: number }
  /** Trees and blobs less than `depth` steps from a root tree; 0: none, 1: root trees alone. */
  | { readonly kind: "tree-depth"; readonly depth: number }
  /** Objects of one type. */
  | { readonly kind: "object-type"; readonly type: ObjectType }
  /** Blobs under the paths that the blob `patterns`, a sparse-checkout file, selects. */
  | { readonly kind: "sparse"; readonly patterns: ObjectId }
  /** What every one of `filters` lets through. */
  | { readonly kind: "combine"; readonly filters: readonly ObjectFilter[] };
