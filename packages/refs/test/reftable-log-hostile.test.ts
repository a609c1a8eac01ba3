import { crc32, deflateSync } from "node:zlib";
import type { ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { RefsError } from "../src/errors.ts";
import { logFromReftables } from "../src/reftable/reftable-compaction.ts";
import { decodeReftableLogValue, encodeReftableLogValue } from "../src/reftable/reftable-log.ts";
import { ReftableTable } from "../src/reftable/reftable-table.ts";
import { ReftableWriter } from "../src/reftable/reftable-writer.ts";
import { sourceOf, tableOf } from "./byte-table.ts";
import { testZlib } from "./test-zlib.ts";

const HEADER = 24;
const value = encodeReftableLogValue({
  from: "1".repeat(40) as ObjectId,
  to: "2".repeat(40) as ObjectId,
  name: "A",
  mail: "a@b",
  time: 1_700_000_000,
  zone: 200,
  message: "push\n",
});

/** Logs alone, of 40 refs in several blocks with an index. */
function table(): Buffer {
  const writer = new ReftableWriter({
    format: "sha1",
    blockSize: 512,
    minUpdateIndex: 1n,
    maxUpdateIndex: 1n,
    zlib: testZlib,
  });
  for (let i = 10; i < 50; i++) writer.addLog({ name: `refs/heads/${i}`, updateIndex: 1n, value });
  writer.finish();
  return Buffer.concat(writer.take());
}

async function readAll(bytes: Uint8Array): Promise<number> {
  const opened = await tableOf(bytes);
  const cursor = await opened.seekLog("", testZlib);
  let seen = 0;
  for (; cursor.record !== undefined; seen++) {
    if (cursor.record.value !== undefined) decodeReftableLogValue(cursor.record.value, "sha1");
    await cursor.next();
  }
  for await (const _ of logFromReftables([opened], "refs/heads/30", testZlib)) seen++;
  return seen;
}

async function isSafe(bytes: Uint8Array): Promise<"read" | "refused"> {
  try {
    await readAll(bytes);
    return "read";
  } catch (error) {
    if (error instanceof RefsError && error.code === "refs/malformed") return "refused";
    throw error;
  }
}

/** One block that inflates to `content`, whatever its head says of that. */
function block(content: Uint8Array, length = HEADER + 4 + content.length): Buffer {
  const whole = table();
  const head = Buffer.from(whole.subarray(0, HEADER + 4));
  head.writeUIntBE(length, HEADER + 1, 3);
  const footer = Buffer.from(whole.subarray(-68));
  footer.fill(0, HEADER, 64);
  footer.writeUInt32BE(crc32(footer.subarray(0, -4)), 64);
  return Buffer.concat([head, deflateSync(content), footer]);
}

describe("hostile logs of reftables", () => {
  it("are read when they are none", async () => {
    expect(await readAll(table())).toBe(41);
  });

  it("never surprise, whichever bit is wrong", async () => {
    const whole = table();
    let refused = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      if ((await isSafe(bytes)) === "refused") refused++;
    }
    expect(refused).toBeGreaterThan(whole.length * 4);
  });

  it("never surprise where their content is wrong under a sum that fits", async () => {
    const whole = table();
    const first = HEADER + 4;
    const length = whole.readUIntBE(HEADER + 1, 3);
    const content = Buffer.alloc(length - first + 1);
    testZlib.inflate(whole, first, whole.length, content);
    const sound = content.subarray(0, -1);
    expect(await isSafe(block(sound))).toBe("read");
    for (let at = 0; at < sound.length; at++)
      for (const wrong of [0, 0x7f, 0x80, 0xff]) {
        const spoilt = Buffer.from(sound);
        spoilt[at] = wrong;
        await isSafe(block(spoilt));
      }
    for (let cut = 0; cut < sound.length; cut++)
      expect(await isSafe(block(sound.subarray(0, cut))), String(cut)).toBe("refused");
  });

  it("do not have more room than they can fill", async () => {
    const source = sourceOf(block(new Uint8Array(100), 0xffffff));
    const opened = await ReftableTable.open(source, "sha1");
    const asked: number[] = [];
    const zlib = {
      inflate: (_: Uint8Array, __: number, ___: number, output: Uint8Array) => asked.push(output.length),
    };
    await expect(opened.seekLog("", zlib)).rejects.toThrow(/length/);
    expect(asked).toEqual([]);
  });

  it("say what is wrong", async () => {
    await expect(readAll(block(Buffer.alloc(30), 100))).rejects.toThrow(/inflate/);
    await expect(readAll(block(new Uint8Array(), 5))).rejects.toThrow(/length/);
    const noIndex = new ReftableWriter({
      format: "sha1",
      minUpdateIndex: 1n,
      maxUpdateIndex: 1n,
      zlib: testZlib,
    });
    noIndex.addLog({ name: "x", updateIndex: 1n, value });
    noIndex.finish();
    const bytes = Buffer.concat(noIndex.take());
    const content = Buffer.alloc(bytes.readUIntBE(HEADER + 1, 3) - HEADER - 4 + 1);
    testZlib.inflate(bytes, HEADER + 4, bytes.length, content);
    content[content.indexOf("x\0", 0, "latin1") + 1] = 1;
    await expect(readAll(block(content.subarray(0, -1)))).rejects.toThrow(/no index/);
    expect(() => decodeReftableLogValue(value.subarray(0, 39), "sha1")).toThrow(/short/);
    expect(() => decodeReftableLogValue(value.subarray(0, -1), "sha1")).toThrow(/short/);
  });
});
