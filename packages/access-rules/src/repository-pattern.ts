/**
 * The names by which rules know a repository: its own, and those of the repositories that it lies in. They are the same
 * for all that git finds it under: `a`, `/a.git`, `a/.git` and `a/` are `a`; `a.git/modules/b` is a part of `a`, too.
 * @param repository as a client wrote it
 * @returns `undefined` for what could mean another one: no rule is for it
 */
export function namesOf(repository: string): readonly string[] | undefined {
  const segments = repository.replace(/^\//, "").replace(/\/$/, "").split("/");
  const names = new Set<string>();
  const name: string[] = [];
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === ".." || /[\\\p{Cc}]/u.test(segment))
      return undefined;
    const plain = withoutSuffix(segment);
    if (plain !== "") name.push(plain);
    if (plain !== segment && name.length > 0) names.add(name.join("/"));
  }
  if (name.length === 0) return undefined;
  return [...names.add(name.join("/"))];
}

function withoutSuffix(segment: string): string {
  let plain = segment;
  while (plain.endsWith(".git")) plain = plain.slice(0, -4);
  return plain;
}

/** A pattern for repositories: `*` is any part of a segment, `**` any number of segments, none included. */
export interface RepositoryPattern {
  matches(name: string): boolean;
}

/** @returns `undefined` for what is no pattern */
export function parsePattern(text: string): RepositoryPattern | undefined {
  const segments = text.replace(/^\//, "").split("/").map(withoutSuffix);
  const sound = segments.every(
    (segment) => segment === "**" || (/^[^\s\\"]+$/.test(segment) && !/^\.{1,2}$|\*\*/.test(segment)),
  );
  if (!sound) return undefined;
  return { matches: (name) => matchList(segments, name.split("/"), "**", matchSegment) };
}

function matchSegment(pattern: string, segment: string): boolean {
  return matchList([...pattern], [...segment], "*", (a, b) => a === b);
}

/** Goes back to the last wildcard alone, so that it never takes longer than the product of the lengths. */
function matchList(
  pattern: readonly string[],
  text: readonly string[],
  wildcard: string,
  matches: (pattern: string, text: string) => boolean,
): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let from = 0;
  while (t < text.length) {
    if (pattern[p] === wildcard) {
      star = p++;
      from = t;
    } else if (p < pattern.length && matches(pattern[p] as string, text[t] as string)) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++from;
    } else return false;
  }
  while (pattern[p] === wildcard) p++;
  return p === pattern.length;
}
