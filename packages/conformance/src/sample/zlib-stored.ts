/** The most that one block holds. Unit: bytes. */
const BLOCK_BYTES = 0xffff;

/** `data` as a zlib stream that makes nothing shorter: it takes no library. Spec: RFC 1950; RFC 1951, section 3.2.4. */
export function zlibStored(data: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(data.length / BLOCK_BYTES));
  const stream = new Uint8Array(2 + blocks * 5 + data.length + 4);
  const view = new DataView(stream.buffer);
  stream.set([0x78, 0x01]);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const part = data.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    stream[at] = block === blocks - 1 ? 1 : 0;
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    stream.set(part, at + 5);
    at += 5 + part.length;
  }
  let low = 1;
  let high = 0;
  for (const byte of data) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  view.setUint32(at, high * 0x10000 + low);
  return stream;
}
