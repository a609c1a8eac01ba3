import { textOf } from "./scan.ts";

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;
const HOST = /^[A-Za-z0-9.\-_[:\]]*$/;

/** Bytes that stand escaped in any case. */
const UNSAFE = 1;
/** Delimiters, which stay escaped where they were. */
const RESERVED = 2;
const KINDS: Uint8Array = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) if (byte <= 0x1f || byte >= 0x7f) KINDS[byte] = UNSAFE;
for (const character of ' <>"%{}|\\^`') KINDS[character.charCodeAt(0)] = UNSAFE;
for (const character of ":/?#[]@!$&'()*+,;=") KINDS[character.charCodeAt(0)] = RESERVED;

/**
 * Brings a URL into the form in which C git compares URLs: scheme and host in lower case, escapes only where needed and
 * in capitals, no default port, no `.` and `..` in the path. Byte-exact: one character for each byte, no NUL.
 * @returns `undefined` when git takes it for no URL. Spec: git-config, `http.<url>.*`; RFC 3986, section 6.
 */
export function normalizeUrl(url: string): string | undefined {
  const scheme = SCHEME.exec(url)?.[0].toLowerCase();
  if (scheme === undefined) return undefined;
  const out = new Output(scheme, url.length);
  const end = url.length;
  const authorityEnd = indexOfAny(url, scheme.length);
  let at = scheme.length;
  const user = url.lastIndexOf("@", authorityEnd - 1) < at ? -1 : url.indexOf("@", at);
  if (user >= 0) {
    if (!out.escape(url, at, user)) return undefined;
    out.add("@");
    at = user + 1;
  }
  const host = url.slice(at, authorityEnd);
  if ((host === "" || host.startsWith(":")) && scheme !== "file://") return undefined;
  if (!addHost(out, host, scheme)) return undefined;
  at = authorityEnd;
  if (url[at] === "/") at++;
  const pathEnd = out.addPath(url, at);
  if (pathEnd === undefined || !out.escape(url, pathEnd, end)) return undefined;
  return out.text();
}

/** Where the first of `/`, `?` and `#` stands from `at` on, or the end. */
function indexOfAny(url: string, at: number): number {
  let i = at;
  while (i < url.length && url[i] !== "/" && url[i] !== "?" && url[i] !== "#") i++;
  return i;
}

/** Adds host and port. @returns whether they are ones */
function addHost(out: Output, text: string, scheme: string): boolean {
  // The port's colon comes after an IPv6 address in brackets, and may stand at the very start.
  const last = Math.max(text.lastIndexOf(":"), text.lastIndexOf("]"));
  const hasPort = last >= 0 && text[last] === ":";
  const host = hasPort ? text.slice(0, last) : text;
  if (!HOST.test(host)) return false;
  out.add(host.toLowerCase());
  if (!hasPort) return true;
  const digits = text.slice(last + 1);
  // Only a file: URL may lack a host, and then it has no port.
  if (text.startsWith(":") && digits !== "") return false;
  const port = digits.replace(/^0+(?=0$|[^0])/, "");
  if (port === "" || (scheme === "http://" && port === "80") || (scheme === "https://" && port === "443"))
    return true;
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) === 0 || Number(port) > 65_535) return false;
  out.add(`:${port}`);
  return true;
}

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const HEX = "0123456789ABCDEF";

/** NaN when it is no hex digit. */
function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = (code | 0x20) - 0x61;
  return letter >= 0 && letter < 6 ? letter + 10 : Number.NaN;
}

/** The normalized URL as it grows. */
class Output {
  #bytes: Uint8Array;
  #length = 0;

  constructor(start: string, expected: number) {
    this.#bytes = new Uint8Array(expected + 16);
    this.add(start);
  }

  text(): string {
    return textOf(this.#bytes, 0, this.#length);
  }

  add(text: string): void {
    for (let i = 0; i < text.length; i++) this.#push(text.charCodeAt(i));
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = byte;
  }

  /** Adds `url[at … end)` with the escapes it needs and no others. @returns whether its own escapes are ones */
  escape(url: string, at: number, end: number): boolean {
    for (let i = at; i < end; i++) {
      let byte = url.charCodeAt(i);
      const escaped = byte === PERCENT;
      if (escaped) {
        byte = i + 2 < end ? hexValue(url.charCodeAt(i + 1)) * 16 + hexValue(url.charCodeAt(i + 2)) : -1;
        if (!(byte >= 0)) return false;
        i += 2;
      }
      const kind = KINDS[byte] as number;
      if (kind === UNSAFE || (kind === RESERVED && escaped)) {
        this.#push(PERCENT);
        this.#push(HEX.charCodeAt(byte >> 4));
        this.#push(HEX.charCodeAt(byte & 15));
      } else this.#push(byte);
    }
    return true;
  }

  /** Adds the path that starts at `at`, its leading slash left out. @returns where it ends, if it is one */
  addPath(url: string, at: number): number | undefined {
    const root = this.#length;
    this.#push(SLASH);
    for (let start = at; ; ) {
      const end = indexOfAny(url, start);
      const segmentAt = this.#length;
      if (!this.escape(url, start, end)) return undefined;
      let slash = true;
      if (this.#isDots(segmentAt, 1)) {
        slash = segmentAt > root + 1;
        this.#length = slash ? segmentAt - 1 : segmentAt;
      } else if (this.#isDots(segmentAt, 2)) {
        if (segmentAt === root + 1) return undefined;
        let before = segmentAt - 1;
        while (this.#bytes[before - 1] !== SLASH) before--;
        slash = before - 1 > root;
        this.#length = slash ? before - 1 : before;
      }
      if (url[end] !== "/") return end;
      if (slash) this.#push(SLASH);
      start = end + 1;
    }
  }

  #isDots(at: number, count: number): boolean {
    if (this.#length !== at + count) return false;
    for (let i = at; i < this.#length; i++) if (this.#bytes[i] !== DOT) return false;
    return true;
  }
}
