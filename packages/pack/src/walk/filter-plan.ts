import type { ObjectFilter, ObjectId, ObjectType } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { parseSparsePatterns, type SparsePattern } from "./sparse-patterns.ts";
import { SparsePlaces } from "./sparse-places.ts";

/** A larger file of sparse patterns is refused. Unit: bytes. */
const MAX_PATTERN_FILE_BYTES = 1024 * 1024;

/** An {@link ObjectFilter} as a walk needs it: all its parts taken together. What is wanted by its id it does not concern. */
export interface FilterPlan {
  readonly types: ReadonlySet<ObjectType>;
  /** Trees and blobs less than so many steps from a root tree. */
  readonly depth: number;
  /** Blobs that are shorter. Unit: bytes. */
  readonly blobBytes: number;
  readonly places: SparsePlaces;
}

/** @throws PackError `pack/missing-object`, `pack/malformed`, `pack/limit-exceeded` about the sparse patterns, in C git's words */
export function planFilter(table: ObjectTable, filter: ObjectFilter | undefined): FilterPlan {
  let types: ObjectType[] = ["commit", "tree", "blob", "tag"];
  let depth = Infinity;
  let blobBytes = Infinity;
  const lists: SparsePattern[][] = [];
  for (const part of filter === undefined ? [] : partsOf(filter)) {
    if (part.kind === "blob-none") types = types.filter((type) => type !== "blob");
    else if (part.kind === "object-type") types = types.filter((type) => type === part.type);
    else if (part.kind === "blob-limit") blobBytes = Math.min(blobBytes, part.limitBytes);
    else if (part.kind === "tree-depth") depth = Math.min(depth, part.depth);
    else lists.push(parseSparsePatterns(readPatterns(table, part.patterns)));
  }
  return { types: new Set(types), depth, blobBytes, places: new SparsePlaces(lists) };
}

type SimpleFilter = Exclude<ObjectFilter, { readonly kind: "combine" }>;

function partsOf(filter: ObjectFilter): SimpleFilter[] {
  return filter.kind === "combine" ? filter.filters.flatMap(partsOf) : [filter];
}

function readPatterns(table: ObjectTable, id: ObjectId): Uint8Array {
  const number = table.findId(id);
  if (number < 0)
    throw new PackError("pack/missing-object", `unable to access sparse blob in '${id}'`, { id });
  const { type, size } = table.header(number);
  if (type !== "blob")
    throw new PackError("pack/malformed", `unable to parse sparse filter data in ${id}`, { id });
  if (size > MAX_PATTERN_FILE_BYTES)
    throw new PackError(
      "pack/limit-exceeded",
      `sparse filter data in ${id} has ${size} bytes, maxSparsePatternBytes is ${MAX_PATTERN_FILE_BYTES}`,
      { id },
    );
  return table.read(number).data;
}
