import { describe, expect, it } from "vitest";
import { IdNotes } from "../src/take/id-notes.ts";
import { noise } from "./pack-builder.ts";

describe("IdNotes", () => {
  it.each([20, 32])("keeps notes on any number of ids of %i bytes", (idLength) => {
    const ids = noise(5000 * idLength, 7);
    const notes = new IdNotes(idLength);
    for (let round = 1; round <= 2; round++)
      for (let i = 0; i < 5000; i++) notes.add(ids, i * idLength, round);
    expect(notes.count).toBe(5000);
    for (let i = 0; i < 5000; i++) {
      expect(notes.find(ids, i * idLength)).toBe(i);
      expect(notes.notes[i]).toBe(3);
    }
    expect(notes.ids.subarray(0, ids.length)).toEqual(ids);
    expect(notes.find(noise(idLength, 99), 0)).toBe(-1);
  });

  it("tells apart ids that differ in one byte, in good time whatever the ids", () => {
    const notes = new IdNotes(20);
    const id = new Uint8Array(20);
    const started = performance.now();
    for (let i = 0; i < 200_000; i++) {
      // The same words, all but two.
      new DataView(id.buffer).setUint32(12, i << 12);
      new DataView(id.buffer).setUint32(16, i >>> 20);
      notes.add(id, 0, 1);
    }
    expect(notes.count).toBe(200_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
