/** What a line says of an attribute: set, unset, set to a text, or `undefined` for "as if nothing had been said". */
export type AttributeState = boolean | string | undefined;

/** One line of a `.gitattributes`. */
export interface AttributeRule {
  /** One character for each byte. */
  readonly pattern: string;
  /** The pattern names files in any directory below. */
  readonly isBaseName: boolean;
  /** The pattern names directories only. */
  readonly isDirectory: boolean;
  /** In order; the last one about an attribute counts. */
  readonly states: readonly (readonly [name: string, state: AttributeState])[];
}

/** What a file of attributes says. */
export interface AttributeFile {
  readonly rules: readonly AttributeRule[];
  /** Names that stand for several attributes. */
  readonly macros: ReadonlyMap<string, AttributeRule["states"]>;
}

/** Lines that are longer say nothing, as C git has it. Unit: bytes. */
const MAX_LINE_BYTES = 2048;

const BLANK = /[ \t\r\n]+/;

/**
 * Reads a file of attributes. What cannot be understood is passed over, as git does.
 * Spec: gitattributes, "DESCRIPTION".
 * @param text one character for each byte
 */
export function parseAttributes(text: string): AttributeFile {
  const rules: AttributeRule[] = [];
  const macros = new Map<string, AttributeRule["states"]>();
  for (const line of text.replace(/^\u00ef\u00bb\u00bf/, "").split("\n")) {
    const trimmed = line.replace(/^[ \t\r]+/, "");
    if (trimmed === "" || trimmed.startsWith("#") || line.length >= MAX_LINE_BYTES) continue;
    const head = takePattern(trimmed);
    if (head === undefined) continue;
    const macro = head.quoted ? null : /^\[attr\](.*)$/.exec(head.pattern);
    if (macro !== null) {
      const [name, ...more] = `${macro[1]} ${head.rest}`.split(BLANK).filter(Boolean);
      const meaning = parseStates(more.join(" "));
      if (name !== undefined && meaning !== undefined) macros.set(name, meaning);
      continue;
    }
    const states = parseStates(head.rest);
    if (states === undefined) continue;
    if (head.pattern.startsWith("!")) continue; // git refuses those, and goes on
    const isDirectory = head.pattern.endsWith("/");
    const whole = isDirectory ? head.pattern.slice(0, -1) : head.pattern;
    const isBaseName = !whole.includes("/");
    rules.push({ pattern: whole.replace(/^\//, ""), isBaseName, isDirectory, states });
  }
  return { rules, macros };
}

function takePattern(line: string): { pattern: string; rest: string; quoted: boolean } | undefined {
  if (line.startsWith('"')) {
    const match = /^"((?:[^"\\]|\\.)*)"(.*)$/s.exec(line);
    const pattern = match === null ? undefined : unquote(match[1] as string);
    if (match !== null && pattern !== undefined) return { pattern, rest: match[2] as string, quoted: true };
  }
  const match = /^([^ \t\r\n]+)(.*)$/s.exec(line);
  return match === null
    ? undefined
    : { pattern: match[1] as string, rest: match[2] as string, quoted: false };
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
  ['"', '"'],
]);

/** Undoes C's quoting. */
function unquote(text: string): string | undefined {
  let isSound = true;
  const plain = text.replace(/\\([0-3][0-7]{2}|.)/gs, (_, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number(`0o${code}`));
    const known = ESCAPES.get(code);
    isSound &&= known !== undefined;
    return known ?? "";
  });
  return isSound ? plain : undefined;
}

/** @returns `undefined` when one of the words is no attribute: then git passes over the line */
function parseStates(text: string): [string, AttributeState][] | undefined {
  const states: [string, AttributeState][] = [];
  for (const word of text.split(BLANK)) {
    if (word === "") continue;
    const match = /^([-!]?)([A-Za-z0-9_.][A-Za-z0-9_.-]*)(?:=(.*))?$/s.exec(word);
    if (match === null) return undefined;
    const [, sign, name, value] = match;
    states.push([name as string, sign === "-" ? false : sign === "!" ? undefined : (value ?? true)]);
  }
  return states;
}
