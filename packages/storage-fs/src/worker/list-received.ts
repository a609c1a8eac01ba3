import type { ObjectType } from "@x/objects";
import { entryObjectType, type ObjectTable, objectEntryType, PackError, type PackReader } from "@x/pack";
import { encodeReceived } from "../quarantine/received-objects.ts";

/** Objects in one event. */
const BATCH = 1024;

/**
 * The first `count` objects of the pack with this checksum (hex) in the order of the pack, as `encodeReceived` has them.
 * Remembers a byte for each object, so that no chain of deltas is followed twice.
 * @throws PackError `pack/missing-object` when there is no such pack
 */
export function* listReceived(
  { packs, format }: ObjectTable,
  packChecksum: string,
  count: number,
): Generator<Uint8Array, void> {
  const pack = packs.find(({ index }) => hex(index.packChecksum) === packChecksum);
  if (pack === undefined) throw new PackError("pack/missing-object", `pack ${packChecksum} is gone`);
  const { index } = pack;
  const order = index.order;
  const kinds = new Uint8Array(Math.min(count, order.length));
  let batch: { rawId: Uint8Array; type: ObjectType; size: number }[] = [];
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
    yield encodeReceived(batch, format);
    batch = [];
  }
  if (batch.length > 0) yield encodeReceived(batch, format);
}

/** A delta has its base's type; that of a base that stands before it is known. */
function kindOf(pack: PackReader, kinds: Uint8Array, offset: number): number {
  const { type, baseOffset } = pack.entry(offset);
  if (baseOffset < 0) return type;
  const known = kinds[pack.index.rankOfOffset(baseOffset)];
  return known !== undefined && known > 0 ? known : objectEntryType(pack.header(offset).type);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
