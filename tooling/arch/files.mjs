// Rules about single files: size, name, and what a file of ours does not contain.
import { basename } from "node:path";
import { isNodeDoor } from "./dependencies.mjs";
import { FORBIDDEN_NAMES, MAX_LINES, TABLE } from "./table.mjs";

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*$/;
/** Where each finding of a syntax tree is a violation. */
const FOLDERS_OF = new Map([
  ["default-export", ["src", "test"]],
  ["enum", ["src", "test", "examples"]],
  ["namespace", ["src", "test", "examples"]],
  ["node-global", ["src"]],
  ["unrun-test", ["test"]],
]);

export function* checkFiles(packages) {
  for (const pkg of packages) {
    const neutral = TABLE.get(pkg.name)?.neutral ?? false;
    for (const file of pkg.files) {
      const { path, folder, lines } = file;
      const most = MAX_LINES.get(folder);
      if (lines > most)
        yield { file: path, line: most + 1, rule: "file-size", message: `${lines} lines, at most ${most}` };
      yield* checkName(pkg, file);
      if (path === `${pkg.path}/src/index.ts` && !file.onlyReexports)
        yield {
          file: path,
          line: 1,
          rule: "index-reexports",
          message: "index.ts holds `export … from` only",
        };
      for (const { rule, line, message } of file.findings) {
        if (!FOLDERS_OF.get(rule).includes(folder)) continue;
        if (rule === "node-global" && (!neutral || isNodeDoor(path))) continue;
        yield { file: path, line, rule, message };
      }
    }
  }
}

function* checkName(pkg, { path }) {
  const parts = path.slice(pkg.path.length + 1).split("/");
  for (const part of parts) {
    const stem = basename(part).replace(/\.[cm]?tsx?$/, "");
    if (FORBIDDEN_NAMES.has(stem.split(".")[0]))
      yield { file: path, line: 1, rule: "forbidden-name", message: `name "${part}" after what is inside` };
    else if (!KEBAB.test(stem))
      yield { file: path, line: 1, rule: "kebab-case", message: `"${part}" is not in kebab-case` };
  }
}
