import { deflateSync, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createZlibCodec, type ZlibCodec } from "../src/index.ts";
import { createNodeZlibCodec } from "../src/node.ts";
import { bytesOf, concat, noise } from "./pack-builder.ts";

const CODECS: readonly (readonly [string, ZlibCodec])[] = [
  ["pako", createZlibCodec()],
  ["node:zlib", createNodeZlibCodec()],
];

const DATA: readonly (readonly [string, Uint8Array])[] = [
  ["nothing", new Uint8Array(0)],
  ["a byte", bytesOf("x")],
  ["text", bytesOf("some text that shrinks, some text that shrinks\n".repeat(9))],
  ["noise", noise(500)],
];

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const thrown = (run: () => unknown): unknown => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

it("the codec for Node runs on the native handle here", () => {
  expect(createNodeZlibCodec().createInflater).not.toBe(createZlibCodec().createInflater);
});

describe.each(CODECS)("the codec on %s", (_, codec) => {
  describe.each(DATA)("with %s", (_name, data) => {
    const stream = deflateSync(data);
    const around = concat(bytesOf("before"), stream, bytesOf("after, which is not its business"));

    it("inflates a stream among other bytes, and says how long it was", () => {
      const output = new Uint8Array(data.length + 1);
      expect(codec.inflate(around, 6, around.length, output)).toBe(stream.length);
      expect(same(output.subarray(0, -1), data)).toBe(true);
      expect(codec.inflate(stream, 0, stream.length, output)).toBe(stream.length);
    });

    it("makes streams that zlib reads, at every level", () => {
      for (const level of [undefined, 0, 1, 9])
        expect(same(inflateSync(codec.deflate(data, level)), data)).toBe(true);
    });

    it("misses what was cut off", () => {
      for (let end = 0; end < stream.length; end++)
        expect(thrown(() => codec.inflate(stream, 0, end, new Uint8Array(data.length + 1)))).toBe(
          "pack/truncated",
        );
    });

    it("refuses a stream of another size", () => {
      expect(thrown(() => codec.inflate(around, 6, around.length, new Uint8Array(data.length + 2)))).toBe(
        "pack/bad-zlib",
      );
      if (data.length > 0)
        expect(thrown(() => codec.inflate(around, 6, around.length, new Uint8Array(data.length)))).toBe(
          "pack/bad-zlib",
        );
    });

    it("never takes a stream with a bit turned over for another", () => {
      for (let bit = 0; bit < stream.length * 8; bit++) {
        const flipped = Uint8Array.from(stream);
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        const output = new Uint8Array(data.length + 1);
        // The compression level in the header and unused bits before a stored block do not change the data.
        if (thrown(() => codec.inflate(flipped, 0, flipped.length, output)) === undefined)
          expect(same(output.subarray(0, -1), data)).toBe(true);
      }
    });

    it("inflates piece by piece, cut at every place, into any room", () => {
      const inflater = codec.createInflater();
      for (let cut = 0; cut <= stream.length; cut++)
        for (const room of [1, 7, data.length + 1]) {
          inflater.reset();
          const output = new Uint8Array(data.length + 1);
          let at = 0;
          let out = 0;
          let ended = false;
          // Bytes after the stream's end stand for the next entry.
          const whole = concat(stream, bytesOf("next"));
          while (!ended) {
            const end = at < cut ? cut : whole.length;
            ended = inflater.write(
              whole,
              at,
              end,
              output.subarray(0, Math.min(output.length, out + room)),
              out,
            );
            at += inflater.consumed;
            out += inflater.produced;
          }
          expect([at, out]).toEqual([stream.length, data.length]);
          expect(same(output.subarray(0, -1), data)).toBe(true);
        }
    });
  });

  it("refuses broken streams, and works again after them", () => {
    const stream = deflateSync(bytesOf("text"));
    const inflater = codec.createInflater();
    for (const bad of [
      bytesOf("not zlib at all"),
      concat(stream.subarray(0, -1), Uint8Array.of(0)),
      deflateSync(bytesOf("text"), { dictionary: Buffer.from("ext") }),
    ]) {
      expect(thrown(() => codec.inflate(bad, 0, bad.length, new Uint8Array(5)))).toBe("pack/bad-zlib");
      inflater.reset();
      expect(thrown(() => inflater.write(bad, 0, bad.length, new Uint8Array(5), 0))).toBe("pack/bad-zlib");
      inflater.reset();
      inflater.write(stream, 0, stream.length, new Uint8Array(5), 0);
      expect(inflater.produced).toBe(4);
    }
    expect(codec.inflate(stream, 0, stream.length, new Uint8Array(5))).toBe(stream.length);
  });

  it("keeps inflaters apart", () => {
    const streams = [deflateSync(bytesOf("one")), deflateSync(bytesOf("two"))];
    const inflaters = streams.map(() => codec.createInflater());
    const outputs = streams.map(() => new Uint8Array(4));
    const out = [0, 0];
    for (let at = 0; at < 11; at++)
      for (const [i, stream] of streams.entries()) {
        inflaters[i]?.write(stream, at, at + 1, outputs[i] as Uint8Array, out[i] as number);
        out[i] = (out[i] as number) + (inflaters[i]?.produced ?? 0);
      }
    expect(outputs.map((output) => Buffer.from(output).toString("latin1", 0, 3))).toEqual(["one", "two"]);
  });

  it("gives nobody an inflater in the midst of another's stream", () => {
    const stream = deflateSync(noise(500));
    const first = codec.createInflater();
    first.write(stream, 0, 100, new Uint8Array(500), 0);
    first.release?.();
    const next = codec.createInflater();
    next.write(stream, 0, stream.length, new Uint8Array(501), 0);
    expect(next.produced).toBe(500);
  });
});
