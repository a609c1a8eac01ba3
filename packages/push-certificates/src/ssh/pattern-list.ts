/**
 * Whether `text` is in a list such as `*@example.com,!eve@example.com`: `*` and `?` stand for any characters and for one,
 * and what `!` excludes is out whatever else matches. Spec: ssh_config(5), "PATTERNS".
 */
export function matchesPatternList(text: string, patterns: readonly string[]): boolean {
  let found = false;
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) {
      if (matchesPattern(text, pattern.slice(1))) return false;
    } else found ||= matchesPattern(text, pattern);
  }
  return found;
}

function matchesPattern(text: string, pattern: string): boolean {
  let [at, in_, star, from] = [0, 0, -1, 0];
  while (at < text.length) {
    const sign = pattern[in_];
    if (sign === "*") {
      [star, from] = [in_++, at];
    } else if (sign !== undefined && (sign === "?" || sign === text[at])) {
      at++;
      in_++;
    } else if (star >= 0) {
      // The last star takes one more.
      in_ = star + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[in_] === "*") in_++;
  return in_ === pattern.length;
}
