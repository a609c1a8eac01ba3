import { createHasher, formatTree, hashObject, type ObjectId, type StoredObject } from "@x/objects";
import { expect, it } from "vitest";
import { type ArchiveSource, type ArchiveTools, type Gzip, makeArchive } from "../src/index.ts";
import { requestFor } from "./archive-of.ts";

it("a tar file goes through the gzip that the tools bring, in blocks of its size", () => {
  const data = Uint8Array.from({ length: 25_000 }, (_, at) => at % 251);
  const blob: StoredObject = { type: "blob", data };
  const id = hashObject("sha1", "blob", data);
  const tree = formatTree([{ mode: 0o100644, name: "file", id }]);
  const treeId = hashObject("sha1", "tree", tree);
  const objects = new Map<ObjectId, StoredObject>([
    [id, blob],
    [treeId, { type: "tree", data: tree }],
  ]);
  const source: ArchiveSource = {
    format: "sha1",
    read: (one) => objects.get(one),
    header: (one) => {
      const object = objects.get(one);
      return object && { type: object.type, size: object.data.length };
    },
  };
  const blocks: number[] = [];
  let rest = -1;
  const createGzip = (level: number | undefined): Gzip => ({
    blockBytes: 4096,
    *write(block) {
      expect(level).toBe(3);
      blocks.push(block.length);
      yield block;
    },
    *end(bytes) {
      rest = bytes.length;
      yield bytes;
    },
  });
  const made = (format: "tar" | "tar.gz", tools: Partial<ArchiveTools> = {}) => {
    const pieces: Uint8Array[] = [];
    for (const step of makeArchive(
      source,
      { ...requestFor(treeId), format, level: 3 },
      { createHasher, ...tools },
    ))
      if (step?.kind === "bytes") pieces.push(step.bytes);
    return Buffer.concat(pieces);
  };
  const tar = made("tar");
  expect(made("tar.gz", { createGzip }).equals(tar)).toBe(true);
  expect(new Set(blocks)).toEqual(new Set([4096]));
  expect(blocks.length * 4096 + rest).toBe(tar.length);
});
