import { Wildmatch } from "./wildmatch.ts";

/** How a path pattern is meant. */
export interface PathPatternOptions {
  readonly ignoreCase: boolean;
  /** Every wildcard matches slashes as well. Spec: gitglossary, "pathspec". */
  readonly acrossSlashes?: boolean;
}

/** Whether a text, with one character for each byte, fits a pattern. */
type FitsPattern = (text: string) => boolean;

/** Patterns of each meaning that are kept compiled. */
const MAX_KEPT = 512;

const kept: readonly Map<string, FitsPattern>[] = [new Map(), new Map(), new Map(), new Map()];

/**
 * Whether `text` fits a path pattern; both with one character for each byte.
 * Spec: git-config, "Conditional includes"; gitignore, "PATTERN FORMAT".
 */
export function matchesPath(pattern: string, text: string, options: PathPatternOptions): boolean {
  const { ignoreCase, acrossSlashes = false } = options;
  const known = kept[(ignoreCase ? 1 : 0) + (acrossSlashes ? 2 : 0)] as Map<string, FitsPattern>;
  let fits = known.get(pattern);
  if (fits === undefined) {
    fits = compile(ignoreCase ? foldCase(pattern) : pattern, acrossSlashes);
    if (known.size >= MAX_KEPT) known.clear();
    known.set(pattern, fits);
  }
  return fits(ignoreCase ? foldCase(text) : text);
}

/** Most patterns are a name, or a star and an ending: these cost nothing to match. */
function compile(pattern: string, acrossSlashes: boolean): FitsPattern {
  const wildcard = pattern.search(/[*?[\\\0]/);
  if (wildcard < 0) return (text) => text === pattern;
  const ending = pattern.slice(1);
  if (pattern.startsWith("*") && !/[*?[\\\0]/.test(ending))
    return acrossSlashes
      ? (text) => text.endsWith(ending)
      : (text) => text.endsWith(ending) && !text.slice(0, text.length - ending.length).includes("/");
  const wildmatch = new Wildmatch(pattern, { acrossSlashes });
  const head = pattern.slice(0, wildcard);
  return (text) => {
    if (!text.startsWith(head)) return false;
    const bytes = bytesOf(text);
    return wildmatch.isMatch(wildmatch.advance(wildmatch.start, bytes, 0, bytes.length));
  };
}

/** ASCII letters in lower case. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
