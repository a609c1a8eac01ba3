import { describe, expect, it } from "vitest";
import { PAGE_BYTES, PageCache } from "../src/refs/page-cache.ts";

const file = () => ({ pages: new Map<number, Uint8Array>() });

describe("PageCache", () => {
  it("forgets the longest unused, and never keeps more than it may", () => {
    const cache = new PageCache(30);
    const [a, b] = [file(), file()];
    cache.put(a, 0, new Uint8Array(10));
    cache.put(a, 1, new Uint8Array(10));
    cache.put(b, 0, new Uint8Array(10));
    expect(cache.get(a, 0)).toBeDefined();
    cache.put(b, 1, new Uint8Array(10));
    expect(cache.get(a, 1)).toBeUndefined();
    expect([...a.pages.keys(), ...b.pages.keys()]).toEqual([0, 0, 1]);
    cache.put(b, 2, new Uint8Array(31));
    expect([a.pages.size, b.pages.size]).toEqual([0, 0]);
  });

  it("has a file as a whole, or not", () => {
    const cache = new PageCache(4 * PAGE_BYTES);
    const kept = file();
    cache.put(kept, 0, new Uint8Array(PAGE_BYTES));
    expect(cache.whole(kept, PAGE_BYTES)).toHaveLength(1);
    expect(cache.whole(kept, PAGE_BYTES + 1)).toBeUndefined();
    cache.put(kept, 1, new Uint8Array(1));
    expect(cache.whole(kept, PAGE_BYTES + 1)).toHaveLength(2);
    cache.drop(kept);
    expect(cache.whole(kept, PAGE_BYTES + 1)).toBeUndefined();
    expect(cache.whole(kept, 0)).toEqual([]);
  });
});
