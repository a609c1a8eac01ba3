import { describe, expect, it } from "vitest";
import {
  delim,
  encodeInChunks,
  encodePackets,
  flush,
  MAX_PAYLOAD_BYTES,
  PacketBatch,
  responseEnd,
} from "../src/index.ts";
import { decodeAll, text, wire } from "./wire.ts";

describe("encodePackets", () => {
  it("writes texts, bytes and special packets, lower-case digits, no line feed added", () => {
    const bytes = encodePackets(["version 2\n", flush, wire("\xff\x00"), delim, "", responseEnd]);
    expect(text(bytes)).toBe("000eversion 2\n00000006\xff\x00000100040002");
  });

  it("is undone by the decoder for every length around the powers of sixteen", () => {
    for (const length of [0, 1, 11, 12, 251, 252, 4091, 4092, MAX_PAYLOAD_BYTES]) {
      const payload = "p".repeat(length);
      expect(decodeAll([encodePackets([payload, flush])])).toEqual([[`data ${payload}`, "flush"], ""]);
    }
  });

  it("refuses what fits no packet", () => {
    expect(() => encodePackets(["x".repeat(MAX_PAYLOAD_BYTES + 1)])).toThrow(
      expect.objectContaining({ code: "pktline/too-long" }),
    );
  });

  it("takes any iterable once", () => {
    function* two() {
      yield "a";
      yield "b";
    }
    expect(text(encodePackets(two()))).toBe("0005a0005b");
  });
});

describe("PacketBatch", () => {
  it("hands out full chunks in order and loses nothing", () => {
    const batch = new PacketBatch();
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${"r".repeat(i % 97)}\n`);
    const chunks = lines.map((line) => batch.add(line)).filter((chunk) => chunk !== undefined);
    const last = batch.take();
    expect(last).toBeDefined();
    if (last) chunks.push(last);
    expect(chunks.every((chunk) => chunk.length <= 65536)).toBe(true);
    expect(chunks.slice(0, -1).every((chunk) => chunk.length > 65536 - 128)).toBe(true);
    expect(decodeAll(chunks)[0]).toEqual(lines.map((line) => `data ${line}`));
  });

  it("holds the longest packet", () => {
    const batch = new PacketBatch();
    expect(batch.add("x".repeat(20))).toBeUndefined();
    expect(batch.add("y".repeat(MAX_PAYLOAD_BYTES))?.length).toBe(24);
    expect(batch.take()?.length).toBe(65520);
    expect(batch.take()).toBeUndefined();
  });
});

describe("encodeInChunks", () => {
  it("gives what encodePackets gives, in pieces", () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `line ${i}\n${"x".repeat(i % 61)}`);
    const chunks = [...encodeInChunks([...lines, flush])];
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.map(text).join("")).toBe(text(encodePackets([...lines, flush])));
    expect([...encodeInChunks([])]).toEqual([]);
  });
});
