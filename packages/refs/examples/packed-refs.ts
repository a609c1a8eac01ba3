import { strict as assert } from "node:assert";
import { isValidRefName, parsePackedRefs, selectPrefixes } from "@x/refs";

const file = new TextEncoder().encode(
  "# pack-refs with: peeled fully-peeled sorted \n" +
    "1111111111111111111111111111111111111111 refs/heads/main\n" +
    "2222222222222222222222222222222222222222 refs/tags/v1.0\n" +
    "^1111111111111111111111111111111111111111\n",
);
const packed = parsePackedRefs(file, "sha1");

assert.equal(packed.length, 2);
assert.equal(packed.get("refs/tags/v1.0")?.peeled, "1111111111111111111111111111111111111111");
assert.deepEqual(selectPrefixes(packed, ["refs/tags/"]), [{ start: 1, end: 2 }]);
assert.equal(isValidRefName("refs/heads/a..b"), false);
