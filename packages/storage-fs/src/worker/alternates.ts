import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

/** As deep as C git follows alternates of alternates: the first, and five below. */
const MAX_DEPTH = 6;

/** An alternates file is a few lines. Unit: bytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The object directories that `objects/info/alternates` of `objectsDirectory` and of those named there lead to, without
 * itself, each once. Spec: gitrepository-layout, `objects/info/alternates`.
 */
export function findAlternates(objectsDirectory: string): string[] {
  const found = new Set<string>();
  const follow = (directory: string, depth: number): void => {
    for (const path of readAlternates(directory)) {
      const alternate = resolve(directory, path);
      if (alternate === objectsDirectory || found.has(alternate)) continue;
      found.add(alternate);
      if (depth < MAX_DEPTH) follow(alternate, depth + 1);
    }
  };
  follow(objectsDirectory, 1);
  return [...found];
}

function readAlternates(objectsDirectory: string): string[] {
  const path = `${objectsDirectory}/info/alternates`;
  if (!existsSync(path)) return []; // the usual case
  let text: string;
  try {
    const file = readFileSync(path);
    if (file.length > MAX_FILE_BYTES) return [];
    text = file.toString("latin1"); // one character for each byte until the quotes are off
  } catch {
    return [];
  }
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => Buffer.from(unquote(line), "latin1").toString("utf8"));
}

const QUOTED = /^"(?:[^"\\]|\\(?:[0-3][0-7]{2}|[abfnrtv"\\]))*"$/;

/** Takes C-style quotes off; a line that is not quoted well stands for itself, as for C git. */
function unquote(line: string): string {
  if (!QUOTED.test(line)) return line;
  const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };
  return line
    .slice(1, -1)
    .replace(/\\(?:([0-7]{3})|(.))/g, (_, octal: string | undefined, letter: string | undefined) =>
      octal === undefined
        ? (escapes[letter ?? ""] ?? letter ?? "")
        : String.fromCharCode(Number.parseInt(octal, 8)),
    );
}
