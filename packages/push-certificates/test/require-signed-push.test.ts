import { requireSignedPush, type SignedPushRules } from "@x/push-certificates";
import type { PushCertificate, PushContext } from "@x/server-core";
import { describe, expect, it } from "vitest";

const GOOD = { status: "G", nonceStatus: "OK", signer: "a@example.com", key: "K" } as PushCertificate;

const ask = (certificate: Partial<PushCertificate> | undefined, rules?: SignedPushRules, seed?: string) =>
  requireSignedPush(rules).prePush({
    certificate: certificate && { ...GOOD, ...certificate },
    repository: { config: { get: () => seed } },
  } as unknown as PushContext);

describe("requireSignedPush", () => {
  it("lets in what is well signed, and nothing else", async () => {
    expect(await ask({})).toBeUndefined();
    expect(await ask(undefined, {}, "sesame")).toBe("push is not signed");
    expect(await ask({ status: "N" }, {}, "sesame")).toBe("push is not signed");
    for (const status of ["B", "U", "X", "Y", "R", "E", ""])
      expect(await ask({ status })).toBe(`signature of the push is not accepted (${status})`);
    for (const nonceStatus of ["UNSOLICITED", "BAD", "MISSING", "SLOP"] as const)
      expect(await ask({ nonceStatus })).toBe(`nonce of the push is not accepted (${nonceStatus})`);
  });

  it("says when nobody could sign", async () => {
    expect(await ask(undefined)).toBe(
      "push is not signed, nor can it be: receive.certNonceSeed is not set here",
    );
  });

  it("goes by its rules", async () => {
    const rules = { statuses: ["G", "U"], nonceStatuses: ["OK", "SLOP"] as const };
    expect(await ask({ status: "U", nonceStatus: "SLOP" }, rules)).toBeUndefined();
    expect(await ask({ status: "N" }, { statuses: ["N"] }, "sesame")).toBe("push is not signed");
    const admit = async ({ signer }: PushCertificate) => (signer === "a@example.com" ? undefined : "who?");
    expect(await ask({}, { admit })).toBeUndefined();
    expect(await ask({ signer: "b@example.com" }, { admit })).toBe("who?");
    expect(await ask({ status: "B", signer: "b@example.com" }, { admit })).toContain("(B)");
  });
});
