import type { ObjectType } from "@x/objects";
import { PackError } from "../errors.ts";
import { entryObjectType, objectEntryType } from "../format/entry-header.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { PackReader } from "../read/pack-reader.ts";
import { hexOf } from "./hex-of.ts";

/** Objects between two breaths. */
const BATCH = 1024;

/** An object of a pack. */
export interface PackRow {
  /** A view. */
  readonly rawId: Uint8Array;
  readonly type: ObjectType;
  /** Unit: bytes, inflated. */
  readonly size: number;
}

/**
 * The first `count` objects of the pack with this checksum (hex) in the order of the pack, in batches.
 * Remembers a byte for each object, so that no chain of deltas is followed twice.
 * @throws PackError `pack/missing-object` when there is no such pack
 */
export function* listReceived(
  { packs }: Pick<ObjectTable, "packs">,
  packChecksum: string,
  count: number,
): Generator<readonly PackRow[], void> {
  const pack = packs.find(({ index }) => hexOf(index.packChecksum) === packChecksum);
  if (pack === undefined) throw new PackError("pack/missing-object", `pack ${packChecksum} is gone`);
  const { index } = pack;
  const order = index.order;
  const kinds = new Uint8Array(Math.min(count, order.length));
  let batch: PackRow[] = [];
  for (let rank = 0; rank < kinds.length; rank++) {
    const position = order[rank] as number;
    const offset = index.offset(position);
    const kind = kindOf(pack, kinds, offset);
    kinds[rank] = kind;
    batch.push({
      rawId: index.rawId(position),
      type: entryObjectType(kind) as ObjectType,
      size: pack.size(offset),
    });
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** A delta has its base's type; that of a base that stands before it is known. */
function kindOf(pack: PackReader, kinds: Uint8Array, offset: number): number {
  const { type, baseOffset } = pack.entry(offset);
  if (baseOffset < 0) return type;
  const known = kinds[pack.index.rankOfOffset(baseOffset)];
  return known !== undefined && known > 0 ? known : objectEntryType(pack.header(offset).type);
}
