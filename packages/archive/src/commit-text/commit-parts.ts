import { fromBytes } from "../byte-text.ts";

/** Who did something, and when. */
export interface Person {
  readonly name: string;
  readonly mail: string;
  /** As it stands there: digits. `undefined` when it cannot be read. */
  readonly date: string | undefined;
  /** Hours times 100 plus minutes. */
  readonly zone: number;
}

/** What the parts of a commit say; texts have one character for each byte. */
export interface CommitParts {
  readonly author: Person | undefined;
  readonly committer: Person | undefined;
  readonly encoding: string | undefined;
  readonly isSigned: boolean;
  /** All behind the headers. */
  readonly rawBody: string;
  /** The first paragraph, line by line. */
  readonly subject: readonly string[];
  /** The first line of the message, with blanks. */
  readonly firstLine: string;
  /** What follows the subject. */
  readonly body: string;
}

/** Takes a commit apart as far as it can be. */
export function commitParts(commit: Uint8Array): CommitParts {
  const whole = fromBytes(commit);
  const nul = whole.indexOf("\0");
  const text = nul < 0 ? whole : whole.slice(0, nul);
  const headers = new Map<string, string>();
  let at = 0;
  while (at < text.length && text[at] !== "\n") {
    const end = endOfLine(text, at);
    const line = text.slice(at, end);
    const [, key, value] = /^([a-z0-9-]+) (.*)$/s.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !(key === "encoding" && headers.has(key)))
      headers.set(key, value);
    at = end + 1;
  }
  const rawBody = text.slice(at + 1);
  const subjectAt = skipBlankLines(text, at);
  const subject: string[] = [];
  let next = subjectAt;
  while (next < text.length) {
    const end = endOfLine(text, next);
    const line = trimEnd(text.slice(next, end));
    next = Math.min(end + 1, text.length);
    if (line === "") break;
    subject.push(line);
  }
  return {
    author: parsePerson(headers.get("author")),
    committer: parsePerson(headers.get("committer")),
    encoding: headers.get("encoding"),
    isSigned: headers.has("gpgsig") || headers.has("gpgsig-sha256"),
    rawBody,
    subject,
    firstLine: text.slice(subjectAt, endOfLine(text, subjectAt)),
    body: text.slice(skipBlankLines(text, next)),
  };
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function skipBlankLines(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const end = endOfLine(text, at);
    if (trimEnd(text.slice(at, end)) !== "") break;
    at = Math.min(end + 1, text.length);
  }
  return at;
}

function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && isBlank(line[end - 1] as string)) end--;
  return line.slice(0, end);
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t" || char === "\n" || char === "\r";
}

function parsePerson(line: string | undefined): Person | undefined {
  if (line === undefined) return undefined;
  const open = line.indexOf("<");
  const close = open < 0 ? -1 : line.indexOf(">", open + 1);
  if (close < 0) return undefined;
  const [, date, zone] =
    /^[ \t\r]*([0-9]+)[ \t\r]*([-+][0-9]+)/.exec(line.slice(line.lastIndexOf(">") + 1)) ?? [];
  return {
    name: trimEnd(line.slice(0, open)),
    mail: line.slice(open + 1, close),
    date,
    zone: Number((zone ?? "0").slice(0, 12)),
  };
}
