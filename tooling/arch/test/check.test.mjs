import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { check } from "../check.mjs";
import { TABLE } from "../table.mjs";
import { copyOf, plant } from "./planted.mjs";

const realRoot = fileURLToPath(new URL("../../..", import.meta.url));
const PACKET = "packages/pktline/src/packet.ts";
const lines = (count) => "export {};\n".repeat(count);

/** rule, the file and line it must be reported at, and what is planted */
const PLANTED = [
  [
    "unknown-package",
    "packages/extra/package.json:1",
    { "packages/extra/package.json": '{"name":"@x/extra"}' },
  ],
  [
    "package-name",
    "packages/pktline/package.json:2",
    { "packages/pktline/package.json": '{\n  "name": "pktline"\n}' },
  ],
  [
    "dependency-table",
    "packages/pktline/package.json:4",
    {
      "packages/pktline/package.json":
        '{\n"name": "@x/pktline",\n"dependencies": {\n"@x/objects": "workspace:^"}}',
    },
  ],
  [
    "dependency-table",
    "packages/pktline/package.json:3",
    { "packages/pktline/package.json": '{\n"name": "@x/pktline",\n"dependencies": { "lodash": "4.0.0" }}' },
  ],
  [
    "dependency-table",
    "packages/pktline/package.json:2",
    { "packages/pktline/package.json": '{"name": "@x/pktline",\n"devDependencies": { "jest": "1.0.0" }}' },
  ],
  [
    "workspace-range",
    "packages/storage-fs/package.json:2",
    {
      "packages/storage-fs/package.json":
        '{"name": "@x/storage-fs", "devDependencies": { "@x/pktline": "workspace:^", "@tooling/test-kit": "workspace:*" },\n"dependencies": { "@x/objects": "^1.0.0" }}',
    },
  ],
  ["dependency-table", `${PACKET}:2`, { [PACKET]: '\nimport { hash } from "@x/objects";\n' }],
  ["dependency-table", `${PACKET}:1`, { [PACKET]: 'import type { hash } from "@x/objects";\n' }],
  ["dependency-table", `${PACKET}:1`, { [PACKET]: 'export { hash } from "@x/objects/node";\n' }],
  ["dependency-table", `${PACKET}:1`, { [PACKET]: 'export const late = () => import("@x/objects");\n' }],
  ["dependency-table", `${PACKET}:1`, { [PACKET]: 'export type H = import("@x/objects").Hash;\n' }],
  ["dependency-table", `${PACKET}:1`, { [PACKET]: 'import pako = require("pako");\n' }],
  ["dependency-table", `${PACKET}:1`, { [PACKET]: 'export const p = require("pako");\n' }],
  [
    "dependency-table",
    "packages/pktline/test/a.test.ts:1",
    { "packages/pktline/test/a.test.ts": 'import "lodash";\n' },
  ],
  [
    "undeclared",
    "packages/pktline/test/a.test.ts:1",
    { "packages/pktline/test/a.test.ts": 'import "@x/objects";\n' },
  ],
  [
    "undeclared",
    "packages/storage-fs/src/open.ts:1",
    { "packages/storage-fs/src/open.ts": 'import "@x/pack";\n' },
  ],
  ["computed-import", `${PACKET}:1`, { [PACKET]: "export const load = (name) => import(name);\n" }],
  ["self-import", `${PACKET}:1`, { [PACKET]: 'import "@x/pktline";\n' }],
  ["leaves-package", `${PACKET}:1`, { [PACKET]: 'import "../../objects/src/hash.ts";\n' }],
  ["leaves-src", `${PACKET}:1`, { [PACKET]: 'import "../test/packet.test.ts";\n' }],
  [
    "node-protocol",
    "packages/storage-fs/src/open.ts:1",
    { "packages/storage-fs/src/open.ts": 'import "fs";\n' },
  ],
  ["neutral-import", `${PACKET}:1`, { [PACKET]: 'import { readFileSync } from "node:fs";\n' }],
  [
    "neutral-import",
    "packages/server/src/create.ts:1",
    { "packages/server/src/create.ts": 'import "@x/transport-tcp";\n' },
  ],
  ["neutral-import", `${PACKET}:1`, { [PACKET]: 'export const fs = () => import("node:fs/promises");\n' }],
  [
    "neutral-import",
    "packages/objects/src/never.ts:1",
    {
      "packages/objects/src/never.ts":
        'import type { nodeHash } from "./node.ts";\nexport type Never = typeof nodeHash;\n',
    },
  ],
  ["node-global", `${PACKET}:1`, { [PACKET]: "export const b = Buffer.alloc(1);\n" }],
  ["node-global", `${PACKET}:2`, { [PACKET]: "\nexport const p = globalThis.process;\n" }],
  ["node-global", `${PACKET}:1`, { [PACKET]: "export type B = Buffer;\n" }],
  [
    "no-child-process",
    "packages/storage-fs/src/open.ts:2",
    { "packages/storage-fs/src/open.ts": '\nimport { spawn } from "node:child_process";\n' },
  ],
  [
    "no-child-process",
    "packages/storage-fs/src/open.ts:1",
    { "packages/storage-fs/src/open.ts": 'export const run = () => import("node:child_process");\n' },
  ],
  [
    "import-cycle",
    "packages/pktline/src/b.ts:1",
    {
      "packages/pktline/src/a.ts": 'export { b } from "./b.ts";\n',
      "packages/pktline/src/b.ts": 'import { a } from "./a.ts";\nexport const b = a;\n',
    },
  ],
  ["file-size", `${PACKET}:401`, { [PACKET]: lines(401) }],
  ["file-size", "packages/pktline/test/a.test.ts:801", { "packages/pktline/test/a.test.ts": lines(801) }],
  ["forbidden-name", "packages/pktline/src/utils.ts:1", { "packages/pktline/src/utils.ts": lines(1) }],
  [
    "forbidden-name",
    "packages/pktline/src/helpers/a.ts:1",
    { "packages/pktline/src/helpers/a.ts": lines(1) },
  ],
  ["forbidden-name", "packages/pktline/src/types.ts:1", { "packages/pktline/src/types.ts": lines(1) }],
  ["kebab-case", "packages/pktline/src/pktLine.ts:1", { "packages/pktline/src/pktLine.ts": lines(1) }],
  [
    "index-reexports",
    "packages/pktline/src/index.ts:1",
    { "packages/pktline/src/index.ts": "export const a = 1;\n" },
  ],
  ["default-export", `${PACKET}:2`, { [PACKET]: "\nexport default function packet() {}\n" }],
  ["default-export", `${PACKET}:2`, { [PACKET]: "const a = 1;\nexport default a;\n" }],
  ["default-export", `${PACKET}:2`, { [PACKET]: "const a = 1;\nexport { a as default };\n" }],
  ["enum", `${PACKET}:1`, { [PACKET]: "export enum Kind { A }\n" }],
  ["namespace", `${PACKET}:1`, { [PACKET]: "export namespace Packets {}\n" }],
  [
    "unrun-test",
    "packages/pktline/test/a.test.ts:2",
    { "packages/pktline/test/a.test.ts": 'import { it } from "vitest";\nit.skip("later", () => {});\n' },
  ],
  [
    "unrun-test",
    "packages/pktline/test/a.test.ts:2",
    {
      "packages/pktline/test/a.test.ts":
        'import { describe } from "vitest";\ndescribe.concurrent.only("this", () => {});\n',
    },
  ],
  [
    "neutral-bundle",
    "packages/pktline/dist/index.js:1",
    { "packages/pktline/dist/index.js": 'import "node:fs";\n' },
  ],
  [
    "neutral-bundle",
    "packages/pktline/dist/deep.js:2",
    {
      "packages/pktline/dist/index.js": 'export * from "./deep.js";\n',
      "packages/pktline/dist/deep.js": '\nexport const load = () => import("node:crypto");\n',
    },
  ],
];

describe("limits", () => {
  const listed = (rows) => ({ "LIMITS.md": `| name |\n| ---- |\n${rows}` });
  const source = {
    "packages/pktline/src/limits.ts": "export interface Limits {\n  readonly maxBytes: number;\n}\n",
    "packages/pktline/src/index.ts": 'export type { Limits } from "./limits.ts";\n',
  };
  const tested = { "packages/pktline/test/limits.test.ts": "// maxBytes\n" };
  const rules = async (changes) => (await check(plant(changes))).map(({ rule, file }) => `${rule} ${file}`);

  it("stand in the list, if they are public, and a test names those that do", async () => {
    const row = listed("| `group.maxBytes` |\n");
    expect(await rules({ ...source, ...tested, ...row })).toEqual([]);
    expect(await rules({ ...source, ...tested, ...listed("") })).toEqual([
      "unlisted-limit packages/pktline/src/limits.ts",
    ]);
    expect(await rules({ ...source, ...row })).toEqual(["untested-limit LIMITS.md"]);
    const hidden = { ...source, "packages/pktline/src/index.ts": "export {};\n" };
    expect(await rules({ ...hidden, ...listed("") })).toEqual([]);
  });
});

describe("a planted violation", () => {
  for (const [rule, place, changes] of PLANTED) {
    const name = `${rule} in ${place}`;
    it(`${name}: ${Object.values(changes)[0].trim().split("\n").at(-1).slice(0, 60)}`, async () => {
      const violations = await check(plant(changes));
      expect(violations.map(({ rule, file, line }) => `${rule} ${file}:${line}`)).toEqual([
        `${rule} ${place}`,
      ]);
    });
  }
});

describe("a tree without violations", () => {
  it("passes, small", async () => {
    expect(await check(plant())).toEqual([]);
  });

  it("passes with files at the very limit, and with names that only look forbidden", async () => {
    const changes = {
      [PACKET]: `${lines(396)}export class Queue { process() { return this.process(); } }\nexport const o = { Buffer: 1 };\n// Buffer, process\nexport { o as p };\n`,
      "packages/pktline/test/a.test.ts": lines(800),
      "packages/pktline/src/node/socket.ts": 'import "node:net";\n',
      "packages/pktline/src/type-names.ts": lines(1),
    };
    expect(await check(plant(changes))).toEqual([]);
  });

  it("passes with a description of what somebody else exports", async () => {
    const path = "packages/pktline/src/other.d.ts";
    const text = 'declare module "other" {\n  const other: number;\n  export default other;\n}\n';
    expect(await check(plant({ [path]: text }))).toEqual([]);
  });

  it("passes, ours", async () => {
    expect(await check(realRoot)).toEqual([]);
  });
});

describe("the real tree with a violation in it", () => {
  it("fails when server-core looks into a pack", async () => {
    const path = "packages/server-core/src/planted.ts";
    const root = copyOf(realRoot, {
      [path]: 'import type { PackIndex } from "@x/pack";\nexport type P = PackIndex;\n',
    });
    const planted = (await check(root)).filter(({ file }) => file === path);
    expect(planted).toEqual([
      {
        file: path,
        line: 1,
        rule: "dependency-table",
        message: expect.stringContaining("may not import @x/pack"),
      },
    ]);
  });
});

describe("the table", () => {
  it("has arrows that go downwards only, to packages it knows", () => {
    for (const [name, { level, uses }] of TABLE)
      for (const other of uses) expect(TABLE.get(other)?.level, `${name} → ${other}`).toBeLessThan(level);
  });

  it("keeps server-core and the storages apart, and packs out of server-core", () => {
    for (const [name, { uses }] of TABLE) {
      if (name.startsWith("storage-")) expect(uses).not.toContain("server-core");
      if (name === "server-core") expect(uses).toEqual(["pktline", "objects", "refs"]);
    }
  });
});

describe("the command", () => {
  const run = (root) =>
    spawnSync(process.execPath, [fileURLToPath(new URL("../check.mjs", import.meta.url)), root], {
      encoding: "utf8",
    });

  it("exits 0 and says so when nothing is wrong", () => {
    const { status, stdout, stderr } = run(plant());
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "architecture: no violations\n",
      stderr: "",
    });
  });

  it("exits 1 with a line for each violation", () => {
    const { status, stdout, stderr } = run(plant({ [PACKET]: "export enum A {}\nexport default 1;\n" }));
    expect(status).toBe(1);
    expect(stdout).toBe("architecture: 2 violations\n");
    expect(stderr.trim().split("\n")).toEqual([
      `${PACKET}:1 enum: use a union of literals`,
      `${PACKET}:2 default-export: export it by name`,
    ]);
  });
});
