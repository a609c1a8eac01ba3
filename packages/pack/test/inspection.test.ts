import { type ObjectType, objectIdFromBytes } from "@x/objects";
import { describe, expect, it } from "vitest";
import {
  ENTRY_BLOB,
  ENTRY_COMMIT,
  ENTRY_TAG,
  ENTRY_TREE,
  entryObjectType,
  referenceBit,
} from "../src/index.ts";
import {
  appending,
  bytesOf,
  concat,
  copy,
  delta,
  insert,
  noise,
  packOf,
  rawId,
  refDelta,
  whole,
} from "./pack-builder.ts";
import { type TakeInOptions, takeIn, verdictOn } from "./take-in.ts";

const hex = (id: Uint8Array) => objectIdFromBytes(id, "sha1");
const entry = (mode: string, name: string, id: Uint8Array) => concat(bytesOf(`${mode} ${name}\0`), id);

interface Shown {
  readonly type: ObjectType | undefined;
  readonly data: Uint8Array;
  readonly id: string;
  readonly base: number | undefined;
}

function shown(pack: Uint8Array, options: TakeInOptions = {}): Shown[] {
  const all: Shown[] = [];
  takeIn(pack, {
    ...options,
    inspect: ({ kind, data, rawId: id, delta: made }) =>
      void all.push({
        type: entryObjectType(kind),
        data: data.slice(),
        id: hex(id),
        base: made?.baseKey,
      }),
  });
  return all;
}

describe("showing what comes in", () => {
  const blob = bytesOf("a blob");
  const tree = entry("100644", "a", rawId(blob));
  const change = appending(tree.length, entry("100644", "b", rawId(blob)));
  const tree2 = concat(tree, entry("100644", "b", rawId(blob)));
  const commit = bytesOf(`tree ${hex(rawId(tree, "tree"))}\n`);
  const tag = bytesOf("object\n");

  it.each([1, 7, 100_000])("shows everything but blobs, in chunks of %i", (chunkBytes) => {
    const pack = packOf([
      whole("blob", blob),
      refDelta(rawId(tree, "tree"), change),
      whole("commit", commit),
      whole("tree", tree),
      whole("tag", tag),
    ]);
    for (const maxBaseBytes of [0, 1 << 20])
      expect(shown(pack, { chunkBytes, maxBaseBytes })).toEqual([
        { type: "commit", data: commit, id: hex(rawId(commit, "commit")), base: undefined },
        { type: "tree", data: tree, id: hex(rawId(tree, "tree")), base: undefined },
        { type: "tag", data: tag, id: hex(rawId(tag, "tag")), base: undefined },
        { type: "tree", data: tree2, id: hex(rawId(tree2, "tree")), base: 3 },
      ]);
  });

  it("shows what is too large to be held while it comes, and what is made of it", () => {
    const large = concat(bytesOf("tree "), noise(600_000));
    const copied: Uint8Array[] = [];
    for (let at = 0; at < large.length; at += 0xffff)
      copied.push(copy(at, Math.min(0xffff, large.length - at)));
    const more = delta(large.length, large.length + 2, ...copied, insert(bytesOf("xy")));
    const pack = packOf([whole("commit", large), refDelta(rawId(large, "commit"), more)]);
    const all = shown(pack, { chunkBytes: 10_000 });
    expect(all.map(({ data }) => data)).toEqual([large, concat(large, bytesOf("xy"))]);
  });

  it("ends when the inspector has had enough", () => {
    const inspect = () => {
      throw new RangeError("enough");
    };
    expect(() => takeIn(packOf([whole("tree", tree)]), { inspect })).toThrow("enough");
  });

  it("reads nothing whole that is longer than allowed", () => {
    const limits = { maxParsedBytes: tree2.length - 1 };
    const deltified = packOf([whole("tree", tree), refDelta(rawId(tree, "tree"), change)]);
    expect(verdictOn(packOf([whole("tree", tree2)]), { limits })).toBe("pack/limit-exceeded");
    expect(verdictOn(packOf([whole("commit", tree2)]), { limits })).toBe("pack/limit-exceeded");
    expect(verdictOn(packOf([whole("tag", tree2)]), { limits })).toBe("pack/limit-exceeded");
    expect(verdictOn(packOf([whole("blob", tree2)]), { limits })).toBe("accepted");
    expect(verdictOn(deltified, { limits })).toBe("pack/limit-exceeded");
    expect(verdictOn(deltified, { limits: { maxParsedBytes: tree2.length } })).toBe("accepted");
    expect(() => takeIn(deltified, { limits })).toThrow(
      `commit, tree or tag exceeds maximum allowed size (${limits.maxParsedBytes} bytes)`,
    );
  });
});

describe("what objects refer to and did not come", () => {
  const blob = bytesOf("a blob");
  const absent = (n: number) => noise(20, n);
  const tree = concat(entry("100644", "a", rawId(blob)), entry("100644", "b", absent(1)));
  const commit = (root: Uint8Array, ...parents: readonly Uint8Array[]) =>
    bytesOf(
      `tree ${hex(root)}\n${parents.map((id) => `parent ${hex(id)}\n`).join("")}author A <a> 1 +0000\n\n`,
    );

  function outer(...entries: readonly Uint8Array[]): Map<string, number> | undefined {
    const { outerReferences } = takeIn(packOf(entries), { gatherReferences: true });
    if (outerReferences === undefined) return undefined;
    const { rows } = outerReferences;
    const found = new Map<string, number>();
    for (let at = 0; at < rows.length; at += 21)
      found.set(hex(rows.subarray(at, at + 20)), rows[at + 20] as number);
    return found;
  }

  it("is told with its types", () => {
    const root = concat(
      entry("40000", "d", rawId(tree, "tree")),
      entry("160000", "module", absent(2)),
      entry("40000", "t", absent(3)),
      entry("120000", "u", absent(4)),
    );
    const top = commit(rawId(root, "tree"), absent(5), absent(6));
    const tag = bytesOf(`object ${hex(absent(7))}\ntype tag\ntag x\n`);
    expect(
      outer(
        whole("commit", top),
        whole("tree", root),
        whole("blob", blob),
        whole("tree", tree),
        whole("tag", tag),
      ),
    ).toEqual(
      new Map([
        [hex(absent(5)), referenceBit(ENTRY_COMMIT)],
        [hex(absent(6)), referenceBit(ENTRY_COMMIT)],
        [hex(absent(3)), referenceBit(ENTRY_TREE)],
        [hex(absent(4)), referenceBit(ENTRY_BLOB)],
        [hex(absent(1)), referenceBit(ENTRY_BLOB)],
        [hex(absent(7)), referenceBit(ENTRY_TAG)],
      ]),
    );
  });

  it("is found in deltas, and nothing is when all came", () => {
    const change = appending(tree.length, entry("40000", "c", absent(8)));
    expect(outer(whole("blob", blob), whole("tree", tree), refDelta(rawId(tree, "tree"), change))?.size).toBe(
      2,
    );
    const small = entry("100644", "a", rawId(blob));
    expect(outer(whole("tree", small), whole("blob", blob))).toEqual(new Map());
  });

  it("is known with both types of what is used as two things, and not when what came is used wrongly", () => {
    const odd = concat(entry("100644", "a", absent(1)), entry("40000", "b", absent(1)));
    expect(outer(whole("tree", odd))?.get(hex(absent(1)))).toBe(
      referenceBit(ENTRY_BLOB) | referenceBit(ENTRY_TREE),
    );
    const wrong = entry("40000", "b", rawId(blob));
    expect(outer(whole("tree", wrong), whole("blob", blob))).toBeUndefined();
    expect(outer(whole("commit", commit(rawId(blob))), whole("blob", blob))).toBeUndefined();
  });

  it.each([
    ["tree", "100644 a\0short"],
    ["commit", "tree 1234\n"],
    ["commit", `tree ${"a".repeat(40)}\nparent ${"A".repeat(40)}\n`],
    ["tag", "object x\n"],
  ] as const)("is not known of a %s like %s", (type, text) => {
    expect(outer(whole(type, bytesOf(text)))).toBeUndefined();
  });

  it("is not known when there is more than came can account for", () => {
    const id = (i: number) => concat(new Uint8Array(17), Uint8Array.of(i >> 16, i >> 8, i));
    const rows = Array.from({ length: 300_000 }, (_, i) => entry("40000", String(100_000 + i), id(i)));
    const pack = packOf([whole("tree", Buffer.concat(rows))]);
    expect(pack.length / 16 + 65_536).toBeLessThan(290_000);
    expect(takeIn(pack, { gatherReferences: true }).outerReferences === undefined).toBe(true);
  });
});
