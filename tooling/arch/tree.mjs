// Reads what there is to check: every package with its manifest and its TypeScript files.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { readSourceFile } from "./source-file.mjs";

const FOLDERS = ["src", "test", "examples"];

/** Paths are relative to `root` and use "/". */
export function readTree(root) {
  const packages = [];
  for (const name of readdirSync(join(root, "packages")).sort()) {
    const directory = join(root, "packages", name);
    const manifestPath = join(directory, "package.json");
    if (!existsSync(manifestPath)) continue;
    const manifestText = readFileSync(manifestPath, "utf8");
    const files = FOLDERS.flatMap((folder) =>
      sourcesBelow(join(directory, folder)).map((path) => {
        const text = readFileSync(path, "utf8");
        return { folder, path: posix(relative(root, path)), ...readSourceFile(path, text) };
      }),
    );
    packages.push({
      name,
      path: `packages/${name}`,
      directory,
      manifest: JSON.parse(manifestText),
      manifestPath: `packages/${name}/package.json`,
      /** The line of the manifest that `key` stands in. */
      manifestLine: (key) => manifestText.split("\n").findIndex((line) => line.includes(`"${key}"`)) + 1,
      files,
    });
  }
  return packages;
}

function sourcesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

const posix = (path) => path.split(sep).join("/");
