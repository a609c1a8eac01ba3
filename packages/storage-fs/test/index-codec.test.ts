import { createHash } from "node:crypto";
import type { ObjectFormat, ObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { StorageFsError } from "../src/errors.ts";
import { decodeIndex } from "../src/work-tree/decode-index.ts";
import { encodeIndex } from "../src/work-tree/encode-index.ts";
import { type Index, type IndexEntry, NO_STAT } from "../src/work-tree/index-entry.ts";

const FORMATS: readonly ObjectFormat[] = ["sha1", "sha256"];
const idOf = (format: ObjectFormat, digit: string) => digit.repeat(format === "sha1" ? 40 : 64) as ObjectId;

function entryOf(format: ObjectFormat, path: string, more: Partial<IndexEntry> = {}): IndexEntry {
  return {
    path,
    mode: 0o100644,
    id: idOf(format, "a"),
    stat: { ...NO_STAT, mtimeSeconds: 0xffff_ffff, size: path.length },
    stage: 0,
    assumeValid: false,
    skipWorktree: false,
    intentToAdd: false,
    ...more,
  };
}

const encode = (index: Pick<Index, "version" | "entries">, format: ObjectFormat, cacheTree?: Uint8Array) =>
  Buffer.concat([...encodeIndex(index, { format, skipHash: false, cacheTree })]);

/** The same with its hash put right. */
function rehashed(bytes: Buffer): Buffer {
  const body = bytes.subarray(0, bytes.length - 20);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof StorageFsError ? error.code : String(error);
  }
}

describe.each(FORMATS)("an index file, %s", (format) => {
  const plain = [
    entryOf(format, "a", { mode: 0o120000 }),
    entryOf(format, "a/b", { mode: 0o100755 }),
    entryOf(format, "a/bc", { mode: 0o160000, assumeValid: true }),
    entryOf(format, "d", { stage: 1 }),
    entryOf(format, "d", { stage: 3 }),
    entryOf(format, "\u00ff".repeat(5000)),
  ];
  const extended = [
    entryOf(format, "a", { skipWorktree: true }),
    entryOf(format, "b", { intentToAdd: true }),
  ];

  it.each([2, 3, 4] as const)("comes back as it was written, version %i", (version) => {
    for (const entries of [[], plain, extended, [...extended, ...plain.slice(3)]]) {
      const index = decodeIndex(encode({ version, entries }, format), format);
      expect(index.entries).toEqual(entries);
      const isExtended = entries.some((entry) => entry.skipWorktree || entry.intentToAdd);
      expect(index.version).toBe(version === 4 ? 4 : isExtended ? 3 : 2);
    }
  });

  it.each([2, 4] as const)("is refused when cut off or changed anywhere, version %i", (version) => {
    const whole = encode({ version, entries: plain.slice(0, 5) }, format);
    for (let length = 0; length < whole.length; length++)
      expect(codeOf(() => decodeIndex(whole.subarray(0, length), format))).toBe("storage-fs/bad-index");
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8((bytes[at] as number) ^ 1, at);
      expect(codeOf(() => decodeIndex(bytes, format))).toMatch(/^storage-fs\/(?:bad|unsupported)-index$/);
    }
  });

  it("may go without a hash", () => {
    const bytes = Buffer.concat([...encodeIndex({ version: 2, entries: plain }, { format, skipHash: true })]);
    expect(bytes.subarray(-20).every((byte) => byte === 0)).toBe(true);
    expect(decodeIndex(bytes, format).entries).toEqual(plain);
  });

  it("tells the tree that it makes up, if all entries are in it", () => {
    const tree = (count: number) =>
      Buffer.concat([Buffer.from(`\0${count} 0\n`), Buffer.from(idOf(format, "b"), "hex")]);
    const bytes = (count: number) => encode({ version: 2, entries: plain }, format, tree(count));
    expect(decodeIndex(bytes(plain.length), format).tree).toBe(idOf(format, "b"));
    expect(decodeIndex(bytes(plain.length - 1), format).tree).toBeUndefined();
    expect(decodeIndex(encode({ version: 2, entries: plain }, format), format).tree).toBeUndefined();
  });
});

describe("an index that is refused", () => {
  const bytes = encode({ version: 2, entries: [entryOf("sha1", "a"), entryOf("sha1", "b")] }, "sha1");
  /** Entries begin at 12 and are 64 bytes long, the mode at 24, the flags at 60, the path at 62. */
  const changed = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(bytes);
    change(copy);
    return codeOf(() => decodeIndex(rehashed(copy), "sha1"));
  };
  const withExtension = (name: string) => {
    const head = Buffer.from(`${name}\0\0\0\0`, "latin1");
    const copy = Buffer.concat([bytes.subarray(0, -20), head, Buffer.alloc(20)]);
    return codeOf(() => decodeIndex(rehashed(copy), "sha1"));
  };

  it("has a version that is not known", () => {
    expect(changed((copy) => copy.writeUInt32BE(5, 4))).toBe("storage-fs/unsupported-index");
  });

  it("declares more entries than there are", () => {
    expect(changed((copy) => copy.writeUInt32BE(0xffff_ffff, 8))).toBe("storage-fs/bad-index");
  });

  it("has entries out of order, or twice", () => {
    expect(changed((copy) => copy.write("b", 12 + 62))).toBe("storage-fs/bad-index");
    expect(changed((copy) => copy.write("c", 12 + 62))).toBe("storage-fs/bad-index");
  });

  it("has a mode that is none, or that of a directory", () => {
    expect(changed((copy) => copy.writeUInt32BE(0o020000, 12 + 24))).toBe("storage-fs/bad-index");
    expect(changed((copy) => copy.writeUInt32BE(0o040000, 12 + 24))).toBe("storage-fs/unsupported-index");
  });

  it("has a path of another length than it says", () => {
    expect(changed((copy) => copy.writeUInt16BE(2, 12 + 60))).toBe("storage-fs/bad-index");
  });

  it("has an extension that must not be passed over", () => {
    expect(withExtension("link")).toBe("storage-fs/unsupported-index");
    expect(withExtension("sdir")).toBe("storage-fs/unsupported-index");
    expect(withExtension("zzzz")).toBe("storage-fs/unsupported-index");
    expect(withExtension("ZZZZ")).toBeUndefined();
  });

  it("cuts more off a path than there is", () => {
    const whole = encode({ version: 4, entries: [entryOf("sha1", "a")] }, "sha1");
    whole.writeUInt8(1, 12 + 62);
    expect(codeOf(() => decodeIndex(rehashed(whole), "sha1"))).toBe("storage-fs/bad-index");
  });
});
