import { fingerprintOf, type PublicKeyType, publicKeyType } from "./public-key.ts";

/** One key that may log in. */
export interface AuthorizedKey {
  readonly type: PublicKeyType;
  /** The key in SSH's own form. */
  readonly blob: Uint8Array;
  readonly fingerprint: string;
  /** What stands behind the key. */
  readonly comment: string;
  /** Counted from 1. */
  readonly line: number;
}

/** What {@link parseAuthorizedKeys} made of a list. */
export interface AuthorizedKeys {
  readonly keys: readonly AuthorizedKey[];
  /** Lines that let nobody in, and why. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

/** Options that take away, or give, what nobody is given here. All others would mean something that we do not do. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...["restrict", "pty", "no-pty", "user-rc", "no-user-rc", "environment"],
  ...["agent-forwarding", "no-agent-forwarding", "x11-forwarding", "no-x11-forwarding"],
  ...["port-forwarding", "no-port-forwarding", "permitopen", "permitlisten", "tunnel"],
]);

const TYPES = "ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa";
const KEY = new RegExp(`^(${TYPES})[ \\t]+([A-Za-z0-9+/]+={0,2})(?:[ \\t]+(.*))?$`);
const OPTION = /^([A-Za-z0-9-]+)(?:="((?:[^"\\]|\\.)*)")?(,|[ \t]+)/;

/**
 * Reads OpenSSH's list of keys. A key with an option that would restrict it in a way that is not kept here, such as
 * `command` or `from`, is refused: to pass over the option would give more than was meant.
 * Spec: sshd(8), "AUTHORIZED_KEYS FILE FORMAT"
 */
export function parseAuthorizedKeys(text: string): AuthorizedKeys {
  const keys: AuthorizedKey[] = [];
  const refused: { line: number; reason: string }[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const key = parseLine(line, index + 1);
    if (typeof key === "string") refused.push({ line: index + 1, reason: key });
    else keys.push(key);
  }
  return { keys, refused };
}

function parseLine(text: string, line: number): AuthorizedKey | string {
  let rest = text;
  let match = KEY.exec(rest);
  for (let more = true; match === null && more; ) {
    const option = OPTION.exec(rest);
    if (option === null) return "it is no key that can log in here";
    const [whole, name = "", , end = ""] = option;
    if (/^(?:ssh|sk|ecdsa)-/.test(name)) return "it is no key that can log in here";
    if (!HARMLESS.has(name.toLowerCase())) return `the option ${name} is not kept here`;
    rest = rest.slice(whole.length);
    more = end === ",";
    if (!more) match = KEY.exec(rest);
  }
  const [, type, base64 = "", comment = ""] = match ?? [];
  const blob = Buffer.from(base64, "base64");
  if (type === undefined || blob.toString("base64") !== base64 || publicKeyType(blob) !== type)
    return "it is no key that can log in here";
  return { type: type as PublicKeyType, blob, fingerprint: fingerprintOf(blob), comment, line };
}
