import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { git } from "@tooling/test-kit";
import { hashObject, type ObjectFormat, type ObjectId, type ReceiveLimits } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { ENTRY_BLOB, ENTRY_OFS_DELTA, ENTRY_REF_DELTA, encodeBaseDistance, encodeEntryHeader } from "@x/pack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
import { emptyRepository, inPieces, storeOf } from "./made-repository.ts";

const MIB = 1024 * 1024;
/** Above what is held in memory. */
const SIZE = 12 * MIB;

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => pool.close());

/** Files that are open without a name. */
const openSpills = () =>
  readdirSync("/proc/self/fd").filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).includes("tmp_spill");
    } catch {
      return false; // closed meanwhile
    }
  });

const incoming = (directory: string) =>
  readdirSync(join(directory, "objects")).filter((name) => name.startsWith("tmp_"));

const lines = (line: string): Buffer => Buffer.alloc(SIZE, line);

function entry(type: number, size: number, base: Uint8Array, data: Uint8Array): Buffer {
  const head = new Uint8Array(16);
  const end = encodeEntryHeader(head, 0, type, size);
  return Buffer.concat([head.subarray(0, end), base, deflateSync(data, { level: 1 })]);
}

const whole = (data: Uint8Array) => entry(ENTRY_BLOB, data.length, new Uint8Array(0), data);

function ofsDelta(distance: number, delta: Uint8Array): Buffer {
  const digits = new Uint8Array(16);
  return entry(
    ENTRY_OFS_DELTA,
    delta.length,
    digits.subarray(0, encodeBaseDistance(digits, 0, distance)),
    delta,
  );
}

const refDelta = (base: ObjectId, delta: Uint8Array) =>
  entry(ENTRY_REF_DELTA, delta.length, Buffer.from(base, "hex"), delta);

/** A delta that has all of a base of `size` bytes, but for a word before it. */
function prepending(word: string, size: number): Uint8Array {
  const bytes: number[] = [];
  for (let value of [size, size + word.length]) {
    for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
    bytes.push(value);
  }
  bytes.push(word.length, ...Buffer.from(word));
  for (let at = 0; at < size; at += 0x10000) {
    const part = Math.min(size - at, 0xffff + 1) & 0xffff; // 64 KiB is spelled as 0
    bytes.push(0x80 | 0x3f, at & 255, (at >> 8) & 255, (at >> 16) & 255, at >>> 24, part & 255, part >> 8);
  }
  return Uint8Array.from(bytes);
}

function packOf(entries: readonly Uint8Array[], format: ObjectFormat): Uint8Array {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  head.writeUInt32BE(entries.length, 8);
  const body = Buffer.concat([head, ...entries]);
  const hasher = createNodeHasher(format);
  hasher.update(body);
  return Buffer.concat([body, hasher.digest()]);
}

describe.each<ObjectFormat>(["sha1", "sha256"])("large objects of %s that come as deltas", (format) => {
  const first = lines("a line that is there many times\n");
  const second = Buffer.concat([Buffer.from("new "), first]);
  const third = Buffer.concat([Buffer.from("newer "), second]);
  const ids = new Map<Uint8Array, ObjectId>();
  const id = (data: Uint8Array) => {
    const known = ids.get(data) ?? hashObject(format, "blob", data);
    ids.set(data, known);
    return known;
  };
  const deltas = packOf(
    [
      whole(first),
      ofsDelta(whole(first).length, prepending("new ", SIZE)),
      refDelta(id(second), prepending("newer ", SIZE + 4)),
    ],
    format,
  );

  async function open() {
    const repository = await emptyRepository(format);
    return { ...repository, store: storeOf(pool, repository) };
  }
  type Opened = Awaited<ReturnType<typeof open>>;

  async function take({ store, directory }: Opened, pack: Uint8Array, limits: ReceiveLimits = {}) {
    const quarantine = await store.receive();
    try {
      await quarantine.takePack(inPieces(pack, 50_000), { limits });
      expect(openSpills()).toEqual([]);
      // What was held in memory has left no directory behind.
      expect(incoming(directory)).toEqual([]);
      await quarantine.publish();
    } finally {
      await quarantine.discard();
      expect(openSpills()).toEqual([]);
      expect(incoming(directory)).toEqual([]);
    }
  }

  /** Everything is there, to git as well. */
  async function expectStored({ directory, store }: Opened, ...all: readonly Uint8Array[]) {
    expect(await store.has(all.map(id))).toEqual(all.map(() => true));
    await git(["fsck", "--strict", "--no-dangling"], { cwd: directory });
  }

  it("are taken in and leave nothing but the pack", async () => {
    const opened = await open();
    await take(opened, deltas);
    await expectStored(opened, first, second, third);
    const read = await opened.store.read(id(third));
    expect(Buffer.compare(read?.data as Uint8Array, third)).toBe(0);
    // The same once more, which is compared with what is there.
    await take(opened, deltas);
  });

  it("may build on what lies whole in a pack, as a delta, or loose", async () => {
    const opened = await open();
    await take(opened, packOf([whole(first)], format));
    await take(opened, packOf([refDelta(id(first), prepending("new ", SIZE))], format));
    await take(opened, packOf([refDelta(id(second), prepending("newer ", SIZE + 4))], format));
    await expectStored(opened, first, second, third);
    const loose = await open();
    await git(["hash-object", "-w", "--stdin"], { cwd: loose.directory, input: second });
    await take(loose, packOf([refDelta(id(second), prepending("newer ", SIZE + 4))], format));
    await expectStored(loose, second, third);
  });

  it("leave nothing when they are refused", async () => {
    const opened = await open();
    const wrong = packOf(
      [whole(first), ofsDelta(whole(first).length, prepending("new ", SIZE).subarray(0, -5))],
      format,
    );
    await expect(take(opened, wrong)).rejects.toThrow("failed to apply delta");
    await expect(take(opened, deltas, { maxSpillBytes: 2 * SIZE })).rejects.toThrow(
      `receive.maxSpillBytes (${2 * SIZE} bytes)`,
    );
    await expect(take(opened, deltas, { maxDeltaObjectBytes: SIZE + 9 })).rejects.toThrow(
      "delta base or result exceeds maximum allowed size",
    );
    await take(opened, deltas, { maxSpillBytes: 2 * SIZE + 4, maxDeltaObjectBytes: SIZE + 10 });
  });

  it("leave nothing when the push is called off", async () => {
    const { store, directory } = await open();
    const quarantine = await store.receive();
    const control = new AbortController();
    const taking = quarantine.takePack(inPieces(deltas, 50_000), { limits: {}, signal: control.signal });
    const seen = (async () => {
      while (openSpills().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      control.abort(new Error("called off"));
    })();
    await expect(taking).rejects.toThrow("called off");
    await seen;
    await quarantine.discard();
    await expect.poll(() => [...openSpills(), ...incoming(directory)]).toEqual([]);
  });
});
