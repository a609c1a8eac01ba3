/** What one place of a pattern matches. */
export type Token =
  | { readonly kind: "byte"; readonly byte: number }
  /** One byte for which there is a 1. */
  | { readonly kind: "set"; readonly bytes: Uint8Array }
  /** Any bytes but slashes, or none. */
  | { readonly kind: "within" }
  /** Any bytes, or none. */
  | { readonly kind: "across" }
  /** The next `tokens`, or nothing in their place. */
  | { readonly kind: "perhaps"; readonly tokens: number };

const SLASH = 0x2f;

/** Nothing matches it. */
const NEVER: Token = { kind: "set", bytes: new Uint8Array(256) };

/**
 * @param pattern one character for each byte; what follows a NUL does not count
 * @param acrossSlashes every wildcard matches slashes as well
 * Spec: gitignore(5), fnmatch(3).
 */
export function compileTokens(pattern: string, acrossSlashes: boolean): Token[] {
  const tokens: Token[] = [];
  const end = pattern.includes("\0") ? pattern.indexOf("\0") : pattern.length;
  for (let at = 0; at < end; ) {
    const char = pattern[at] as string;
    if (char === "*") {
      const stars = at;
      while (pattern[at] === "*") at++;
      if (acrossSlashes) tokens.push({ kind: "across" });
      else at = addStars(pattern, stars, at, end, tokens);
    } else if (char === "?") {
      const bytes = new Uint8Array(256).fill(1);
      if (!acrossSlashes) bytes[SLASH] = 0;
      tokens.push({ kind: "set", bytes });
      at++;
    } else if (char === "[") {
      const set = parseSet(pattern.slice(0, end), at, acrossSlashes);
      tokens.push(set === undefined ? NEVER : { kind: "set", bytes: set.bytes });
      if (set === undefined) break;
      at = set.end;
    } else if (char === "\\") {
      tokens.push(at + 1 < end ? { kind: "byte", byte: pattern.charCodeAt(at + 1) } : NEVER);
      at += 2;
    } else {
      tokens.push({ kind: "byte", byte: pattern.charCodeAt(at) });
      at++;
    }
  }
  return tokens;
}

/** The stars from `stars` to `at`; two or more between slashes, or at an end, match slashes too. @returns where to go on */
function addStars(pattern: string, stars: number, at: number, end: number, tokens: Token[]): number {
  const opens = stars === 0 || pattern[stars - 1] === "/";
  const closes = at === end || pattern[at] === "/" || (pattern[at] === "\\" && pattern[at + 1] === "/");
  if (at - stars < 2 || !opens || !closes) tokens.push({ kind: "within" });
  else if (pattern[at] !== "/") tokens.push({ kind: "across" });
  else {
    tokens.push({ kind: "perhaps", tokens: 2 }, { kind: "across" }, { kind: "byte", byte: SLASH });
    return at + 1;
  }
  return at;
}

interface ByteSet {
  readonly bytes: Uint8Array;
  /** Behind the closing bracket. */
  readonly end: number;
}

/** The bracket expression that opens at `open`; `undefined` when it does not end, or names a class that is none. */
function parseSet(pattern: string, open: number, acrossSlashes: boolean): ByteSet | undefined {
  const bytes = new Uint8Array(256);
  let at = open + 1;
  const negated = pattern[at] === "!" || pattern[at] === "^";
  if (negated) at++;
  /** What a dash behind it makes a range of; -1 when nothing can. */
  let low = -1;
  for (let isFirst = true; isFirst || pattern[at] !== "]"; isFirst = false) {
    const name = className(pattern, at);
    if (at >= pattern.length) return undefined;
    if (name !== undefined) {
      const isMember = CLASSES.get(name);
      if (isMember === undefined) return undefined;
      for (let byte = 0; byte < 128; byte++) if (isMember.test(String.fromCharCode(byte))) bytes[byte] = 1;
      at += name.length + 4;
      low = -1;
      continue;
    }
    const isRange =
      pattern[at] === "-" && low >= 0 && pattern[at + 1] !== undefined && pattern[at + 1] !== "]";
    if (isRange) at++;
    if (pattern[at] === "\\") at++;
    if (at >= pattern.length) return undefined;
    const high = pattern.charCodeAt(at++);
    if (isRange) for (let byte = low; byte <= high; byte++) bytes[byte] = 1;
    else bytes[high] = 1;
    low = isRange ? -1 : high;
  }
  if (negated) for (let byte = 0; byte < 256; byte++) bytes[byte] = bytes[byte] ? 0 : 1;
  if (!acrossSlashes) bytes[SLASH] = 0;
  return { bytes, end: at + 1 };
}

/** `name` where `[:name:]` stands at `at`. What lacks the colon at its end is an ordinary set of bytes. */
function className(pattern: string, at: number): string | undefined {
  if (pattern[at] !== "[" || pattern[at + 1] !== ":") return undefined;
  const close = pattern.indexOf("]", at + 2);
  if (close < 0 || close === at + 2 || pattern[close - 1] !== ":") return undefined;
  return pattern.slice(at + 2, close - 1);
}

/** Spec: POSIX, "Character Class", of the C locale. */
const CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /[0-9A-Za-z]/],
  ["alpha", /[A-Za-z]/],
  ["blank", /[ \t]/],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what the class is
  ["cntrl", /[\x00-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[\x21-\x7e]/],
  ["lower", /[a-z]/],
  ["print", /[\x20-\x7e]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[ \t\n\v\f\r]/],
  ["upper", /[A-Z]/],
  ["xdigit", /[0-9A-Fa-f]/],
]);
