import type { ObjectFormat } from "@x/objects";
import { crc32 } from "@x/objects";
import { RefsError } from "../errors.ts";

/*
 * header  "REFT"  u8 version  u24 block size (0: unaligned)  u64 least, u64 greatest update index  [u32 hash, version 2]
 * blocks  r* (refs)  i* (index of refs)  o* i* (objects)  g* i* (logs)
 * footer  the header again  u64 ref index  u64 objects << 5 | id length  u64 object index  u64 logs  u64 log index
 *         u32 CRC-32 of the footer so far
 * The header is part of the first block. A position is from the start of the file; 0: there is no such section.
 */

const MAGIC = 0x52454654;
const HASHES: ReadonlyMap<number, ObjectFormat> = new Map([
  [0x73686131, "sha1"],
  [0x73323536, "sha256"],
]);

/** What the two ends of a reftable say of what lies between. */
export interface ReftableFrame {
  readonly version: 1 | 2;
  readonly format: ObjectFormat;
  /** Blocks start at multiples of it; 0: one behind the other. Unit: bytes. */
  readonly blockSize: number;
  readonly minUpdateIndex: bigint;
  readonly maxUpdateIndex: bigint;
  /** Where the first block's own bytes start. Unit: bytes. */
  readonly headerLength: number;
  /** Where the footer starts. Unit: bytes. */
  readonly blocksEnd: number;
  /** Where the top level of the index of refs starts; 0: there is none. Unit: bytes. */
  readonly refIndexAt: number;
  /** Where the logs start; 0: at the start of the file, or there are none. Unit: bytes. */
  readonly logsAt: number;
  /** Where the top level of the index of logs starts; 0: there is none. Unit: bytes. */
  readonly logIndexAt: number;
}

/** Length of the longest header, which tells how long the ends are. Unit: bytes. */
export const MAX_REFTABLE_HEADER_BYTES = 28;

/**
 * Length of the footer that belongs to a header. Unit: bytes.
 * @throws RefsError `refs/malformed`
 */
export function reftableFooterLength(header: Uint8Array): 68 | 72 {
  return readHeader(header).version === 1 ? 68 : 72;
}

/**
 * Reads the two ends of a reftable of `size` bytes. Spec: reftable, "Header", "Footer".
 * @throws RefsError `refs/malformed`
 */
export function decodeReftableFrame(header: Uint8Array, footer: Uint8Array, size: number): ReftableFrame {
  const start = readHeader(header);
  const { headerLength } = start;
  const view = viewOf(footer);
  if (footer.length !== headerLength + 44) throw malformedReftable("the footer stops short");
  for (let i = 0; i < headerLength; i++)
    if (header[i] !== footer[i]) throw malformedReftable("header and footer differ");
  if (crc32(footer.subarray(0, -4), 0) !== view.getUint32(footer.length - 4))
    throw malformedReftable("the footer's checksum is wrong");
  const blocksEnd = size - footer.length;
  const placeAt = (index: number) => {
    const place = view.getBigUint64(headerLength + 8 * index);
    if (blocksEnd < headerLength || place > BigInt(blocksEnd))
      throw malformedReftable("the index lies outside the file");
    return Number(place);
  };
  return { ...start, blocksEnd, refIndexAt: placeAt(0), logsAt: placeAt(3), logIndexAt: placeAt(4) };
}

/** @internal */
export function encodeReftableHeader(
  header: Pick<ReftableFrame, "format" | "blockSize" | "minUpdateIndex" | "maxUpdateIndex">,
): Uint8Array {
  const isOld = header.format === "sha1";
  const bytes = new Uint8Array(isOld ? 24 : 28);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  view.setUint32(4, header.blockSize);
  view.setUint8(4, isOld ? 1 : 2);
  view.setBigUint64(8, header.minUpdateIndex);
  view.setBigUint64(16, header.maxUpdateIndex);
  if (!isOld) for (const [code, format] of HASHES) if (format === header.format) view.setUint32(24, code);
  return bytes;
}

type Header = Omit<ReftableFrame, "blocksEnd" | "refIndexAt" | "logsAt" | "logIndexAt">;

function readHeader(bytes: Uint8Array): Header {
  const view = viewOf(bytes);
  if (bytes.length < 24 || view.getUint32(0) !== MAGIC) throw malformedReftable("this is no reftable");
  const version = view.getUint8(4);
  if (version !== 1 && version !== 2) throw malformedReftable(`version ${version} is not known`);
  const headerLength = version === 1 ? 24 : 28;
  if (bytes.length < headerLength) throw malformedReftable("the header stops short");
  const format = version === 1 ? "sha1" : HASHES.get(view.getUint32(24));
  if (format === undefined) throw malformedReftable("its hash is not known");
  return {
    version,
    format,
    blockSize: view.getUint32(4) & 0xffffff,
    minUpdateIndex: view.getBigUint64(8),
    maxUpdateIndex: view.getBigUint64(16),
    headerLength,
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @internal */
export function malformedReftable(reason: string, cause?: unknown): RefsError {
  return new RefsError("refs/malformed", `broken reftable: ${reason}`, { cause });
}
