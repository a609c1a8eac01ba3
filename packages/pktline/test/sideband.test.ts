import { describe, expect, it } from "vitest";
import {
  decodeSideband,
  encodeSideband,
  frameSideband,
  PktLineDecoder,
  SIDEBAND_DATA,
  SIDEBAND_ERROR,
  SIDEBAND_PROGRESS,
} from "../src/index.ts";
import { text, wire } from "./wire.ts";

function unframe(bytes: Uint8Array): { bands: number[]; sizes: number[]; data: string } {
  const decoder = new PktLineDecoder();
  decoder.feed(bytes);
  const bands: number[] = [];
  const sizes: number[] = [];
  let data = "";
  for (let packet = decoder.read(); packet?.type === "data"; packet = decoder.read()) {
    const part = decodeSideband(packet.payload);
    bands.push(part.band);
    sizes.push(part.bytes.length);
    data += text(part.bytes);
  }
  return { bands, sizes, data };
}

describe("side-band", () => {
  it("frames as C git does", () => {
    expect(text(encodeSideband(SIDEBAND_PROGRESS, wire("hi\n"), 65520))).toBe("0008\x02hi\n");
    expect(text(encodeSideband(SIDEBAND_DATA, new Uint8Array(0), 65520))).toBe("0005\x01");
    expect(text(encodeSideband(SIDEBAND_ERROR, wire("no"), 1000))).toBe("0007\x03no");
  });

  it.each([
    [1000, 995],
    [65520, 65515],
  ] as const)("fills packets of %i bytes and round-trips", (packetBytes, room) => {
    for (const length of [1, room - 1, room, room + 1, 3 * room, 3 * room + 7]) {
      const data = Array.from({ length }, (_, i) => String.fromCharCode(i % 256)).join("");
      const framed = unframe(encodeSideband(SIDEBAND_DATA, wire(data), packetBytes));
      expect(framed.data).toBe(data);
      expect(framed.bands.every((band) => band === 1)).toBe(true);
      expect(framed.sizes.slice(0, -1).every((size) => size === room)).toBe(true);
      expect(framed.sizes.length).toBe(Math.ceil(length / room));
    }
  });

  it.each(["", "\x00x", "\x04x", "1x"])("refuses the payload %j", (payload) => {
    expect(() => decodeSideband(wire(payload))).toThrow(
      expect.objectContaining({ code: "pktline/bad-band" }),
    );
  });
});

describe("frameSideband", () => {
  it("makes the same packet as encodeSideband, without moving the bytes", () => {
    const buffer = new Uint8Array(20).fill(0xee);
    const bytes = buffer.subarray(8, 12);
    bytes.set([1, 2, 3, 4]);
    const framed = frameSideband(SIDEBAND_DATA, bytes, 65520);
    expect(framed).toEqual(encodeSideband(SIDEBAND_DATA, Uint8Array.of(1, 2, 3, 4), 65520));
    expect(framed.buffer).toBe(buffer.buffer);
    expect([...buffer.subarray(0, 3), ...buffer.subarray(12)]).toEqual(new Array(11).fill(0xee));
  });

  it("refuses bytes without room in front, and more than a packet holds", () => {
    expect(() => frameSideband(SIDEBAND_DATA, new Uint8Array(9).subarray(4), 65520)).toThrow(RangeError);
    expect(() => frameSideband(SIDEBAND_DATA, new Uint8Array(1001).subarray(5), 1000)).toThrow(RangeError);
    expect(frameSideband(SIDEBAND_DATA, new Uint8Array(1000).subarray(5), 1000)).toHaveLength(1000);
  });
});
