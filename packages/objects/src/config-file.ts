import { textOf } from "./fsck/scan.ts";

/*
 * [section]  or  [section "subsection"]
 * name = value       value: blanks at its ends do not count, "…" keeps what is in it, \ escapes or continues the line
 * name               comments start with # or ; and end with the line
 * Spec: git-config, "CONFIGURATION FILE", "Syntax"; what is not said there is as git's parser has it.
 */

/**
 * Gets one setting. Texts are byte-exact, one character for each byte; a NUL in them ends them for C git.
 * `section` is `section` or `section.subsection`, the section in lower case and the subsection as written, `undefined`
 * before the first; `name` is in lower case; `value` is `undefined` for a name alone.
 * @returns whether to go on; otherwise its line counts as bad
 */
export type VisitSetting = (section: string | undefined, name: string, value: string | undefined) => boolean;

const BOM = [0xef, 0xbb, 0xbf] as const;
const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const MINUS = 0x2d;
const DOT = 0x2e;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;

/**
 * Reads a file in the format of git's config, `.gitmodules` among them, setting by setting; what stands before a bad
 * line has been visited. Memory: that of the longest text. Includes are settings like others.
 * @returns the number of the bad line that ended it, or `undefined` at the file's end
 */
export function readConfigFile(file: Uint8Array, visit: VisitSetting): number | undefined {
  return new ConfigReader(file, visit).read();
}

class ConfigReader {
  readonly #bytes: Uint8Array;
  readonly #visit: VisitSetting;
  #at = 0;
  #ended = false;
  /** The text at hand. */
  #text: Uint8Array = new Uint8Array(256);
  #length = 0;

  constructor(bytes: Uint8Array, visit: VisitSetting) {
    this.#bytes = bytes;
    this.#visit = visit;
  }

  read(): number | undefined {
    if (BOM.every((byte, i) => this.#bytes[i] === byte)) this.#at = BOM.length;
    let section: string | undefined;
    for (;;) {
      const byte = this.#next();
      if (byte === LF && this.#ended) return undefined;
      if (isSpace(byte)) continue;
      if (byte === HASH || byte === SEMICOLON) this.#skipLine();
      else if (byte === OPEN) {
        section = this.#section();
        if (section === undefined) return this.#line();
      } else if (!isLetter(byte) || !this.#setting(section, byte)) return this.#line();
    }
  }

  /** @returns `undefined` when it is bad */
  #section(): string | undefined {
    this.#length = 0;
    for (;;) {
      const byte = this.#next();
      if (this.#ended) return undefined;
      if (byte === CLOSE) return this.#length === 0 ? undefined : this.#taken();
      if (isSpace(byte)) return this.#subsection(byte) ? this.#taken() : undefined;
      if (!isNameByte(byte) && byte !== DOT) return undefined;
      this.#take(lowerCase(byte));
    }
  }

  /** Adds the subsection to the text; `byte` came last. */
  #subsection(byte: number): boolean {
    let last = byte;
    do {
      if (last === LF) return false;
      last = this.#next();
    } while (isSpace(last));
    if (last !== QUOTE) return false;
    this.#take(DOT);
    for (let next = this.#next(); next !== QUOTE; next = this.#next()) {
      if (next === LF) return false;
      if (next === BACKSLASH) {
        next = this.#next();
        if (next === LF) return false;
      }
      this.#take(next);
    }
    return this.#next() === CLOSE;
  }

  #setting(section: string | undefined, first: number): boolean {
    this.#length = 0;
    this.#take(lowerCase(first));
    let byte = this.#next();
    for (; isNameByte(byte); byte = this.#next()) this.#take(lowerCase(byte));
    const name = this.#taken();
    while (byte === SPACE || byte === TAB) byte = this.#next();
    if (byte === LF) return this.#visit(section, name, undefined);
    if (byte !== EQUALS || !this.#value()) return false;
    return this.#visit(section, name, this.#taken());
  }

  /** Takes the value as the text. @returns whether it is one */
  #value(): boolean {
    this.#length = 0;
    let kept = 0; // blanks at the end count only when something follows
    let quoted = false;
    for (;;) {
      let byte = this.#next();
      if (byte === LF) break;
      if (!quoted && isSpace(byte)) {
        if (this.#length > 0) this.#take(byte);
        continue;
      }
      if (!quoted && (byte === HASH || byte === SEMICOLON)) {
        this.#skipLine();
        break;
      }
      if (byte === QUOTE) quoted = !quoted;
      else if (byte !== BACKSLASH) this.#take(byte);
      else {
        byte = this.#next();
        if (byte !== LF) {
          const meant = escaped(byte);
          if (meant === undefined) return false;
          this.#take(meant);
        }
      }
      kept = this.#length;
    }
    this.#length = kept;
    return !quoted;
  }

  /** The next byte, CR LF being one; at the end a line feed, again and again. */
  #next(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      this.#ended = true;
      return LF;
    }
    this.#at++;
    if (byte !== CR || this.#bytes[this.#at] !== LF) return byte;
    this.#at++;
    return LF;
  }

  #skipLine(): void {
    const end = this.#bytes.indexOf(LF, this.#at);
    this.#at = end < 0 ? this.#bytes.length : end + 1;
  }

  #take(byte: number): void {
    if (this.#length === this.#text.length) {
      const grown = new Uint8Array(this.#length * 2);
      grown.set(this.#text);
      this.#text = grown;
    }
    this.#text[this.#length++] = byte;
  }

  #taken(): string {
    return textOf(this.#text, 0, this.#length);
  }

  /** The line of the byte that came last. */
  #line(): number {
    let line = 1;
    for (let i = 0; i < this.#at - 1; i++) if (this.#bytes[i] === LF) line++;
    return line;
  }
}

function escaped(byte: number): number | undefined {
  switch (byte) {
    case 0x74: // t
      return TAB;
    case 0x62: // b
      return 0x08;
    case 0x6e: // n
      return LF;
    case BACKSLASH:
    case QUOTE:
      return byte;
    default:
      return undefined;
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === LF || byte === CR;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isNameByte(byte: number): boolean {
  return isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte === MINUS;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
