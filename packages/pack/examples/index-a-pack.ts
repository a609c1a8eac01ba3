import { createHasher, hashObject } from "@x/objects";
import { createZlibCodec, ENTRY_BLOB, encodeEntryHeader, PackIndexer } from "@x/pack";

const codec = createZlibCodec();

// A pack with one blob: header, entry, checksum.
const data = new TextEncoder().encode("hello\n");
const head = new Uint8Array(12 + 10);
head.set(new TextEncoder().encode("PACK"));
new DataView(head.buffer).setUint32(4, 2);
new DataView(head.buffer).setUint32(8, 1);
const headEnd = encodeEntryHeader(head, 12, ENTRY_BLOB, data.length);
const body = Uint8Array.from([...head.subarray(0, headEnd), ...codec.deflate(data)]);
const hasher = createHasher("sha1");
hasher.update(body);
const pack = Uint8Array.from([...body, ...hasher.digest()]);

// Where the pack goes, and where deltas' bases are read back from: here memory, elsewhere a file.
const stored = new Uint8Array(1000);
let size = 0;
const indexer = new PackIndexer({
  format: "sha1",
  codec,
  limits: { maxPackBytes: stored.length },
  sink: {
    append(bytes) {
      stored.set(bytes, size);
      size += bytes.length;
    },
    patch: (offset, bytes) => stored.set(bytes, offset),
  },
  source: {
    get size() {
      return size;
    },
    read(offset, into) {
      const part = stored.subarray(offset, Math.min(size, offset + into.length));
      into.set(part);
      return part.length;
    },
  },
});

// Chunks may be cut anywhere.
let ended = false;
for (let at = 0; !ended; at += 10) ended = indexer.feed(pack.subarray(at, at + 10));
const { objects, index, indexBytes } = indexer.finish();
if (index.id(0) !== hashObject("sha1", "blob", data)) throw new Error("not the id that was expected");
console.log(`${objects} object in ${size} bytes, an index of ${indexBytes.length}`);
