import { execFileSync } from "node:child_process";
import { gitEnvironment } from "@tooling/test-kit";
import { type ObjectFormat, type ObjectId, parseObjectId, type StoredObject } from "@x/objects";
import type { ArchiveSource } from "../src/index.ts";

/** Everything that a repository holds, in memory. Large blobs come in pieces. */
export function readSource(
  directory: string,
  format: ObjectFormat,
  more: Partial<ArchiveSource> = {},
): ArchiveSource {
  const objects = new Map<ObjectId, StoredObject>();
  const all = execFileSync("git", ["cat-file", "--batch-all-objects", "--batch"], {
    cwd: directory,
    env: gitEnvironment(),
    maxBuffer: 1 << 30,
  });
  for (let at = 0; at < all.length; ) {
    const end = all.indexOf(0x0a, at);
    const [hex = "", type, size] = all.toString("latin1", at, end).split(" ");
    const data = new Uint8Array(all.subarray(end + 1, end + 1 + Number(size)));
    objects.set(parseObjectId(hex, format) as ObjectId, { type: type as StoredObject["type"], data });
    at = end + 1 + Number(size) + 1;
  }
  return {
    format,
    read: (id) => objects.get(id),
    header: (id) => {
      const object = objects.get(id);
      return object && { type: object.type, size: object.data.length };
    },
    *stream(id) {
      const { data } = objects.get(id) as StoredObject;
      for (let at = 0; at < data.length; at += 50_000) yield data.subarray(at, at + 50_000);
    },
    ...more,
  };
}
