import { type AttributeState, foldCase, matchesPath } from "@x/objects";
import { ArchiveError } from "./errors.ts";
import { PathMatch } from "./path-match.ts";
import { type Pathspec, parsePathspecs } from "./pathspec.ts";
import type { TreeWalk, WalkedEntry } from "./tree-walk.ts";

/**
 * Makes sure that each pathspec, taken alone, matches something.
 * @throws ArchiveError `archive/bad-pathspec`
 */
export function* requireMatches(
  walk: TreeWalk,
  root: WalkedEntry["id"],
  texts: readonly string[],
): Generator<undefined, void> {
  for (const text of texts) {
    const pathspecs = parsePathspecs([text]);
    const match = new PathMatch(pathspecs, (path) => walk.attributes.of(path));
    const fits = (entry: WalkedEntry) => match.fits(entry.base, entry.name, entry.mode);
    let found = false;
    for (const entry of walk.each(root, fits, () => true)) {
      if (entry === undefined) {
        yield;
        continue;
      }
      const path = entry.base + entry.name;
      found = entry.mode !== 0o040000 || isNamed(pathspecs, path, walk.attributes.of(path));
      if (found) break;
    }
    if (!found) throw new ArchiveError("archive/bad-pathspec", `pathspec '${text}' did not match any files`);
  }
}

/** Whether a directory is itself what the pathspecs name. */
function isNamed(
  pathspecs: readonly Pathspec[],
  path: string,
  attributes: ReadonlyMap<string, AttributeState>,
): boolean {
  const names = (pathspec: Pathspec) =>
    pathspec.attributes.every(({ name, state }) => attributes.get(name) === state) &&
    namesPath(pathspec, path);
  return (
    pathspecs.some((pathspec) => !pathspec.exclude && names(pathspec)) &&
    !pathspecs.some((pathspec) => pathspec.exclude && names(pathspec))
  );
}

function namesPath({ pattern, ignoreCase, literalLength, glob }: Pathspec, path: string): boolean {
  if (pattern === "") return true;
  const fold = (text: string) => (ignoreCase ? foldCase(text) : text);
  const [wanted, given] = [fold(pattern), fold(path)];
  if (given === wanted || `${given}/` === wanted) return true;
  if (given.startsWith(wanted) && (wanted.endsWith("/") || given[wanted.length] === "/")) return true;
  if (literalLength >= pattern.length || !given.startsWith(wanted.slice(0, literalLength))) return false;
  return matchesPath(pattern.slice(literalLength), path.slice(literalLength), {
    ignoreCase,
    acrossSlashes: !glob,
  });
}
