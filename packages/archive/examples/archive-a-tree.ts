import { strict as assert } from "node:assert";
import { makeArchive } from "@x/archive";
import { createHasher, formatTree, hashObject, type ObjectId, type StoredObject } from "@x/objects";

// Objects may lie anywhere; here two, in a Map.
const objects = new Map<ObjectId, StoredObject>();
function put(type: StoredObject["type"], data: Uint8Array): ObjectId {
  const id = hashObject("sha1", type, data);
  objects.set(id, { type, data });
  return id;
}
const blob = put("blob", new TextEncoder().encode("hello\n"));
const tree = put("tree", formatTree([{ mode: 0o100644, name: "greeting", id: blob }]));

const steps = makeArchive(
  {
    format: "sha1",
    read: (id) => objects.get(id),
    header: (id) => {
      const object = objects.get(id);
      return object && { type: object.type, size: object.data.length };
    },
  },
  {
    format: "tar",
    tree,
    time: 1_112_911_993,
    prefix: "demo/",
    paths: [],
    settings: {
      umask: 0o002,
      lineEndings: { autocrlf: "false", eol: "lf" },
      bigFileThreshold: 512 * 1024 * 1024,
      ignoreCase: false,
      binaryDrivers: new Map(),
    },
  },
  { createHasher },
);
let bytes = 0;
for (const step of steps) if (step?.kind === "bytes") bytes += step.bytes.length;
assert.equal(bytes, 10_240);
