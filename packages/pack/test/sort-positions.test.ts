import { describe, expect, it } from "vitest";
import { compareIds, sortIds } from "../src/format/sort-ids.ts";
import { sortPositions } from "../src/format/sort-positions.ts";
import { noise } from "./pack-builder.ts";

describe("sortPositions", () => {
  const sorted = (keys: readonly number[]) =>
    [...sortPositions(keys.length, (i) => keys[i] as number)].map((i) => keys[i]);

  it("sorts what is empty, single, equal, small and beyond 2^48", () => {
    expect(sorted([])).toEqual([]);
    expect(sorted([7])).toEqual([7]);
    expect(sorted([0, 0, 0])).toEqual([0, 0, 0]);
    expect(sorted([2 ** 53 - 1, 65536, 65535, 2 ** 32, 1, 2 ** 48, 2 ** 31, 0])).toEqual([
      0,
      1,
      65535,
      65536,
      2 ** 31,
      2 ** 32,
      2 ** 48,
      2 ** 53 - 1,
    ]);
  });

  it("sorts many, equal ones in their order", () => {
    const bytes = noise(20_000);
    const keys = Array.from(
      { length: 5000 },
      (_, i) => (bytes[i] as number) * 2 ** ((bytes[i + 5000] as number) % 40),
    );
    const expected = keys.map((_, i) => i).sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
    expect([...sortPositions(keys.length, (i) => keys[i] as number)]).toEqual(expected);
  });
});

describe("sortIds", () => {
  it.each([20, 32])("sorts ids of %i bytes that differ anywhere, equal ones in their order", (idLength) => {
    const count = 600;
    const ids = noise(count * idLength);
    // Prefixes in common up to every length; each 50th id is that before it.
    for (let i = 1; i < count; i++) {
      const shared = i % 50 === 0 ? idLength : i % (idLength + 1);
      ids.copyWithin(i * idLength, (i - 1) * idLength, (i - 1) * idLength + shared);
    }
    const hex = (i: number) => Buffer.from(ids.subarray(i * idLength, (i + 1) * idLength)).toString("hex");
    const expected = Array.from({ length: count }, (_, i) => i).sort((a, b) =>
      hex(a) < hex(b) ? -1 : hex(a) > hex(b) ? 1 : a - b,
    );
    expect([...sortIds(ids, count, idLength)]).toEqual(expected);
    expect(compareIds(ids, 49 * idLength, ids, 50 * idLength, idLength)).toBe(0);
  });
});
