import { StorageFsError } from "../errors.ts";

/** One setting, in the order of the file. Texts are byte-exact: one character for each byte. */
export interface ConfigEntry {
  /** `section.name` or `section.subsection.name`, or `name` before the first section; section and name in lower case, the subsection as written. */
  readonly key: string;
  /** `undefined` for a name alone, which as a boolean is true. */
  readonly value: string | undefined;
}

const END = "";

/**
 * Reads a config file. Includes are entries like others: nothing is followed.
 * Spec: git-config, "CONFIGURATION FILE", "Syntax".
 * @throws StorageFsError `storage-fs/bad-config`, with the line's number
 */
export function parseConfig(file: Uint8Array): ConfigEntry[] {
  return new ConfigParser(Buffer.from(file.buffer, file.byteOffset, file.length).toString("latin1")).parse();
}

class ConfigParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.startsWith("\xef\xbb\xbf") ? text.slice(3) : text;
  }

  parse(): ConfigEntry[] {
    const entries: ConfigEntry[] = [];
    let section: string | undefined;
    for (;;) {
      const character = this.#next();
      if (character === END) return entries;
      if (isBlank(character) || character === "\n") continue;
      if (character === "#" || character === ";") this.#skipLine();
      else if (character === "[") section = this.#section();
      else if (/[A-Za-z]/.test(character)) {
        const name = (character + this.#while(/[A-Za-z0-9-]/)).toLowerCase();
        // Git takes a name before the first section too.
        entries.push({ key: section === undefined ? name : `${section}.${name}`, value: this.#assigned() });
      } else throw this.#bad();
    }
  }

  #section(): string {
    const name = this.#while(/[A-Za-z0-9.-]/).toLowerCase();
    const character = this.#next();
    if (name === "") throw this.#bad();
    if (character === "]") return name;
    if (!isBlank(character)) throw this.#bad();
    this.#while(/[ \t\r]/);
    if (this.#next() !== '"') throw this.#bad();
    const subsection = this.#quotedSubsection();
    if (this.#next() !== "]") throw this.#bad();
    return `${name}.${subsection}`;
  }

  #quotedSubsection(): string {
    let subsection = "";
    for (;;) {
      let character = this.#next();
      if (character === '"') return subsection;
      if (character === "\\") character = this.#next();
      if (character === END || character === "\n") throw this.#bad();
      subsection += character;
    }
  }

  #assigned(): string | undefined {
    this.#while(/[ \t]/);
    const character = this.#next();
    if (character === END || character === "\n") return undefined;
    if (character !== "=") throw this.#bad();
    return this.#value();
  }

  #value(): string {
    let value = "";
    let kept = 0; // blanks at the end count only when something follows
    let quoted = false;
    for (;;) {
      const character = this.#next();
      if (character === END || character === "\n") {
        if (quoted) throw this.#bad();
        return value.slice(0, kept);
      }
      if (!quoted && isBlank(character)) {
        if (value !== "") value += character;
        continue;
      }
      if (!quoted && (character === "#" || character === ";")) {
        this.#skipLine();
        return value.slice(0, kept);
      }
      if (character === '"') quoted = !quoted;
      else if (character === "\\") value += this.#escape();
      else value += character;
      kept = value.length;
    }
  }

  #escape(): string {
    const character = this.#next();
    switch (character) {
      case "\n":
        return "";
      case "t":
        return "\t";
      case "b":
        return "\b";
      case "n":
        return "\n";
      case "\\":
      case '"':
        return character;
      default:
        throw this.#bad();
    }
  }

  #skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end + 1;
  }

  #while(allowed: RegExp): string {
    const start = this.#at;
    while (this.#at < this.#text.length && allowed.test(this.#text.charAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** The next character, `\r\n` being one; {@link END} at the end. A NUL is refused: C git's values end there. */
  #next(): string {
    if (this.#at >= this.#text.length) return END;
    const character = this.#text.charAt(this.#at++);
    if (character === "\0") throw this.#bad();
    if (character !== "\r" || this.#text.charAt(this.#at) !== "\n") return character;
    this.#at++;
    return "\n";
  }

  #bad(): StorageFsError {
    const line = this.#text.slice(0, Math.max(0, this.#at - 1)).split("\n").length;
    return new StorageFsError("storage-fs/bad-config", `bad config line ${line}`);
  }
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t" || character === "\r";
}
