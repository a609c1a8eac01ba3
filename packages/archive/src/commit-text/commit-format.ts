import { type ArchiveRef, type CommitLinks, type ObjectId, parseCommitLinks } from "@x/objects";
import type { ArchiveSource } from "../source.ts";
import { type CommitParts, commitParts, type Person } from "./commit-parts.ts";
import { type DateStyle, formatDate } from "./dates.ts";
import { DECORATION_SIGNS, formatDecorations } from "./decorations.ts";
import { findDescription } from "./describe.ts";
import { MAX_PADDING, type Padding, pad, parsePadding } from "./padding.ts";

/** What formats are expanded with. */
export interface FormatContext {
  readonly source: ArchiveSource;
  readonly id: ObjectId;
  /** The commit's bytes. */
  readonly data: Uint8Array;
  readonly abbrev: number | "full" | undefined;
  /** Unit: seconds since 1970. */
  readonly now: number;
}

/** Whether a format tells of refs. */
export function needsRefs(format: string): boolean {
  return /%[-+ ]?(?:[dD]|\(decorate|\(describe)/.test(format);
}

interface Expansion {
  readonly text: string;
  /** How much of the format it stands for. */
  readonly length: number;
}

/** Expands git's formats for one commit. Texts have one character for each byte. Spec: git-log, "PRETTY FORMATS". */
export class CommitFormat {
  readonly #context: FormatContext;
  readonly #parts: CommitParts;
  readonly #links: CommitLinks;
  /** As in C git there is one description in an archive: each looks through the history. */
  #descriptionsLeft = 1;

  constructor(context: FormatContext) {
    this.#context = context;
    this.#parts = commitParts(context.data);
    this.#links = parseCommitLinks(context.data, context.source.format);
  }

  /**
   * @param refs may be empty unless {@link needsRefs}
   * @param before what stands before it, some of which padding may take away
   * @returns that and the expansion
   */
  expand(format: string, refs: readonly ArchiveRef[], before: string): string {
    let text = before;
    let padding: Padding | undefined;
    for (let at = 0; at < format.length; ) {
      const percent = format.indexOf("%", at);
      if (percent < 0) return text + format.slice(at);
      text += format.slice(at, percent);
      at = percent + 1;
      const rest = format.slice(at, at + MAX_PLACEHOLDER);
      const wanted = rest.startsWith("%") ? undefined : parsePadding(rest);
      if (wanted !== undefined) {
        padding = wanted.padding;
        at += wanted.length;
        continue;
      }
      const sign = rest.startsWith("%") ? "" : (/^[-+ ](?!w)/.exec(rest)?.[0] ?? "");
      const one = rest.startsWith("%")
        ? { text: "%", length: 1 }
        : this.#placeholder(rest.slice(sign.length), refs);
      if (one === undefined) {
        text += "%";
        continue;
      }
      at += sign.length + one.length;
      // Padding is for what follows a colour.
      if (padding !== undefined && rest.startsWith("C") && format[at] === "%") continue;
      const length = text.length;
      text = padding === undefined || rest.startsWith("%") ? text + one.text : pad(text, one.text, padding);
      if (!rest.startsWith("%")) padding = undefined;
      if (sign === "-" && text.length === length) text = text.replace(/\n+$/, "");
      else if (sign !== "" && sign !== "-" && text.length > length)
        text = `${text.slice(0, length)}${sign === "+" ? "\n" : " "}${text.slice(length)}`;
    }
    return text;
  }

  #placeholder(rest: string, refs: readonly ArchiveRef[]): Expansion | undefined {
    if (rest.startsWith("(")) return this.#long(rest, refs);
    const { id } = this.#context;
    const of = (text: string): Expansion => ({ text, length: 1 });
    switch (rest[0]) {
      case "n":
        return of("\n");
      case "x":
        return /^x[0-9a-fA-F]{2}/.test(rest)
          ? { text: String.fromCharCode(Number(`0x${rest.slice(1, 3)}`)), length: 3 }
          : undefined;
      case "C":
        return color(rest);
      case "H":
        return of(id);
      case "h":
        return of(this.#short(id));
      case "T":
        return of(this.#links.tree);
      case "t":
        return of(this.#short(this.#links.tree));
      case "P":
        return of(this.#links.parents.join(" "));
      case "p":
        return of(this.#links.parents.map((parent) => this.#short(parent)).join(" "));
      case "m":
        return of(">");
      case "d":
        return of(formatDecorations(id, refs, DECORATION_SIGNS));
      case "D":
        return of(formatDecorations(id, refs, { ...DECORATION_SIGNS, prefix: "", suffix: "" }));
      case "g":
        return /^g[dDsnNeE]/.test(rest) ? { text: "", length: 2 } : undefined;
      case "G":
        return signature(rest, this.#parts.isSigned);
      case "a":
        return this.#person(this.#parts.author, rest[1]);
      case "c":
        return this.#person(this.#parts.committer, rest[1]);
      case "e":
        return of(this.#parts.encoding ?? "");
      case "B":
        return of(this.#parts.rawBody);
      case "s":
        return of(this.#parts.subject.join(" "));
      case "f":
        return of(fileName(this.#parts.firstLine));
      case "b":
        return of(this.#parts.body);
      default:
        return undefined;
    }
  }

  #short(id: ObjectId): string {
    const { source, abbrev } = this.#context;
    if (abbrev === "full" || source.abbreviate === undefined) return id;
    return id.slice(0, source.abbreviate(id, abbrev));
  }

  #person(person: Person | undefined, part: string | undefined): Expansion | undefined {
    const of = (text: string): Expansion => ({ text, length: 2 });
    if (part === undefined) return undefined;
    if (person !== undefined) {
      if (part === "n" || part === "N") return of(person.name);
      if (part === "e" || part === "E") return of(person.mail);
      if (part === "l" || part === "L") return of(person.mail.split("@", 1)[0] as string);
      if (person.date !== undefined) {
        if (part === "t") return of(person.date);
        const style = DATE_STYLES.get(part);
        if (style !== undefined)
          return of(formatDate(Number(person.date), person.zone, style, this.#context.now));
      }
    }
    return /[netdDri]/.test(part) ? of("") : undefined;
  }

  #long(rest: string, refs: readonly ArchiveRef[]): Expansion | undefined {
    const match = /^\((decorate|describe)(?::([^)]*))?\)/.exec(rest);
    if (match === null) return undefined;
    const [whole, word, options = ""] = match;
    if (word === "decorate") {
      const signs = new Map(Object.entries(DECORATION_SIGNS));
      for (const option of options.split(",").filter(Boolean)) {
        const [, key = "", value = ""] = /^([a-z]+)=(.*)$/s.exec(option) ?? [];
        if (!signs.has(key)) return undefined;
        signs.set(key, unescapeLiterals(value));
      }
      const all = { ...DECORATION_SIGNS, ...Object.fromEntries(signs) };
      return { text: formatDecorations(this.#context.id, refs, all), length: whole.length };
    }
    if (this.#descriptionsLeft === 0) return undefined;
    this.#descriptionsLeft--;
    const text = findDescription(options, refs, this.#context, (id) => this.#short(id));
    return text === undefined ? undefined : { text, length: whole.length };
  }
}

/** No placeholder is longer. Unit: bytes. */
const MAX_PLACEHOLDER: number = MAX_PADDING;

const DATE_STYLES: ReadonlyMap<string, DateStyle> = new Map([
  ["d", "normal"],
  ["D", "rfc"],
  ["r", "relative"],
  ["i", "iso"],
  ["I", "iso-strict"],
  ["s", "short"],
]);

/** Colours are for terminals. */
function color(rest: string): Expansion | undefined {
  const match = /^C(?:\((?!always,)[^)]*\)|red|green|blue|reset)/.exec(rest);
  return match === null ? undefined : { text: "", length: match[0].length };
}

/** No signature is checked here: of one it is said, as git does without the key, that it cannot be. */
function signature(rest: string, isSigned: boolean): Expansion | undefined {
  const part = rest[1];
  if (part === undefined || !/[G?SKFPT]/.test(part)) return undefined;
  const text = part === "?" ? (isSigned ? "E" : "N") : part === "T" ? "undefined" : "";
  return { text, length: 2 };
}

/** A subject as it stands in a patch file's name. */
function fileName(line: string): string {
  return line
    .replace(/[^A-Za-z0-9._]+/g, "-")
    .replace(/\.{2,}/g, ".")
    .replace(/^-/, "")
    .replace(/[.-]+$/, "");
}

function unescapeLiterals(text: string): string {
  return text.replace(/%(%|n|x[0-9a-fA-F]{2})/g, (_, code: string) =>
    code === "%" ? "%" : code === "n" ? "\n" : String.fromCharCode(Number(`0x${code.slice(1)}`)),
  );
}
