// Rules about limits: each stands in LIMITS.md, and a test names each that stands there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LIST = "LIMITS.md";
/** `| `name` (…) |`, with a dot for those of a group or of git's configuration. */
const ROW = /^\| `([\w.]+)`/;
const MEMBER = /^ {2}readonly (\w+)\??:/;
/** Members that are groups of limits. */
const GROUPS = new Set(["receive"]);

/** @returns violations; none where there is no list */
export function* checkLimits(root, packages) {
  if (!existsSync(join(root, LIST))) return;
  const rows = new Map();
  for (const [i, text] of readFileSync(join(root, LIST), "utf8").split("\n").entries()) {
    const name = ROW.exec(text)?.[1];
    if (name !== undefined) rows.set(lastOf(name), { line: i + 1, name });
  }
  for (const { path: own, files } of packages) {
    const index = readFileSync(join(root, own, "src/index.ts"), "utf8");
    const door = files.some(({ path }) => path === `${own}/src/node.ts`)
      ? readFileSync(join(root, own, "src/node.ts"), "utf8")
      : "";
    const isPublic = (name) => `${index}${door}`.includes(name);
    for (const { path, folder } of files)
      if (folder === "src") yield* checkMembers(root, path, rows, isPublic);
  }
  const words = wordsOfTests(root, packages);
  for (const [word, { line, name }] of rows)
    if (!words.has(word))
      yield { file: LIST, line, rule: "untested-limit", message: `no test names ${name}` };
}

function* checkMembers(root, path, rows, isPublic) {
  let inLimits = false;
  for (const [i, line] of readFileSync(join(root, path), "utf8").split("\n").entries()) {
    const group = /^export interface (\w*Limits)\b/.exec(line)?.[1];
    if (group !== undefined) inLimits = isPublic(group);
    else if (line.startsWith("}")) inLimits = false;
    const name = inLimits ? MEMBER.exec(line)?.[1] : undefined;
    if (name === undefined || rows.has(name) || GROUPS.has(name)) continue;
    yield { file: path, line: i + 1, rule: "unlisted-limit", message: `${name} is not in ${LIST}` };
  }
}

function wordsOfTests(root, packages) {
  const words = new Set();
  const own = packages.flatMap(({ files }) => files.map(({ path }) => path));
  for (const path of [...own, ...endToEnd(root)].filter((path) => path.endsWith(".test.ts")))
    for (const word of readFileSync(join(root, path), "utf8").match(/\w+/g) ?? []) words.add(word);
  return words;
}

function endToEnd(root) {
  const directory = "tooling/e2e/test";
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory)).map((name) => `${directory}/${name}`);
}

const lastOf = (name) => name.slice(name.lastIndexOf(".") + 1);
