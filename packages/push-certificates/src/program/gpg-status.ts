import type { PushVerdict } from "@x/server-core";

/** How far a key is trusted, from least to most as git orders it. Spec: git-config, `gpg.minTrustLevel`. */
export type TrustLevel = "undefined" | "never" | "marginal" | "fully" | "ultimate";

const LEVELS: readonly TrustLevel[] = ["undefined", "never", "marginal", "fully", "ultimate"];

/** What `gpg.minTrustLevel` says; `undefined` when it is none of gpg's levels. */
export function parseTrustLevel(text: string): TrustLevel | undefined {
  const name = text.toLowerCase();
  return LEVELS.find((level) => level === name);
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ["GOODSIG", "G"],
  ["BADSIG", "B"],
  ["ERRSIG", "E"],
  ["EXPSIG", "X"],
  ["EXPKEYSIG", "Y"],
  ["REVKEYSIG", "R"],
]);

/**
 * Reads what gpg and gpgsm write to `--status-fd`, as git does.
 * @param minTrustLevel a good signature of a key that is trusted less is one of unknown validity (`U`)
 * Spec: GnuPG, doc/DETAILS, "Format of the --status-fd output"; git-log, `%G?`.
 */
export function parseGpgStatus(output: string, minTrustLevel: TrustLevel = "undefined"): PushVerdict {
  let verdict: PushVerdict | undefined;
  let trust: TrustLevel = "undefined";
  for (const line of output.split("\n")) {
    const [, word = "", rest = ""] = /^\[GNUPG:\] ([A-Z_]+) ?(.*)$/.exec(line) ?? [];
    const status = LETTERS.get(word);
    if (status !== undefined) {
      // Several signatures: git believes none of them.
      if (verdict !== undefined) return UNCHECKED;
      const [key, ...name] = rest.split(" ");
      const signer = name.join(" ");
      verdict = { status, signer: status === "E" || signer === "" ? undefined : signer, key };
    } else if (word.startsWith("TRUST_")) {
      const level = LEVELS.find((each) => `TRUST_${each.toUpperCase()}` === word);
      if (level === undefined) return UNCHECKED;
      trust = level;
    }
  }
  if (verdict === undefined) return UNCHECKED;
  const isTrusted = trust !== "never" && LEVELS.indexOf(trust) >= LEVELS.indexOf(minTrustLevel);
  return verdict.status === "G" && !isTrusted ? { ...verdict, status: "U" } : verdict;
}

const UNCHECKED: PushVerdict = { status: "E", signer: undefined, key: undefined };
