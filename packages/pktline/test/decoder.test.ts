import { describe, expect, it } from "vitest";
import {
  encodePackets,
  MAX_PACKET_BYTES,
  MAX_PAYLOAD_BYTES,
  PktLineDecoder,
  PktLineError,
} from "../src/index.ts";
import { decodeAll, text, wire } from "./wire.ts";

describe("PktLineDecoder", () => {
  it("tells the special packets and the empty one apart", () => {
    expect(decodeAll([wire("0000000100020004")])).toEqual([["flush", "delim", "response-end", "data "], ""]);
  });

  it("gives the same packets however the bytes are cut", () => {
    const bytes = wire("0009hello00000006a\n00010002PACKraw");
    const whole = decodeAll([bytes], 5);
    expect(whole).toEqual([["data hello", "flush", "data a\n", "delim", "response-end"], "PACKraw"]);
    for (let i = 0; i <= bytes.length; i++)
      for (let j = i; j <= bytes.length; j++)
        expect(decodeAll([bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)], 5)).toEqual(whole);
  });

  it("takes upper-case digits", () => {
    expect(decodeAll([wire("000Ahello\n")])).toEqual([["data hello\n"], ""]);
  });

  it.each(["0003", "zzzz", "-001", "+0ff", " 0ff", "0x1f", "00g1", "\x00\x00\x00\x04", "00\xff1", "GET "])(
    "refuses %j as a length",
    (length) => {
      const decoder = new PktLineDecoder();
      decoder.feed(wire(`0000${length}`));
      decoder.read();
      expect(() => decoder.read()).toThrow(
        expect.objectContaining({ name: "PktLineError", code: "pktline/bad-length", offset: 4 }),
      );
    },
  );

  it.each(["fff1", "fff4", "ffff"])("refuses %s, which is above MAX_PACKET_BYTES", (length) => {
    expect(Number(`0x${length}`)).toBeGreaterThan(MAX_PACKET_BYTES);
    const decoder = new PktLineDecoder();
    decoder.feed(wire(length));
    expect(() => decoder.read()).toThrow(expect.objectContaining({ code: "pktline/too-long" }));
  });

  it("takes the longest packet, fed by the byte, at the cost of few copies", () => {
    const bytes = encodePackets([new Uint8Array(MAX_PAYLOAD_BYTES).fill(65), "x"]);
    const decoder = new PktLineDecoder();
    const lengths: number[] = [];
    for (let i = 0; i < bytes.length; i++) {
      decoder.feed(bytes.subarray(i, i + 1));
      for (let packet = decoder.read(); packet; packet = decoder.read())
        if (packet.type === "data") lengths.push(packet.payload.length);
    }
    expect(lengths).toEqual([MAX_PAYLOAD_BYTES, 1]);
    expect(decoder.offset).toBe(bytes.length);
  });

  it("waits for a packet that is not complete, and says that it waits", () => {
    const decoder = new PktLineDecoder();
    decoder.feed(wire("0009he"));
    expect(decoder.read()).toBeUndefined();
    expect(decoder.pending).toBe(true);
    expect(text(decoder.takeRest())).toBe("0009he");
    expect(decoder.pending).toBe(false);
    expect(decoder.offset).toBe(6);
  });

  it("throws errors of one class with the place in the stream", () => {
    expect(() => encodePackets([new Uint8Array(MAX_PAYLOAD_BYTES + 1)])).toThrow(PktLineError);
  });
});
