import { Wildmatch } from "@x/pack";

/**
 * Whether `text` fits a path pattern; both with one character for each byte.
 * Spec: git-config, "Conditional includes"; gitignore, "PATTERN FORMAT".
 */
export function matchesPath(
  pattern: string,
  text: string,
  options: { readonly ignoreCase: boolean },
): boolean {
  const fold = (one: string) => (options.ignoreCase ? one.toLowerCase() : one);
  const wildmatch = new Wildmatch(fold(pattern));
  const bytes = Buffer.from(fold(text), "latin1");
  return wildmatch.isMatch(wildmatch.advance(wildmatch.start, bytes, 0, bytes.length));
}
