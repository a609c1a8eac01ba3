import { describe, expect, it } from "vitest";
import { PacketReader } from "../src/index.ts";
import { show, stream, text, wire } from "./wire.ts";

const limits = { maxBytes: 1000 };

async function readEverything(chunks: readonly Uint8Array[]): Promise<unknown> {
  const reader = new PacketReader(stream(...chunks));
  const first = await reader.readPacket();
  const section = await reader.readSection(limits);
  let rest = "";
  for await (const chunk of reader.rest()) rest += text(chunk);
  return [first && show(first), section.payloads.map(text), section.end, rest, reader.bytesRead];
}

describe("PacketReader", () => {
  it("reads a packet, a section and the raw rest, however the bytes are cut", async () => {
    const bytes = wire("0006hi0005a0007bcd0000PACK0000");
    const whole = ["data hi", ["a", "bcd"], "flush", "PACK0000", bytes.length];
    for (let i = 0; i <= bytes.length; i++)
      for (let j = i; j <= bytes.length; j++) {
        const cut = [bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)];
        expect(await readEverything(cut)).toEqual(whole);
      }
  });

  it("says how a section ended", async () => {
    const reader = new PacketReader(stream("0005a0001", "0005b0000", "0002", "0005c"));
    const ends: string[] = [];
    for (let i = 0; i < 5; i++) ends.push((await reader.readSection(limits)).end);
    expect(ends).toEqual(["delim", "flush", "response-end", "eof", "eof"]);
  });

  it("reads a long section in batches, and never waits while it has something to give", async () => {
    let asked = 0;
    async function* input() {
      for (const chunk of ["0005a0005b0005c00", "05d", "0000", "0005e"]) {
        asked++;
        yield wire(chunk);
      }
    }
    const reader = new PacketReader(input());
    const seen: [string, string | undefined, number][] = [];
    for (let i = 0; i < 7; i++) {
      const batch = await reader.readBatch(2);
      seen.push([batch.payloads.map(text).join(""), batch.end, asked]);
    }
    expect(seen).toEqual([
      ["ab", undefined, 1],
      ["c", undefined, 1],
      ["d", undefined, 2],
      ["", "flush", 3],
      ["e", undefined, 4],
      ["", "eof", 4],
      ["", "eof", 4],
    ]);
  });

  it("gives undefined at the end between packets, and an error inside one", async () => {
    const reader = new PacketReader(stream("0005a"));
    await reader.readPacket();
    expect(await reader.readPacket()).toBeUndefined();
    for (const cut of ["0", "000", "0005", "0009hell"]) {
      const truncated = new PacketReader(stream(cut));
      await expect(truncated.readPacket()).rejects.toMatchObject({ code: "pktline/truncated", offset: 0 });
      await expect(new PacketReader(stream(cut)).readSection(limits)).rejects.toMatchObject({
        code: "pktline/truncated",
      });
    }
  });

  it("keeps the limits of a section while reading", async () => {
    const flood = () => stream(...Array.from({ length: 100 }, () => "0009hello"));
    await expect(new PacketReader(flood()).readSection({ maxBytes: 89 })).rejects.toMatchObject({
      code: "pktline/too-long",
    });
    await expect(
      new PacketReader(flood()).readSection({ maxBytes: 9999, maxPackets: 99 }),
    ).rejects.toMatchObject({ code: "pktline/too-long" });
    const exact = await new PacketReader(flood()).readSection({ maxBytes: 900, maxPackets: 100 });
    expect(exact.payloads).toHaveLength(100);
  });

  it("counts empty payloads against the limit", async () => {
    const reader = new PacketReader(stream("0004".repeat(300)));
    await expect(reader.readSection(limits)).rejects.toMatchObject({ code: "pktline/too-long" });
  });

  it("does not end the input when the rest is left, and goes on behind the chunk that was given", async () => {
    let ended = false;
    async function* input() {
      try {
        yield wire("0000ab");
        yield wire("cd");
        yield wire("ef");
      } finally {
        ended = true;
      }
    }
    const reader = new PacketReader(input());
    await reader.readPacket();
    for await (const chunk of reader.rest()) {
      expect(text(chunk)).toBe("ab");
      break;
    }
    expect(ended).toBe(false);
    const more: string[] = [];
    for await (const chunk of reader.rest()) more.push(text(chunk));
    expect(more).toEqual(["cd", "ef"]);
  });

  it("gives up waiting when its signal says so, before or during the wait", async () => {
    const never: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const controller = new AbortController();
    const reader = new PacketReader(never, { signal: controller.signal });
    const waiting = expect(reader.readPacket()).rejects.toThrow("gone");
    controller.abort(new Error("gone"));
    await waiting;
    await expect(reader.readSection(limits)).rejects.toThrow("gone");
  });

  it("reads on under a signal that stays silent, and passes the input's failure on", async () => {
    async function* failing() {
      yield wire("0005a");
      throw new Error("reset");
    }
    const reader = new PacketReader(failing(), { signal: new AbortController().signal });
    expect(await reader.readPacket()).toMatchObject({ type: "data" });
    await expect(reader.readPacket()).rejects.toThrow("reset");
  });
});
