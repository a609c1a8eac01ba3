import { describe, expect, it } from "vitest";
import { DeltaBaseCache, type PackedObject } from "../src/index.ts";
import { Random } from "./random.ts";

/** Fills `bytes` with what belongs to `key`. */
function stamp(bytes: Uint8Array, key: number): Uint8Array {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (key * 31 + i * 7) & 0xff;
  return bytes;
}

const isStamped = (bytes: Uint8Array, key: number) =>
  bytes.every((byte, i) => byte === ((key * 31 + i * 7) & 0xff));

describe("DeltaBaseCache", () => {
  it.each([64, 1000, 4096, 100_000])("never gives a wrong byte, ring of %i", (ring) => {
    const random = new Random(ring);
    const cache = new DeltaBaseCache(ring);
    const sizes = new Map<number, { readonly data: number; readonly delta: number }>();
    let hits = 0;
    let lost = 0;
    for (let step = 0; step < 30_000; step++) {
      const key = random.below(60);
      if (random.once(3)) {
        const size = random.below(random.once(10) ? ring / 4 : ring / 16);
        const withDelta = random.once(2);
        // As a pack reader does it: the delta first, one byte more than it has, then the object.
        const deltaSize = random.below(ring / (random.once(4) ? 7 : 40));
        const delta = withDelta ? cache.reserve(deltaSize + 1).subarray(0, deltaSize) : undefined;
        const data = cache.reserve(size);
        expect(data).toHaveLength(size);
        stamp(data, key);
        if (delta) stamp(delta, key + 1000);
        const object: PackedObject = { type: "tree", data };
        cache.set(key, delta ? { ...object, delta: { baseKey: key + 1, bytes: delta } } : object);
        if (size <= ring / 8 && (!withDelta || deltaSize + 1 <= ring / 8))
          sizes.set(key, { data: size, delta: withDelta ? deltaSize : -1 });
        continue;
      }
      const found = cache.get(key);
      if (found === undefined) {
        lost++;
        continue;
      }
      hits++;
      const size = sizes.get(key);
      // What is made of it next: a delta and a result, as large as the ring takes.
      stamp(cache.reserve(random.below(ring / 8)), key + 2000);
      stamp(cache.reserve(random.below(ring / 8)), key + 3000);
      expect(found.data).toHaveLength(size?.data ?? -1);
      expect(isStamped(found.data, key), `step ${step}`).toBe(true);
      if (size?.delta === -1) expect(found.delta).toBeUndefined();
    }
    expect(hits).toBeGreaterThan(100);
    expect(lost).toBeGreaterThan(100);
  });

  it("gives an object's delta whole while nothing new is made", () => {
    const random = new Random(5);
    const cache = new DeltaBaseCache(800);
    let hits = 0;
    for (let step = 0; step < 20_000; step++) {
      const key = random.below(8);
      const found = cache.get(key);
      if (found !== undefined) {
        hits++;
        expect(isStamped(found.data, key)).toBe(true);
        expect(isStamped(found.delta?.bytes ?? new Uint8Array(1), key + 9), `step ${step}`).toBe(true);
        expect(found.delta?.baseKey).toBe(key + 100);
      }
      const bytes = stamp(cache.reserve(random.below(101)), key + 9);
      const data = stamp(cache.reserve(random.below(101)), key);
      if (random.once(2)) cache.set(key, { type: "tree", data, delta: { baseKey: key + 100, bytes } });
    }
    expect(hits).toBeGreaterThan(500);
  });

  it("keeps what is asked for while all else is overwritten", () => {
    const cache = new DeltaBaseCache(10_000);
    cache.set(1, { type: "blob", data: stamp(cache.reserve(100), 1) });
    cache.set(2, { type: "blob", data: stamp(cache.reserve(100), 2) });
    for (let i = 0; i < 1000; i++) {
      cache.reserve(100);
      expect(isStamped(cache.get(1)?.data ?? new Uint8Array(1), 1)).toBe(true);
    }
    expect(cache.get(2)).toBeUndefined();
  });

  it("gives large objects memory of their own and does not keep them", () => {
    const cache = new DeltaBaseCache(800);
    const data = cache.reserve(101);
    expect(data.buffer.byteLength).toBe(101);
    cache.set(1, { type: "blob", data });
    expect(cache.get(1)).toBeUndefined();
    cache.set(2, { type: "blob", data: new Uint8Array(5) });
    expect(cache.get(2)).toBeUndefined();
  });

  it("forgets the keys of what is overwritten", () => {
    const cache = new DeltaBaseCache(1000);
    for (let key = 0; key < 20_000; key++)
      cache.set(key, { type: "blob", data: stamp(cache.reserve(10), key) });
    expect(cache.get(3)).toBeUndefined();
    expect(isStamped(cache.get(19_999)?.data ?? new Uint8Array(1), 19_999)).toBe(true);
  });

  it("gives every pack keys of its own", () => {
    const cache = new DeltaBaseCache(1000);
    const first = cache.register(500);
    const second = cache.register(700);
    expect(second).toBeGreaterThanOrEqual(first + 500);
    expect(cache.register(1)).toBeGreaterThanOrEqual(second + 700);
  });
});
