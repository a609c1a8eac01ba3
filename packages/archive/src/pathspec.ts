import type { AttributeState } from "@x/objects";
import { ArchiveError } from "./errors.ts";

/** What a pathspec asks of an attribute. */
export interface AttributeDemand {
  readonly name: string;
  readonly state: AttributeState;
}

/** One pathspec, read. */
export interface Pathspec {
  readonly pattern: string;
  /** Bytes of {@link pattern} before its first wildcard. */
  readonly literalLength: number;
  /** Wildcards do not match slashes. */
  readonly glob: boolean;
  readonly ignoreCase: boolean;
  readonly exclude: boolean;
  readonly attributes: readonly AttributeDemand[];
}

interface Magic {
  top: boolean;
  literal: boolean;
  glob: boolean;
  icase: boolean;
  exclude: boolean;
  attributes: AttributeDemand[] | undefined;
}

type MagicName = Exclude<keyof Magic, "attributes">;

const NAMES: ReadonlySet<string> = new Set<MagicName>(["top", "literal", "glob", "icase", "exclude"]);

/**
 * Reads pathspecs, taken from the top of the tree.
 * @throws ArchiveError `archive/bad-pathspec`. Spec: gitglossary, "pathspec"
 */
export function parsePathspecs(texts: readonly string[]): readonly Pathspec[] {
  if (texts.includes(""))
    throw bad("empty string is not a valid pathspec. please use . instead if you meant to match all paths");
  const parsed = texts.map(parsePathspec);
  // With nothing but exclusions everything else is meant.
  if (parsed.length > 0 && parsed.every(({ exclude }) => exclude)) parsed.push(parsePathspec("."));
  return parsed;
}

function parsePathspec(text: string): Pathspec {
  const magic: Magic = {
    top: false,
    literal: false,
    glob: false,
    icase: false,
    exclude: false,
    attributes: undefined,
  };
  const rest = !text.startsWith(":")
    ? text
    : text[1] === "("
      ? text.slice(longMagic(text, magic))
      : text.slice(shortMagic(text, magic));
  if (magic.literal && magic.glob) throw bad(`${text}: 'literal' and 'glob' are incompatible`);
  const pattern = magic.top ? rest : normalizePath(rest);
  if (pattern === undefined) throw bad(`${text}: '${rest}' is outside repository`);
  return {
    pattern,
    literalLength: magic.literal ? pattern.length : literalLength(pattern),
    glob: magic.glob,
    ignoreCase: magic.icase,
    exclude: magic.exclude,
    attributes: magic.attributes ?? [],
  };
}

/** Reads `:(word,word)`. @returns where the pattern starts */
function longMagic(text: string, magic: Magic): number {
  let at = 2;
  while (at < text.length && text[at] !== ")") {
    let end = at;
    while (end < text.length && text[end] !== "," && text[end] !== ")")
      end += text[end] === "\\" && end + 1 < text.length ? 2 : 1;
    const word = text.slice(at, end);
    at = text[end] === "," ? end + 1 : end;
    if (word === "") continue;
    if (word.startsWith("attr:")) {
      if (magic.attributes !== undefined) throw bad("Only one 'attr:' specification is allowed.");
      magic.attributes = parseDemands(word.slice(5));
    } else if (word.startsWith("prefix:")) {
      if (!/^prefix:[0-9]{1,9}$/.test(word)) throw bad("invalid parameter for pathspec magic 'prefix'");
      magic.top = true;
    } else if (NAMES.has(word)) magic[word as MagicName] = true;
    else throw bad(`Invalid pathspec magic '${word}' in '${text}'`);
  }
  if (text[at] !== ")") throw bad(`Missing ')' at the end of pathspec magic in '${text}'`);
  return at + 1;
}

/** Signs that could be magic some day. */
const SIGNS = /[!"#%&',\-/:;<=>@_`~]/;

/** Reads `:!`, `:^` and `:/`. @returns where the pattern starts */
function shortMagic(text: string, magic: Magic): number {
  let at = 1;
  for (; at < text.length && text[at] !== ":"; at++) {
    const sign = text[at] as string;
    if (sign === "^" || sign === "!") magic.exclude = true;
    else if (sign === "/") magic.top = true;
    else if (SIGNS.test(sign)) throw bad(`Unimplemented pathspec magic '${sign}' in '${text}'`);
    else break;
  }
  return text[at] === ":" ? at + 1 : at;
}

function parseDemands(text: string): AttributeDemand[] {
  if (text === "") throw bad("attr spec must not be empty");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const [, sign = "", name = "", value] = /^([!-]?)([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const isValue = sign === "" && value !== undefined;
      const whole = isValue ? name : word.slice(sign.length);
      if (!/^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(whole)) throw bad(`invalid attribute name ${whole}`);
      const state = sign === "!" ? undefined : sign === "-" ? false : isValue ? unescapeValue(value) : true;
      return { name: whole, state };
    });
}

function unescapeValue(text: string): string {
  let value = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\" && ++at === text.length)
      throw bad("Escape character '\\' not allowed as last character in attr value");
    const char = text[at] as string;
    if (!/[A-Za-z0-9,_-]/.test(char)) throw bad(`cannot use '${char}' for value matching`);
    value += char;
  }
  return value;
}

/** Without `.`, `..` and doubled slashes; `undefined` when it leads out of the top. */
function normalizePath(path: string): string | undefined {
  if (path.startsWith("/")) return undefined;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  const isDirectory = parts.length > 0 && /(?:^|\/)\.{0,2}$/.test(path);
  return parts.join("/") + (isDirectory ? "/" : "");
}

function literalLength(pattern: string): number {
  const at = pattern.search(/[*?[\\]/);
  return at < 0 ? pattern.length : at;
}

function bad(message: string): ArchiveError {
  return new ArchiveError("archive/bad-pathspec", message);
}
