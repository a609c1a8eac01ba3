import { type ReftableShape, writeReftable } from "@tooling/test-kit";
import { crc32 } from "@x/objects";
import { describe, expect, it } from "vitest";
import { RefsError } from "../src/errors.ts";
import { getFromReftables, listReftables, parseTablesList } from "../src/reftable/reftable-stack.ts";
import { tableOf } from "./byte-table.ts";

const A = "a".repeat(40);
const HEADER = 24;

function table(shape: ReftableShape = {}, count = 60): Buffer {
  const entries = Array.from({ length: count }, (_, i) => ({
    name: `refs/heads/${String(i).padStart(3, "0")}`,
    value: i % 3 === 0 ? { symbolic: "refs/heads/000" } : { id: A, peeled: A },
  }));
  return writeReftable(entries, { blockSize: 256, ...shape });
}

/** With a checksum that fits again. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(-68, -4), 0), bytes.length - 4);
  return bytes;
}

async function readAll(bytes: Uint8Array): Promise<number> {
  const tables = [await tableOf(bytes)];
  let count = 0;
  for await (const batch of listReftables(tables)) count += batch.length;
  await getFromReftables(tables, "refs/heads/030");
  for await (const batch of listReftables(tables, { prefixes: ["refs/heads/05"] })) count += batch.length;
  return count;
}

/** A broken table is told of, or does not show; nothing else is ever thrown. */
async function isSafe(bytes: Uint8Array): Promise<string> {
  try {
    await readAll(bytes);
    return "read";
  } catch (error) {
    expect(error).toBeInstanceOf(RefsError);
    expect((error as RefsError).code).toBe("refs/malformed");
    return "refused";
  }
}

describe("a broken reftable", () => {
  it.each([
    ["aligned", {}],
    ["unaligned", { unaligned: true }],
  ])("is refused wherever it stops short, %s", async (_, shape) => {
    const whole = table(shape);
    for (let length = 0; length < whole.length; length++)
      expect(await isSafe(whole.subarray(0, length))).toBe("refused");
    expect(await readAll(whole)).toBe(70);
  });

  it("never surprises, whichever bit is wrong", async () => {
    const whole = table({}, 30);
    let refused = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      if ((await isSafe(bytes)) === "refused") refused++;
    }
    expect(refused).toBeGreaterThan(whole.length);
  });

  it("never surprises with wrong ends under a checksum that fits", async () => {
    const whole = table({}, 30);
    for (let at = 0; at < 64; at++)
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const bytes = Buffer.from(whole);
        bytes[bytes.length - 68 + at] = value;
        if (at < HEADER) bytes[at] = value;
        await isSafe(sealed(bytes));
      }
  });

  it.each([
    ["a wrong checksum", (b: Buffer) => b.writeUInt32BE(0, b.length - 4), /checksum/],
    ["header and footer that differ", (b: Buffer) => sealed(b).writeUInt8(9, 23), /differ/],
    ["another magic", (b: Buffer) => b.write("REFX"), /no reftable/],
    ["an unknown version", (b: Buffer) => b.writeUInt8(3, 4), /version 3/],
    ["a block longer than the file", (b: Buffer) => b.writeUIntBE(0xffffff, HEADER + 1, 3), /length/],
    ["a block shorter than its head", (b: Buffer) => b.writeUIntBE(5, HEADER + 1, 3), /length/],
    ["no restarts", (b: Buffer) => b.writeUInt16BE(0, blockEnd(b) - 2), /restarts/],
    ["more restarts than fit", (b: Buffer) => b.writeUInt16BE(0xffff, blockEnd(b) - 2), /restarts/],
    ["a restart outside", (b: Buffer) => b.writeUIntBE(0xffffff, blockEnd(b) - 5, 3), /restart/],
    ["a first name that shares", (b: Buffer) => b.writeUInt8(3, HEADER + 4), /too long/],
    ["a value of an unknown type", (b: Buffer) => b.writeUInt8((14 << 3) | 5, HEADER + 5), /type 5/],
  ])("says what is wrong: %s", async (_, spoil, message) => {
    const bytes = table({ restartInterval: 1000 });
    spoil(bytes);
    await expect(readAll(bytes)).rejects.toThrow(message);
    await expect(readAll(bytes)).rejects.toMatchObject({ code: "refs/malformed" });
  });

  it("refuses a table of another hash", async () => {
    await expect(tableOf(table(), "sha256")).rejects.toMatchObject({ code: "refs/malformed" });
  });

  it("refuses an index that points at itself, forward or at nothing", async () => {
    const whole = table();
    const top = Number(whole.readBigUInt64BE(whole.length - 68 + HEADER));
    expect(top).toBeGreaterThan(0);
    const first = top + 4; // shared, length and type, the name, the position
    const positionAt = first + 2 + "refs/heads/000".length;
    for (const position of [top, top + 100, 0x3fff]) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(0x80 | ((position >> 7) - 1), positionAt);
      bytes.writeUInt8(position & 0x7f, positionAt + 1);
      await expect(tableOf(bytes).then((t) => t.get("refs/heads/000"))).rejects.toMatchObject({
        code: "refs/malformed",
      });
    }
    const astray = Buffer.from(whole);
    astray.writeBigUInt64BE(256n, astray.length - 68 + HEADER);
    await expect(readAll(sealed(astray))).rejects.toThrow(/astray/);
    const outside = Buffer.from(whole);
    outside.writeBigUInt64BE(1n << 60n, outside.length - 68 + HEADER);
    await expect(readAll(sealed(outside))).rejects.toThrow(/outside/);
  });

  it("refuses names out of order, in a block and from one to the next", async () => {
    const entries = ["refs/heads/b", "refs/heads/a"].map((name) => ({ name, value: { id: A } }));
    await expect(readAll(writeReftable(entries))).rejects.toThrow(/order/);
    const long = "x".repeat(60);
    const blocks = ["a", "d", "b"].map((c) => ({ name: `refs/heads/${c}${long}`, value: { id: A } }));
    await expect(readAll(writeReftable(blocks, { blockSize: 160 }))).rejects.toThrow(/order/);
  });

  it("refuses names and targets beyond the limit", async () => {
    const name = `refs/heads/${"x".repeat(16 * 1024)}`;
    const shape = { blockSize: 65_536 };
    await expect(readAll(writeReftable([{ name, value: { id: A } }], shape))).rejects.toThrow(/too long/);
    const link = [{ name: "refs/heads/l", value: { symbolic: name } }];
    await expect(readAll(writeReftable(link, shape))).rejects.toThrow(/too long/);
  });
});

function blockEnd(bytes: Buffer): number {
  return bytes.readUIntBE(HEADER + 1, 3);
}

describe("parseTablesList", () => {
  it("reads names, the oldest first", () => {
    expect(parseTablesList(Buffer.from("0x01-0x01-a.ref\n0x02-0x02-b.ref\n"))).toEqual([
      "0x01-0x01-a.ref",
      "0x02-0x02-b.ref",
    ]);
    expect(parseTablesList(Buffer.from(""))).toEqual([]);
  });

  it.each(["../x", "/etc/passwd", "..", ".", "a\\b", "a\0b"])("refuses the path %j", (name) => {
    expect(() => parseTablesList(Buffer.from(`${name}\n`))).toThrow(/no name of a table/);
  });
});
