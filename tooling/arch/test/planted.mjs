// A small tree that keeps every rule, to plant one violation at a time in.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

const manifest = (name, fields = {}) => JSON.stringify({ name: `@x/${name}`, ...fields }, null, 2);

/** Path → text of a tree without violations. */
const CLEAN = {
  "packages/pktline/package.json": manifest("pktline"),
  "packages/pktline/src/index.ts": 'export { flush } from "./packet.ts";\n',
  "packages/pktline/src/packet.ts": 'export const flush = "0000";\n',
  "packages/pktline/dist/index.js": 'export const flush = "0000";\n',
  "packages/pktline/test/packet.test.ts":
    'import { expect, it } from "vitest";\nimport { flush } from "../src/packet.ts";\n\nit("is four zeros", () => expect(flush).toBe("0000"));\n',
  "packages/objects/package.json": manifest("objects", { dependencies: { "@noble/hashes": "2.4.0" } }),
  "packages/objects/src/index.ts": 'export { hash } from "./hash.ts";\n',
  "packages/objects/src/hash.ts":
    'import { sha1 } from "@noble/hashes/legacy.js";\nimport type { Never } from "./never.ts";\nexport const hash: Never = sha1;\n',
  "packages/objects/src/never.ts":
    'import type { hash } from "./hash.ts";\nexport type Never = typeof hash;\n',
  "packages/objects/src/node.ts":
    'import { createHash } from "node:crypto";\nexport const nodeHash = (data) => createHash("sha1").update(Buffer.from(data));\n',
  "packages/objects/dist/index.js": "export const hash = 1;\n",
  "packages/objects/dist/node.js": 'import "node:crypto";\n',
  "packages/server/package.json": manifest("server", { dependencies: { "@x/transport-tcp": "workspace:^" } }),
  "packages/server/src/index.ts": "export {};\n",
  "packages/server/src/node.ts": 'import "@x/transport-tcp";\n',
  "packages/server/dist/index.js": "export {};\n",
  "packages/storage-fs/package.json": manifest("storage-fs", {
    dependencies: { "@x/objects": "workspace:^" },
    devDependencies: { "@x/pktline": "workspace:^", "@tooling/test-kit": "workspace:*" },
  }),
  "packages/storage-fs/src/index.ts": 'export { open } from "./open.ts";\n',
  "packages/storage-fs/src/open.ts":
    'import { openSync } from "node:fs";\nimport { hash } from "@x/objects";\nexport const open = () => process.pid + openSync(hash);\n',
  "packages/storage-fs/test/open.git.test.ts":
    'import { execFile } from "node:child_process";\nimport { git } from "@tooling/test-kit";\nimport { flush } from "@x/pktline";\nvoid [execFile, git, flush];\n',
};

const made = [];
afterAll(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** @param {Record<string, string>} changes files to write over, or to add to, the clean tree */
export function plant(changes = {}) {
  const root = temporary();
  write(root, { ...CLEAN, ...changes });
  return root;
}

/** A copy of the real tree's manifests, sources and builds. */
export function copyOf(realRoot, changes) {
  const root = temporary();
  cpSync(join(realRoot, "packages"), join(root, "packages"), {
    recursive: true,
    filter: (path) => !/\/(?:node_modules|reports|\.turbo)$/.test(path),
  });
  write(root, changes);
  return root;
}

function temporary() {
  const root = mkdtempSync(join(tmpdir(), "x-arch-"));
  made.push(root);
  return root;
}

function write(root, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
