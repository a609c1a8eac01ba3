import { constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { ObjectFormat } from "@x/objects";
import { basics } from "./case-objects.ts";
import { appending, bytesOf, concat, encodedDistance, entryHead, packOf } from "./pack-builder.ts";
import type { PackCase } from "./pack-cases.ts";

const of = (...bytes: number[]) => Uint8Array.from(bytes);

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copied = Uint8Array.from(bytes);
  copied[at < 0 ? bytes.length + at : at] = value;
  return copied;
}

/** Streams in which `data` may stand in a pack, sound and not. */
function streams(data: Uint8Array): [name: string, bytes: Uint8Array][] {
  const good = deflateSync(data);
  const body = good.subarray(2, -4);
  const adler = good.subarray(-4);
  const zlib = (...parts: Uint8Array[]) => concat(good.subarray(0, 2), ...parts, adler);
  const stored = (final: boolean, bytes: Uint8Array, complement = 0xffff) =>
    concat(
      of(final ? 1 : 0, bytes.length & 255, bytes.length >> 8),
      of((bytes.length ^ complement) & 255, (bytes.length ^ complement) >> 8),
      bytes,
    );
  const empty = new Uint8Array(0);
  const flushed = deflateSync(data, { finishFlush: constants.Z_SYNC_FLUSH });
  const list: [string, Uint8Array][] = [
    ["as it should be", good],
    ["stored", deflateSync(data, { level: 0 })],
    ["stored in bytes", zlib(...[...data].map((byte, i) => stored(i === data.length - 1, of(byte))))],
    ["after 1,000 empty blocks", zlib(...new Array<Uint8Array>(1000).fill(stored(false, empty)), body)],
    ["before an empty block", zlib(stored(false, data), stored(true, empty))],
    ["without a last block", concat(flushed, adler)],
    ["flushed and not ended", flushed],
    ["of length and complement that disagree", zlib(stored(true, data, 0xfffe))],
    ["of a block of no kind", zlib(of(7), data)],
    ["without a checksum", good.subarray(0, -4)],
    ["with half a checksum", good.subarray(0, -2)],
    ["with a wrong checksum", changed(good, -1, (good.at(-1) as number) ^ 1)],
    ["with a checksum of zeros", concat(good.subarray(0, -4), of(0, 0, 0, 0))],
    ["raw", deflateRawSync(data)],
    ["in gzip", gzipSync(data)],
    ["with a dictionary", deflateSync(data, { dictionary: Buffer.from("long enough to copy") })],
    ["with a dictionary of nobody", concat(of(0x78, 0xbb, 0, 0, 0, 1), body, adler)],
    ["with a header that does not add up", changed(good, 1, (good[1] as number) ^ 1)],
    ["of another method", changed(changed(good, 0, 0x77), 1, 0x9e)],
    ["of a window too large", concat(of(0x88, 0x1c), body, adler)],
    ["of nothing", deflateSync(empty)],
    ["of no bytes", empty],
    ["of one byte", good.subarray(0, 1)],
    ["twice", concat(good, good)],
    ["before a zero byte", concat(good, of(0))],
    ["before words", concat(good, bytesOf("words"))],
    ["of one byte more", deflateSync(concat(data, of(0)))],
    ["of one byte less", deflateSync(data.subarray(0, -1))],
    ["of a mebibyte more", deflateSync(concat(data, new Uint8Array(1 << 20)))],
    ["that looks back too far", zlib(of(0x4b, 0x04, 0xf1, 0x01, 0x00))],
  ];
  for (let window = 0; window < 8; window++) {
    const first = (window << 4) | 8;
    list.push([`of window ${window}`, concat(of(first, 31 - ((first * 256) % 31)), body, adler)]);
  }
  return list;
}

/** Each of them as a blob, as a delta, and as the last of several. */
export function streamCases(format: ObjectFormat): PackCase[] {
  const { base, baseData, baseSize, other } = basics(format);
  const change = appending(baseSize, bytesOf("more\n"));
  const forms: [string, Uint8Array, (stream: Uint8Array) => Uint8Array[]][] = [
    ["a blob", baseData, (stream) => [concat(entryHead(3, baseSize), stream)]],
    [
      "a blob between others",
      baseData,
      (stream) => [other, concat(entryHead(3, baseSize), stream), base.slice(0, 0)],
    ],
    [
      "a delta",
      change,
      (stream) => [base, concat(entryHead(6, change.length), encodedDistance(base.length), stream)],
    ],
    ["an empty blob", new Uint8Array(0), (stream) => [concat(entryHead(3, 0), stream)]],
  ];
  const cases = forms.flatMap(([form, data, entries]) =>
    streams(data).map(([name, stream]) => {
      const all = entries(stream).filter(({ length }) => length > 0);
      return { name: `${form} ${name}`, make: () => packOf(all, { format }) };
    }),
  );
  for (const type of [0, 1, 2, 3, 4, 5])
    for (const size of [
      0,
      1,
      baseSize - 1,
      baseSize,
      baseSize + 1,
      2 ** 20,
      2 ** 31,
      2 ** 32,
      2 ** 40,
      2 ** 52,
    ])
      cases.push({
        name: `type ${type}, said to have ${size} bytes`,
        make: () => packOf([concat(entryHead(type, size), deflateSync(baseData))], { format }),
      });
  for (let digits = 2; digits <= 14; digits++)
    for (const last of [0, 1, 0x7f])
      cases.push({
        name: `a size of ${digits} digits that ends in ${last}`,
        make: () =>
          packOf(
            [
              concat(
                of(0xb0 | (baseSize & 15), ...new Array(digits).fill(0x80 | (baseSize >> 4)), last),
                deflateSync(baseData),
              ),
            ],
            { format },
          ),
      });
  return cases;
}
