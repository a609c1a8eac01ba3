import type { Credentials } from "@x/server-core";

/** How a 401 asks who is there. */
export interface Authentication {
  /** What the credentials are for, as browsers and credential helpers show it. Default: `git`. */
  readonly realm?: string | undefined;
  /** In this order. Default: Basic, which every client knows. */
  readonly schemes?: readonly ("basic" | "bearer")[] | undefined;
}

const ANONYMOUS: Credentials = { kind: "anonymous" };

/**
 * Reads an `Authorization` header. A scheme that is neither Basic nor Bearer says nothing to us, and counts as nothing said.
 * Spec: RFC 7617, RFC 6750 section 2.1
 * @param header its characters are bytes, as in `Headers`
 * @returns `undefined` for what is not as it has to be: never a guess
 */
export function parseAuthorization(header: string | null, maxBytes: number): Credentials | undefined {
  if (header === null) return ANONYMOUS;
  if (header.length > maxBytes) return undefined;
  const [, scheme = "", rest = ""] = /^([!#$%&'*+.^_`|~\w-]+)(?: +(.*))?$/s.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case "":
      return undefined;
    case "basic":
      return parseBasic(rest);
    case "bearer":
      return /^[\w.~+/-]+=*$/.test(rest) ? { kind: "bearer", token: rest } : undefined;
    default:
      return ANONYMOUS;
  }
}

function parseBasic(text: string): Credentials | undefined {
  const pair = decodeBase64(text);
  const colon = pair?.indexOf(":") ?? -1;
  // Names and passwords have no control characters, says the RFC; and what a log or a hook gets should not.
  if (pair === undefined || colon === -1 || /\p{Cc}/u.test(pair)) return undefined;
  return { kind: "basic", user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/** Strict: no blanks, whole groups, and nothing in the bits that are left over. */
function decodeBase64(text: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    const binary = atob(text);
    if (btoa(binary) !== text) return undefined;
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The `WWW-Authenticate` header. @throws TypeError for a realm that no header can hold */
export function formatChallenge({ realm = "git", schemes = ["basic"] }: Authentication = {}): string {
  if (!/^[\x20-\x7e]*$/.test(realm)) throw new TypeError("a realm is made of printable ASCII");
  const quoted = `"${realm.replace(/["\\]/g, "\\$&")}"`;
  const challenges = { basic: `Basic realm=${quoted}, charset="UTF-8"`, bearer: `Bearer realm=${quoted}` };
  return schemes.map((scheme) => challenges[scheme]).join(", ");
}

/** A target fit for a log: whoever puts a password into a URL should not find it there. */
export function withoutUserInfo(target: string): string {
  return target.replace(/^([a-z][a-z0-9+.-]*:)?\/\/[^/?#]*@/i, "$1//");
}
