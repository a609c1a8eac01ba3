import { strict as assert } from "node:assert";
import { createHasher, formatTree, hashObject, type ObjectId, type StoredObject } from "@x/objects";
import { createZlibCodec, makePack, ObjectTable } from "@x/pack";

// Objects may lie in packs (a PackReader each) or loose; here two, in a Map.
const objects = new Map<ObjectId, StoredObject>();
function put(type: StoredObject["type"], data: Uint8Array): ObjectId {
  const id = hashObject("sha1", type, data);
  objects.set(id, { type, data });
  return id;
}
const blob = put("blob", new TextEncoder().encode("hello\n"));
const tree = put("tree", formatTree([{ mode: 0o100644, name: "greeting", id: blob }]));

const table = new ObjectTable("sha1", [], {
  has: (id) => objects.has(id),
  read: (id) => objects.get(id),
  header: (id) => {
    const object = objects.get(id);
    return object && { type: object.type, size: object.data.length };
  },
});

let bytes = 0;
let sent = 0;
for (const event of makePack(
  table,
  { wants: [tree], haves: [] },
  { codec: createZlibCodec(), createHasher },
)) {
  if (event?.kind === "bytes") bytes += event.bytes.length;
  if (event?.kind === "summary") sent = event.summary.objects;
}
assert.equal(sent, 2);
assert(bytes > 12 + 20);
