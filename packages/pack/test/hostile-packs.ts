import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import {
  appending,
  bytesOf,
  concat,
  copy,
  delta,
  entryHead,
  insert,
  noise,
  ofsDelta,
  packOf,
  rawId,
  refDelta,
  whole,
} from "./pack-builder.ts";

/** A pack that a peer might send, and what is to become of it. */
export interface HostilePack {
  readonly name: string;
  readonly pack: Uint8Array;
  /** `"accepted"`, or the code of the refusal. */
  readonly verdict: string;
  /** Part of the message, where it is to be C git's. */
  readonly message?: string;
  /** Where we mean to differ from `git index-pack --strict`: what git does. */
  readonly git?: "accepts" | "refuses";
}

const data = bytesOf("base object, long enough to copy from\n");
const size = data.length;
const id = rawId(data);
const base = whole("blob", data);
const suffix = bytesOf("and more\n");
const append = appending(size, suffix);
const stream = deflateSync(data);
const head = entryHead(3, size);
const broken = (bytes: Uint8Array, at: number): Uint8Array => {
  const copied = Uint8Array.from(bytes);
  const index = at < 0 ? bytes.length + at : at;
  copied[index] = (copied[index] as number) ^ 0x55;
  return copied;
};
const withDelta = (bytes: Uint8Array): Uint8Array => packOf([base, ofsDelta(base.length, bytes)]);
const big = whole("blob", new Uint8Array(200));
const withStream = (bytes: Uint8Array, declared = size): Uint8Array =>
  packOf([concat(entryHead(3, declared), bytes)]);
const inline = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));

function cycle(length: number): Uint8Array {
  const ids = Array.from({ length }, (_, i) => noise(20, i + 1));
  return packOf(ids.map((_, i) => refDelta(ids[(i + 1) % length] as Uint8Array, append)));
}

/** Every row of the table of packs that were tried on C git, and what it left out. */
export const HOSTILE_PACKS: readonly HostilePack[] = [
  { name: "one blob", pack: packOf([base]), verdict: "accepted" },
  { name: "no objects", pack: packOf([]), verdict: "accepted" },
  { name: "an empty blob", pack: packOf([whole("blob", new Uint8Array(0))]), verdict: "accepted" },
  { name: "a REF_DELTA", pack: packOf([base, refDelta(id, append)]), verdict: "accepted" },
  { name: "a REF_DELTA before its base", pack: packOf([refDelta(id, append), base]), verdict: "accepted" },
  { name: "an OFS_DELTA", pack: withDelta(append), verdict: "accepted" },
  { name: "version 3", pack: packOf([base], { version: 3 }), verdict: "accepted" },
  {
    name: "wrong signature",
    pack: packOf([base], { signature: "PACQ" }),
    verdict: "pack/malformed",
    message: "protocol error (pack signature mismatch detected)",
  },
  {
    name: "version 1",
    pack: packOf([base], { version: 1 }),
    verdict: "pack/malformed",
    message: "protocol error (pack version unsupported)",
  },
  { name: "version 4", pack: packOf([base], { version: 4 }), verdict: "pack/malformed" },
  { name: "count too high by 1", pack: packOf([base], { count: 2 }), verdict: "pack/malformed" },
  {
    name: "count too low by 1",
    pack: packOf([base, whole("blob", suffix)], { count: 1 }),
    verdict: "pack/bad-checksum",
    message: "pack is corrupted (SHA1 mismatch)",
  },
  { name: "count 2^32 - 1", pack: packOf([base], { count: 0xffffffff }), verdict: "pack/malformed" },
  { name: "count 10^8", pack: packOf([base], { count: 1e8 }), verdict: "pack/malformed" },
  {
    name: "nothing but a header of 2^32 - 1",
    pack: packOf([], { count: 0xffffffff, trailer: new Uint8Array(0) }),
    verdict: "pack/truncated",
    message: "early EOF",
  },
  {
    name: "an empty stream",
    pack: new Uint8Array(0),
    verdict: "pack/truncated",
    message: "eof before pack header was fully read",
  },
  { name: "wrong trailer", pack: packOf([base], { trailer: noise(20) }), verdict: "pack/bad-checksum" },
  {
    name: "no trailer",
    pack: packOf([base], { trailer: new Uint8Array(0) }),
    verdict: "pack/truncated",
    message: "early EOF",
  },
  { name: "short trailer", pack: packOf([base]).subarray(0, -1), verdict: "pack/truncated" },
  {
    name: "4 bytes after the trailer",
    pack: packOf([base], { after: bytesOf("junk") }),
    verdict: "accepted",
    git: "refuses",
  },
  {
    name: "declared size + 1",
    pack: withStream(stream, size + 1),
    verdict: "pack/bad-zlib",
    message: "inflate returned 1",
  },
  {
    name: "declared size - 1",
    pack: withStream(stream, size - 1),
    verdict: "pack/bad-zlib",
    message: "inflate returned -5",
  },
  { name: "declared size 2^40", pack: withStream(stream, 2 ** 40), verdict: "pack/bad-zlib" },
  {
    name: "size varint overflow",
    pack: packOf([concat(Uint8Array.of(0xb0, ...new Uint8Array(12).fill(0xff), 1), stream)]),
    verdict: "pack/malformed",
  },
  {
    name: "wrong adler",
    pack: withStream(broken(stream, -1)),
    verdict: "pack/bad-zlib",
    message: "inflate returned -3",
  },
  { name: "no adler", pack: withStream(stream.subarray(0, -4)), verdict: "pack/bad-zlib" },
  { name: "bad zlib header", pack: withStream(broken(stream, 0)), verdict: "pack/bad-zlib" },
  { name: "raw deflate", pack: withStream(deflateRawSync(data)), verdict: "pack/bad-zlib" },
  { name: "gzip wrapper", pack: withStream(gzipSync(data)), verdict: "pack/bad-zlib" },
  {
    name: "3 zero bytes between objects",
    pack: packOf([concat(base, new Uint8Array(3)), whole("blob", suffix)]),
    verdict: "pack/malformed",
    message: "unknown object type 0",
  },
  {
    name: "preset dictionary",
    pack: withStream(deflateSync(data, { dictionary: Buffer.from("long enough") })),
    verdict: "pack/bad-zlib",
  },
  {
    name: "type 0",
    pack: packOf([concat(entryHead(0, size), stream)]),
    verdict: "pack/malformed",
    message: "unknown object type 0",
  },
  {
    name: "type 5",
    pack: packOf([concat(entryHead(5, size), stream)]),
    verdict: "pack/malformed",
    message: "unknown object type 5",
  },
  {
    name: "OFS_DELTA on itself",
    pack: packOf([base, ofsDelta(0, append)]),
    verdict: "pack/malformed",
    message: "delta base offset is out of bound",
  },
  {
    name: "OFS_DELTA on itself, as found",
    pack: inline("UEFDSwAAAAIAAAACsAR4nHN0pAwAABB+EEFmAHicc2BmrqisAgAEdQGy+zdr5EvXTUDx3uq/MPOl+28z2Rc="),
    verdict: "pack/malformed",
  },
  {
    name: "OFS_DELTA into the header",
    pack: packOf([base, ofsDelta(base.length + 4, append)]),
    verdict: "pack/missing-base",
    message: "pack has 1 unresolved delta",
  },
  {
    name: "OFS_DELTA at the pack's start",
    pack: packOf([base, ofsDelta(base.length + 12, append)]),
    verdict: "pack/malformed",
  },
  {
    name: "OFS_DELTA before the start",
    pack: packOf([base, ofsDelta(base.length + 100, append)]),
    verdict: "pack/malformed",
  },
  {
    name: "OFS_DELTA into an object",
    pack: packOf([base, ofsDelta(base.length - 3, append)]),
    verdict: "pack/missing-base",
  },
  {
    name: "OFS_DELTA distance overflow",
    pack: packOf([
      base,
      concat(
        entryHead(6, append.length),
        new Uint8Array(12).fill(0xff),
        Uint8Array.of(1),
        deflateSync(append),
      ),
    ]),
    verdict: "pack/malformed",
  },
  {
    name: "REF_DELTA without base",
    pack: packOf([refDelta(noise(20), append)]),
    verdict: "pack/missing-base",
    message: "pack has 1 unresolved delta",
  },
  { name: "REF_DELTA on itself", pack: cycle(1), verdict: "pack/missing-base" },
  {
    name: "REF_DELTAs in a cycle of 2",
    pack: cycle(2),
    verdict: "pack/missing-base",
    message: "pack has 2 unresolved deltas",
  },
  {
    name: "REF_DELTAs in a cycle of 2, as found",
    pack: inline(
      "UEFDSwAAAAIAAAAC8wS1IueqvXol3Hl/BvJc/zOczsteiHicc3BwiKAQAAD84RbB8wTKpBcYyyBTBxP6KQmL7YbgGe69Mnicc3BwiKQQAAAFEBcBz7ZOnpRlZ+HdukG1ghStvG2fdSc=",
    ),
    verdict: "pack/missing-base",
  },
  { name: "REF_DELTAs in a cycle of 1000", pack: cycle(1000), verdict: "pack/missing-base" },
  {
    name: "an object twice",
    pack: packOf([base, base]),
    verdict: "pack/malformed",
    message: `the same object ${Buffer.from(id).toString("hex")} appears twice in the pack`,
  },
  {
    name: "an object whole and as a delta",
    pack: packOf([base, ofsDelta(base.length, append), whole("blob", concat(data, suffix))]),
    verdict: "pack/malformed",
  },
  {
    name: "a delta that makes its own base",
    pack: packOf([base, refDelta(id, delta(size, size, copy(0, size)))]),
    verdict: "pack/malformed",
  },
  {
    name: "delta with instruction 0",
    pack: withDelta(delta(size, 4, Uint8Array.of(0), insert(bytesOf("abcd")))),
    verdict: "pack/bad-delta",
    message: "failed to apply delta",
  },
  {
    name: "delta that copies beyond the base",
    pack: withDelta(delta(size, 10, copy(size - 5, 10))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that copies from 4 GiB",
    pack: withDelta(delta(size, 10, copy(0xffffffff, 10))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta for another base size",
    pack: withDelta(delta(size + 1, 10, copy(0, 10))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that makes too little",
    pack: withDelta(delta(size, 10, copy(0, 9))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that makes too much",
    pack: withDelta(delta(size, 10, copy(0, 11))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that inserts too much",
    pack: withDelta(delta(size, 3, insert(bytesOf("abcd")))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that stops inside an insert",
    pack: withDelta(delta(size, 9, Uint8Array.of(9, 65, 66))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that stops inside a copy",
    pack: withDelta(delta(size, 10, Uint8Array.of(0x91, 1))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that stops inside a size",
    pack: withDelta(Uint8Array.of(size, 0x80, 0x80, 0x80)),
    verdict: "pack/bad-delta",
    git: "accepts",
  },
  { name: "empty delta", pack: withDelta(new Uint8Array(0)), verdict: "pack/bad-delta" },
  {
    name: "delta of 3 bytes",
    pack: withDelta(delta(size, 1, Uint8Array.of(0x90))),
    verdict: "pack/bad-delta",
  },
  {
    name: "delta that declares 2^40",
    pack: withDelta(delta(size, 2 ** 40, copy(0, size))),
    verdict: "pack/limit-exceeded",
  },
  {
    name: "delta that declares 2^40, as found",
    pack: inline(
      "UEFDSwAAAAIAAAACsAR4nHN0pAwAABB+EEF7rNx0Y5mQXl6g2dQWPSs8TQSwUSN4nHNoAAEF5orKKgAaSwRPkCWaSFSRjIW5hzHzUNW1FiHEmvM=",
    ),
    verdict: "pack/limit-exceeded",
  },
  {
    name: "delta that declares 2^30",
    pack: withDelta(delta(size, 2 ** 30, copy(0, size))),
    verdict: "pack/bad-delta",
  },
  {
    // That its instructions were added up before they were run shows that nothing was allocated on its word.
    name: "delta that declares 2^30 and copies beyond the base",
    pack: withDelta(delta(size, 2 ** 30, copy(size, 1))),
    verdict: "pack/bad-delta",
    message: "delta yields another size than it declares",
  },
  {
    name: "delta that makes nothing, in 3 bytes",
    pack: packOf([big, ofsDelta(big.length, delta(200, 0))]),
    verdict: "pack/bad-delta",
  },
  { name: "deltas that double", pack: doubling(5), verdict: "accepted" },
  {
    name: "header and stream of another length",
    pack: packOf([concat(head, stream.subarray(0, 5))]),
    verdict: "pack/bad-zlib",
  },
];

/** Each delta copies its base twice. */
export function doubling(times: number): Uint8Array {
  let last = whole("blob", noise(65536));
  const entries = [last];
  for (let i = 0, from = 65536; i < times; i++, from *= 2) {
    const copies = Array.from({ length: from / 65536 }, (_, k) => copy(k * 65536, 65536));
    last = ofsDelta(last.length, delta(from, from * 2, ...copies, ...copies));
    entries.push(last);
  }
  return packOf(entries);
}

/** Some 250 bytes that make an object of 512 MiB: 8,192 copies of the same 64 KiB, in one byte each. */
export const BOMB_512_MIB: Uint8Array = ((): Uint8Array => {
  const zeros = whole("blob", new Uint8Array(65536));
  return packOf([zeros, ofsDelta(zeros.length, delta(65536, 2 ** 29, new Uint8Array(8192).fill(0x80)))]);
})();
