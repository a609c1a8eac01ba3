import { strict as assert } from "node:assert";
import { formatTree, hashObject, parseTree } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";

const blob = hashObject("sha1", "blob", new TextEncoder().encode("hello\n"));
assert.equal(blob, "ce013625030ba8dba906f756967f9e9ca394464a");

const tree = formatTree([{ mode: 0o100644, name: "greeting", id: blob }]);
assert.deepEqual(parseTree(tree, "sha1"), [{ mode: 0o100644, name: "greeting", id: blob }]);

// The same id from node:crypto, which is faster.
assert.equal(hashObject("sha1", "tree", tree, createNodeHasher), hashObject("sha1", "tree", tree));
