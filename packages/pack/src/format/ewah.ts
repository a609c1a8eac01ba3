import { PackError } from "../errors.ts";
import type { BitSet } from "./bit-set.ts";

/*
 *   u32 bits, u32 n, n × u64 word, u32 place of the last run word
 *
 * Words come in groups: a run word, then as many literal words as it says.
 *   run word: bit 0 the bit that is repeated, bits 1-32 for how many words, bits 33-63 how many literals follow
 *
 * Big-endian; within a word the lowest bit comes first. Spec: gitformat-bitmap, appendix A.
 */

/** Bytes before the words, and after them. */
export const EWAH_HEAD_BYTES = 8;
const EWAH_TAIL_BYTES = 4;

/** How long a compressed bitmap is that starts with the {@link EWAH_HEAD_BYTES} in `head`. Unit: bytes. */
export function ewahLength(head: DataView, at = 0): number {
  return EWAH_HEAD_BYTES + head.getUint32(at + 4) * 8 + EWAH_TAIL_BYTES;
}

/**
 * Flips in `into` the bits of the compressed bitmap that `bytes` holds, from its head to its tail.
 * @throws PackError `pack/bad-index` when it has bits beyond `into`, or its groups do not fit its length
 */
export function flipEwah(bytes: Uint8Array, into: BitSet): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { words } = into;
  if (bytes.length < EWAH_HEAD_BYTES || ewahLength(view) !== bytes.length) throw bad("stops short");
  const end = bytes.length - EWAH_TAIL_BYTES;
  let word = 0; // of 32 bits, in `words`
  for (let at = EWAH_HEAD_BYTES; at < end; ) {
    const high = view.getUint32(at);
    const low = view.getUint32(at + 4);
    at += 8;
    const runEnd = word + 2 * ((low >>> 1) + (high & 1) * 0x80000000);
    const literals = high >>> 1;
    if (runEnd + 2 * literals > words.length) throw bad("has bits for more objects than there are");
    if (at + 8 * literals > end) throw bad("stops short");
    if (low & 1) for (; word < runEnd; word++) words[word] = ~(words[word] as number);
    word = runEnd;
    for (const literalsEnd = runEnd + 2 * literals; word < literalsEnd; word += 2, at += 8) {
      words[word] = (words[word] as number) ^ view.getUint32(at + 4);
      words[word + 1] = (words[word + 1] as number) ^ view.getUint32(at);
    }
  }
}

function bad(what: string): PackError {
  return new PackError("pack/bad-index", `a compressed bitmap ${what}`);
}
