import { PushCertificatesError } from "../errors.ts";
import { matchesPatternList } from "./pattern-list.ts";
import { decodeBase64 } from "./ssh-signature.ts";
import { WireReader } from "./wire-reader.ts";

/** One line: whose key it is, and for what. Spec: ssh-keygen(1), "ALLOWED SIGNERS". */
export interface AllowedSigner {
  /** Patterns, as they stand there. */
  readonly principals: readonly string[];
  readonly certAuthority: boolean;
  /** Patterns; `undefined` for all. */
  readonly namespaces: readonly string[] | undefined;
  /** Unit: milliseconds since 1970. */
  readonly validAfter: number | undefined;
  /** Unit: milliseconds since 1970. */
  readonly validBefore: number | undefined;
  readonly publicKey: Uint8Array;
}

/** What a list of allowed signers says of a key. */
export type SignerStanding =
  | { readonly kind: "allowed"; readonly principal: string }
  /** It is there, but not for this namespace. */
  | { readonly kind: "elsewhere" }
  /** It is not there, not yet, or no more. */
  | { readonly kind: "unknown" };

/**
 * @param name of the file, for messages
 * @throws PushCertificatesError `push-certificates/bad-trust` for the first line that makes no sense
 */
export function parseAllowedSigners(bytes: Uint8Array, name: string): readonly AllowedSigner[] {
  const signers: AllowedSigner[] = [];
  for (const [index, line] of Buffer.from(bytes).toString("utf8").split("\n").entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const signer = parseLine(text);
    if (typeof signer === "string")
      throw new PushCertificatesError("push-certificates/bad-trust", `${name}:${index + 1}: ${signer}`);
    signers.push(signer);
  }
  return signers;
}

/** @param now unit: milliseconds since 1970 */
export function standingOf(
  signers: readonly AllowedSigner[],
  publicKey: Uint8Array,
  { namespace, now }: { readonly namespace: string; readonly now: number },
): SignerStanding {
  const lines = signers.filter(
    (signer) =>
      !signer.certAuthority &&
      now >= (signer.validAfter ?? -Infinity) &&
      now <= (signer.validBefore ?? Infinity) &&
      Buffer.compare(signer.publicKey, publicKey) === 0,
  );
  for (const { principals, namespaces } of lines) {
    if (namespaces !== undefined && !matchesPatternList(namespace, namespaces)) continue;
    const principal = principals.find((each) => matchesPatternList(each, principals));
    if (principal !== undefined) return { kind: "allowed", principal };
  }
  return { kind: lines.length > 0 ? "elsewhere" : "unknown" };
}

/** @returns what is wrong with it */
function parseLine(line: string): AllowedSigner | string {
  const [principals = "", rest = ""] = firstWord(line);
  const names = principals.split(",").filter((each) => each !== "");
  if (names.length === 0) return "no principals";
  if (rest === "") return "no public key";
  const direct = parsePublicKey(rest);
  if (direct !== undefined) return { principals: names, ...NO_OPTIONS, publicKey: direct };
  const [words = "", keyText = ""] = firstWord(rest, { quotes: "kept" });
  const options = parseOptions(splitOutsideQuotes(words, ","));
  if (typeof options === "string") return options;
  const publicKey = parsePublicKey(keyText);
  return publicKey === undefined ? "no public key" : { principals: names, ...options, publicKey };
}

/** Up to the first blank that is not between quotes, and what follows. */
function firstWord(text: string, { quotes = "dropped" } = {}): readonly [string, string] {
  const [word = "", ...rest] = splitOutsideQuotes(text, " \t");
  const after = rest.length === 0 ? "" : text.slice(word.length).trim();
  return [quotes === "kept" ? word : word.replace(/^"(.*)"$/, "$1"), after];
}

function splitOutsideQuotes(text: string, separators: string): string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    if (sign === "\\" && text[at + 1] === '"') at++;
    else if (sign === '"') isQuoted = !isQuoted;
    else if (!isQuoted && separators.includes(sign)) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

type Options = Omit<AllowedSigner, "principals" | "publicKey">;

const NO_OPTIONS: Options = {
  certAuthority: false,
  namespaces: undefined,
  validAfter: undefined,
  validBefore: undefined,
};

function parseOptions(words: readonly string[]): Options | string {
  const options: { -readonly [K in keyof Options]: Options[K] } = { ...NO_OPTIONS };
  for (const word of words) {
    const [, key = "", quoted] = /^([^=]*)(?:="(.*)")?$/.exec(word) ?? [];
    const value = quoted?.replaceAll('\\"', '"');
    const name = key.toLowerCase();
    if (name === "cert-authority" && value === undefined) options.certAuthority = true;
    else if (name === "namespaces" && value) options.namespaces = value.split(",");
    else if ((name === "valid-after" || name === "valid-before") && value !== undefined) {
      const moment = parseMoment(value);
      if (moment === undefined) return `${name} has no time: ${JSON.stringify(value)}`;
      options[name === "valid-after" ? "validAfter" : "validBefore"] = moment;
    } else return `an option that is not known: ${JSON.stringify(word.slice(0, 64))}`;
  }
  const { validAfter = -Infinity, validBefore = Infinity } = options;
  return validAfter < validBefore ? options : "it ends before it begins";
}

/** `YYYYMMDD[HHMM[SS]]`, in local time unless `Z` follows. */
function parseMoment(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits) => Number(digits ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return undefined;
  const parts = [year, month - 1, day, hour, minute, second] as const;
  return match[7] === "Z" ? Date.UTC(...parts) : new Date(...parts).getTime();
}

/** `type base64 [comment]`, as in a `.pub` file; `undefined` when `text` does not start so. */
export function parsePublicKey(text: string): Uint8Array | undefined {
  const [, type = "", base64 = ""] = /^([^\s"]+)[ \t]+(\S+)/.exec(text) ?? [];
  const bytes = decodeBase64(base64);
  if (bytes === undefined) return undefined;
  try {
    return new WireReader(bytes).text() === type ? bytes : undefined;
  } catch {
    return undefined;
  }
}
