import { describe, expect, it } from "vitest";
import { parseGpgStatus, parseTrustLevel } from "../src/program/gpg-status.ts";

const status = (...lines: string[]) => lines.map((line) => `[GNUPG:] ${line}\n`).join("");
const GOOD = status("NEWSIG", "GOODSIG 13B6F51ECDDE430D C O Mitter <c@example.com>", "VALIDSIG 73D7 2026");
const NOTHING = { status: "E", signer: undefined, key: undefined };

describe("what gpg says", () => {
  it.each([
    ["GOODSIG", "G"],
    ["BADSIG", "B"],
    ["EXPSIG", "X"],
    ["EXPKEYSIG", "Y"],
    ["REVKEYSIG", "R"],
  ])("%s is %s", (word, letter) => {
    expect(parseGpgStatus(status(`${word} 13B6F51ECDDE430D C O Mitter <c@example.com>`))).toEqual({
      status: letter,
      signer: "C O Mitter <c@example.com>",
      key: "13B6F51ECDDE430D",
    });
  });

  it("has no name with a key that is not there", () => {
    expect(
      parseGpgStatus(status("ERRSIG 61092E85B7227189 1 2 00 1700000000 9", "NO_PUBKEY 61092E85")),
    ).toEqual({
      status: "E",
      signer: undefined,
      key: "61092E85B7227189",
    });
  });

  it("counts only in its own lines, and once", () => {
    expect(parseGpgStatus("")).toEqual(NOTHING);
    expect(parseGpgStatus("GOODSIG 1 a\n [GNUPG:] GOODSIG 1 a\n")).toEqual(NOTHING);
    expect(parseGpgStatus(GOOD + GOOD)).toEqual(NOTHING);
    expect(parseGpgStatus(status("BADSIG 1 a") + GOOD)).toEqual(NOTHING);
    expect(parseGpgStatus(status("GOODSIGN 1 a"))).toEqual(NOTHING);
  });

  it("is worth what the key is trusted", () => {
    const letter = (trust: string, least?: "marginal" | "undefined" | "ultimate") =>
      parseGpgStatus(GOOD + status(trust), least).status;
    expect(letter("TRUST_UNDEFINED 0 pgp")).toBe("G");
    expect(letter("TRUST_NEVER")).toBe("U");
    expect(letter("TRUST_UNDEFINED 0 pgp", "marginal")).toBe("U");
    expect(letter("TRUST_MARGINAL 0 pgp", "marginal")).toBe("G");
    expect(letter("TRUST_FULLY 0 pgp", "ultimate")).toBe("U");
    expect(letter("TRUST_ULTIMATE 0 pgp", "ultimate")).toBe("G");
    expect(parseGpgStatus(GOOD, "marginal").status).toBe("U");
    expect(letter("TRUST_BLINDLY")).toBe("E");
    expect(parseGpgStatus(status("BADSIG 1 a", "TRUST_ULTIMATE")).status).toBe("B");
  });

  it("knows git's levels", () => {
    expect(parseTrustLevel("FULLY")).toBe("fully");
    expect(parseTrustLevel("much")).toBeUndefined();
  });
});
