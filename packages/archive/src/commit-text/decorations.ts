import type { ArchiveRef, ObjectId } from "@x/objects";

/** The signs around and between the refs. */
export interface DecorationSigns {
  readonly prefix: string;
  readonly suffix: string;
  readonly separator: string;
  readonly pointer: string;
  readonly tag: string;
}

/** Those of `%d`. */
export const DECORATION_SIGNS: DecorationSigns = {
  prefix: " (",
  suffix: ")",
  separator: ", ",
  pointer: " -> ",
  tag: "tag: ",
};

/** The refs that hold `commit`, as git lists them. Spec: git-log, "PRETTY FORMATS", `%d`. */
export function formatDecorations(
  commit: ObjectId,
  refs: readonly ArchiveRef[],
  signs: DecorationSigns,
): string {
  const fits = refs.filter(({ id, peeled }) => id === commit || peeled === commit);
  const head = fits.find(({ name }) => name === "HEAD");
  const current = head && fits.find(({ name }) => name === head.symrefTarget);
  const words: string[] = [];
  if (head !== undefined)
    words.push(current === undefined ? "HEAD" : `HEAD${signs.pointer}${shortName(current.name)}`);
  for (const ref of fits.toReversed()) {
    if (ref === head || ref === current) continue;
    const isTag = ref.name.startsWith("refs/tags/") || ref.peeled === commit;
    words.push((isTag ? signs.tag : "") + shortName(ref.name));
  }
  return words.length === 0 ? "" : signs.prefix + words.join(signs.separator) + signs.suffix;
}

function shortName(name: string): string {
  return name.replace(/^refs\/(?:heads|tags|remotes)\//, "");
}
