import { createNodeHasher } from "@x/objects/node";
import { describe, expect, it } from "vitest";
import { memorySource } from "../src/format/byte-source.ts";
import { CHUNK_BYTES, CHUNK_HEADROOM_BYTES, PackOutput } from "../src/make/pack-output.ts";
import { concat, noise, trailerOf } from "./pack-builder.ts";
import { Random } from "./random.ts";

describe("PackOutput", () => {
  it.each([0, 1, 5000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES - 20, 400_000])(
    "puts %i bytes into chunks and sums them up",
    (size) => {
      const random = new Random(size);
      const body = noise(size);
      const output = new PackOutput(createNodeHasher("sha1"));
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < size; ) {
        const part = Math.min(size - at, 1 + random.below(random.once(3) ? 100_000 : 500));
        if (random.once(2)) {
          output.append(body.subarray(at, at + part));
          at += part;
        } else at += output.copy(memorySource(body), at, part);
        expect(output.bytes).toBe(at);
        chunks.push(...output.take());
      }
      output.finish();
      chunks.push(...output.take());
      expect(Buffer.compare(concat(...chunks), concat(body, trailerOf(body)))).toBe(0);
      for (const chunk of chunks) {
        expect(chunk.length).toBeGreaterThan(0);
        expect(chunk.length).toBeLessThanOrEqual(CHUNK_BYTES);
        // Whoever frames it may write in front of it.
        expect(chunk.byteOffset).toBe(CHUNK_HEADROOM_BYTES);
      }
      expect(new Set(chunks.map((chunk) => chunk.buffer)).size).toBe(chunks.length);
    },
  );

  it("fills a spare buffer again if it is as large as a chunk's", () => {
    const size = CHUNK_HEADROOM_BYTES + CHUNK_BYTES;
    const small = new ArrayBuffer(size - 1);
    const right = new ArrayBuffer(size);
    const spares = [small, right];
    new Uint8Array(right).fill(7);
    const output = new PackOutput(undefined, () => spares.pop());
    const body = noise(2 * CHUNK_BYTES);
    output.append(body.subarray(0, 10));
    output.append(body.subarray(10));
    const chunks = output.take();
    expect(Buffer.compare(concat(...chunks), body)).toBe(0);
    expect(chunks[0]?.buffer).toBe(right);
    expect(chunks[1]?.buffer).not.toBe(small);
  });

  it("ends with a checksum that is known", () => {
    const output = new PackOutput(undefined);
    output.append(Uint8Array.of(1, 2));
    output.finish(Uint8Array.of(9, 9));
    expect(concat(...output.take())).toEqual(Uint8Array.of(1, 2, 9, 9));
  });

  it("notices a source that has become shorter", () => {
    const output = new PackOutput(undefined);
    expect(() => output.copy(memorySource(noise(10)), 5, 6)).toThrow(
      expect.objectContaining({ code: "pack/truncated" }),
    );
  });
});
