import { AccessRulesError } from "./errors.ts";
import { isUserName } from "./user-name.ts";

/** Who there is, and how they show it. */
export interface Users {
  /** A password's hash, by user. */
  readonly passwords: ReadonlyMap<string, string>;
  /** Users by the SHA-256 of their tokens, in hexadecimal. */
  readonly tokens: ReadonlyMap<string, string>;
  /** Users by their SSH keys, in base64. */
  readonly keys: ReadonlyMap<string, string>;
}

/** Its rounds are 2 to the power of this. More would take a second and longer, for each attempt. */
const MAX_BCRYPT_COST = 14;
const MAX_SHA_ROUNDS = 1_000_000;

const BCRYPT = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;
const SHA_CRYPT =
  /^\$(?:5\$(?:rounds=([1-9][0-9]{3,8})\$)?[^$:]{0,16}\$[./A-Za-z0-9]{43}|6\$(?:rounds=([1-9][0-9]{3,8})\$)?[^$:]{0,16}\$[./A-Za-z0-9]{86})$/;
const TOKEN = /^\$sha256\$([0-9a-f]{64})$/;
const KEY =
  /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t].*)?$/;

/*
 *   # whoever may do anything has lines here
 *   ada:$2y$10$...                          password, as htpasswd -B (or -2, -5) writes it
 *   ada:ssh-ed25519 AAAA... her laptop      SSH key, as in id_ed25519.pub
 *   ci:$sha256$2c26b4...                    SHA-256 of a token, in hexadecimal
 */

/** @throws AccessRulesError `access-rules/bad-users` with the line and column, and without what stands there */
export function parseUsers(text: string): Users {
  const passwords = new Map<string, string>();
  const tokens = new Map<string, string>();
  const keys = new Map<string, string>();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    if (/^\s*(?:#|$)/.test(line)) continue;
    const colon = line.indexOf(":");
    const bad = (message: string, column: number) =>
      new AccessRulesError("access-rules/bad-users", message, { line: index + 1, column });
    if (colon === -1) throw bad("a line is NAME:PASSWORD-HASH, NAME:$sha256$TOKEN-HASH or NAME:SSH-KEY", 1);
    const user = line.slice(0, colon);
    if (!isUserName(user)) throw bad("this cannot be the name of a user", 1);
    const column = colon + 2;
    const shown = line.slice(colon + 1).trimEnd();
    const [, token] = TOKEN.exec(shown) ?? [];
    const [, key] = KEY.exec(shown) ?? [];
    if (token !== undefined)
      addOnce(tokens, token, user, () => bad("this token is somebody's already", column));
    else if (key !== undefined) addOnce(keys, key, user, () => bad("this key is somebody's already", column));
    else {
      const why = faultOfHash(shown);
      if (why !== undefined) throw bad(why, column);
      if (passwords.has(user)) throw bad("this user has a password already", 1);
      passwords.set(user, shown);
    }
  }
  return { passwords, tokens, keys };
}

function addOnce(map: Map<string, string>, key: string, user: string, taken: () => Error): void {
  if ((map.get(key) ?? user) !== user) throw taken();
  map.set(key, user);
}

function faultOfHash(text: string): string | undefined {
  const [, cost] = BCRYPT.exec(text) ?? [];
  if (cost !== undefined)
    return Number(cost) >= 4 && Number(cost) <= MAX_BCRYPT_COST
      ? undefined
      : `the cost of a bcrypt hash is 4 to ${MAX_BCRYPT_COST} here`;
  const sha = SHA_CRYPT.exec(text);
  if (sha !== null)
    return Number(sha[1] ?? sha[2] ?? 5000) <= MAX_SHA_ROUNDS
      ? undefined
      : `the rounds of such a hash are ${MAX_SHA_ROUNDS} at most here`;
  if (/^(?:\$apr1\$|\$1\$|\{SHA\})/.test(text))
    return "such hashes are too quick to try out: make one with htpasswd -B";
  if (text.startsWith("$sha256$")) return "the SHA-256 of a token is 64 digits, 0-9 and a-f";
  if (/^(?:ssh|ecdsa|sk)-/.test(text)) return "this is no SSH key that can log in here";
  return "this is no hash that is known here: make one with htpasswd -B";
}
