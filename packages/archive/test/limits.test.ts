import { formatTree, hashObject, type ObjectId, type StoredObject } from "@x/objects";
import { beforeEach, describe, expect, it } from "vitest";
import { type ArchiveSource, MAX_EXPANDED_BYTES, makeArchive } from "../src/index.ts";
import { makeWhole, requestFor } from "./archive-of.ts";

let objects: Map<ObjectId, StoredObject>;
let source: ArchiveSource;

beforeEach(() => {
  objects = new Map();
  source = {
    format: "sha1",
    read: (id) => objects.get(id),
    header: (id) => {
      const object = objects.get(id);
      return object && { type: object.type, size: object.data.length };
    },
  };
});

function put(type: StoredObject["type"], data: Uint8Array | string): ObjectId {
  const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  const id = hashObject("sha1", type, bytes);
  objects.set(id, { type, data: bytes });
  return id;
}

function tree(files: Readonly<Record<string, ObjectId>>, mode = 0o100644): ObjectId {
  return put("tree", formatTree(Object.entries(files).map(([name, id]) => ({ mode, name, id }))));
}

/** A tree of trees of trees, each with the one below several times. */
function bomb(depth: number, width: number): ObjectId {
  let id = tree({ file: put("blob", "x") });
  for (let i = 0; i < depth; i++)
    id = tree(Object.fromEntries(Array.from({ length: width }, (_, n) => [`d${n}`, id])), 0o40000);
  return id;
}

function commitOf(id: ObjectId, message = "message\n"): ObjectId {
  const person = "A U Thor <author@example.com> 1112911993 +0000";
  return put("commit", `tree ${id}\nauthor ${person}\ncommitter ${person}\n\n${message}`);
}

const LIMITS = { maxArchiveEntries: 1000, maxArchiveBytes: 1_000_000, maxCpuMs: 1 };

describe("limits of archives", () => {
  it("maxArchiveEntries ends a tree bomb", () => {
    const request = requestFor(bomb(10, 10), { limits: LIMITS });
    expect(() => makeWhole(source, request)).toThrow("the archive exceeds maxArchiveEntries (1000)");
  });

  it("maxArchiveEntries ends a search for what is in no bomb", () => {
    const request = requestFor(bomb(10, 10), { limits: LIMITS, paths: ["*nope"] });
    expect(() => makeWhole(source, request)).toThrow("the archive exceeds maxArchiveEntries (1000)");
  });

  it.each(["tar", "tar.gz", "zip"] as const)("maxArchiveBytes ends a %s", (format) => {
    // Nothing that a gzip could make small.
    let state = 1;
    const noise = Uint8Array.from({ length: 1_500_000 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 16;
    });
    const request = requestFor(tree({ file: put("blob", noise) }), { format, limits: LIMITS });
    expect(() => makeWhole(source, request)).toThrow("the archive exceeds maxArchiveBytes (1000000)");
  });

  it("gives way often, however little comes out", () => {
    let pauses = 0;
    const steps = makeArchive(source, requestFor(bomb(4, 5)), { createHasher: () => ({}) as never });
    for (const step of steps) if (step === undefined) pauses++;
    expect(pauses).toBeGreaterThan(700);
  });

  it("trees are not followed for ever", () => {
    let id = tree({ file: put("blob", "x") });
    for (let i = 0; i < 2100; i++) id = tree({ d: id }, 0o40000);
    expect(() => makeWhole(source, requestFor(id))).toThrow("exceeded maximum allowed tree depth");
  });

  it("a short file does not become a long one", () => {
    const formats = put("blob", "$Format:%B$".repeat(1000));
    const root = tree({ ".gitattributes": put("blob", "file export-subst\n"), file: formats });
    const commit = commitOf(root, "x".repeat(MAX_EXPANDED_BYTES / 1000 + 100));
    expect(() => makeWhole(source, requestFor(root, { commit }))).toThrow(
      `a file with export-subst exceeds ${MAX_EXPANDED_BYTES} bytes`,
    );
  });

  it("nor by padding", () => {
    const root = tree({
      ".gitattributes": put("blob", "file export-subst\n"),
      file: put("blob", "$Format:%<(16384)%s%<(16385)%s$"),
    });
    const { bytes } = makeWhole(source, requestFor(root, { commit: commitOf(root) }));
    const text = bytes.toString("latin1");
    expect(text).toContain(`message${" ".repeat(16_384 - 7)}%<(16385)message`);
  });

  it("there is one description in an archive", () => {
    const root = tree({
      ".gitattributes": put("blob", "file export-subst\n"),
      file: put("blob", "$Format:<%(describe:tags)> <%(describe:tags)>$"),
    });
    const commit = commitOf(root);
    const refs = [{ name: "refs/tags/v1", id: commit }];
    const { bytes } = makeWhole(source, requestFor(root, { commit }), refs);
    expect(bytes.toString("latin1")).toContain("<v1> <%(describe:tags)>");
  });

  it("nothing hostile in a tree is followed", () => {
    const link = put("blob", "../../../etc/passwd");
    const root = put(
      "tree",
      formatTree([
        { mode: 0o120000, name: "link", id: link },
        { mode: 0o104755, name: "setuid", id: put("blob", "x") },
      ]),
    );
    const { bytes } = makeWhole(source, requestFor(root));
    expect(bytes.toString("latin1", 157, 176)).toBe("../../../etc/passwd");
    expect(bytes.toString("latin1", 512, 518)).toBe("setuid");
    expect(bytes.toString("latin1", 612, 619)).toBe("0000775");
  });

  it.each([
    [2 ** 33 - 1, false],
    [2 ** 33, true],
    [2 ** 40 + 7, true],
  ])("1.10 a file of %d bytes says so where a tar file can", (size, isExtended) => {
    const id = put("blob", "");
    const root = tree({ large: id });
    const large: ArchiveSource = {
      ...source,
      header: (one) => (one === id ? { type: "blob", size } : source.header(one)),
      *stream() {
        for (;;) yield new Uint8Array(65_536);
      },
    };
    let bytes = Buffer.alloc(0);
    const settings = { ...requestFor(root).settings, bigFileThreshold: 1 };
    const request = { ...requestFor(root), settings };
    for (const step of makeArchive(large, request, { createHasher: () => ({}) as never })) {
      if (step?.kind === "bytes") bytes = Buffer.concat([bytes, step.bytes]);
      if (bytes.length > 4096) break;
    }
    const text = bytes.toString("latin1");
    const at = isExtended ? 1024 : 0;
    expect(text.includes(` size=${size}\n`)).toBe(isExtended);
    if (isExtended) expect(text.slice(156, 157)).toBe("x");
    expect(text.slice(at, at + 5)).toBe("large");
    expect(text.slice(at + 124, at + 135)).toBe(isExtended ? "00000000000" : size.toString(8));
  });

  it.each([
    ["a missing tree", () => tree({ d: "1".repeat(40) as ObjectId }, 0o40000), "unable to read tree"],
    ["a missing blob", () => tree({ f: "1".repeat(40) as ObjectId }), "cannot read '1111"],
    ["a blob for a tree", () => tree({ d: put("blob", "x") }, 0o40000), "unable to read tree"],
    ["a malformed tree", () => put("tree", "100644 x"), "malformed tree"],
  ])("%s is told", (_, make, message) => {
    expect(() => makeWhole(source, requestFor(make()))).toThrow(message);
  });
});
