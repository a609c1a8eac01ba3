import { Wildmatch } from "./wildmatch.ts";

/** Patterns that are kept compiled. */
const MAX_KEPT = 256;

const kept: Map<string, Wildmatch> = new Map();

/**
 * Whether `text` fits a path pattern; both with one character for each byte.
 * Spec: git-config, "Conditional includes"; gitignore, "PATTERN FORMAT".
 */
export function matchesPath(
  pattern: string,
  text: string,
  options: {
    readonly ignoreCase: boolean;
    /** Every wildcard matches slashes as well. Spec: gitglossary, "pathspec". */
    readonly acrossSlashes?: boolean;
  },
): boolean {
  const { ignoreCase, acrossSlashes = false } = options;
  const fold = (one: string) => (ignoreCase ? foldCase(one) : one);
  const key = `${acrossSlashes ? "a" : "w"}${fold(pattern)}`;
  let wildmatch = kept.get(key);
  if (wildmatch === undefined) {
    wildmatch = new Wildmatch(key.slice(1), { acrossSlashes });
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, wildmatch);
  }
  const bytes = bytesOf(fold(text));
  return wildmatch.isMatch(wildmatch.advance(wildmatch.start, bytes, 0, bytes.length));
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
