import { describe, expect, it } from "vitest";
import { data, given, NOW, PAYLOAD, verdict } from "./rig.ts";

const BAD = { status: "B", signer: undefined, key: undefined };
const ED25519 = data("ed25519.pub").split(" ").slice(0, 2).join(" ");
const FINGERPRINT = "SHA256:2Vr/rSESgsh0AikWcYQnb6w6Tzgbor+HOVlz05Wo6uk";

function allow(lines: string, more: { readonly revoked?: string | Uint8Array; readonly now?: number } = {}) {
  const { revoked, now = NOW } = more;
  const revokedKeys = revoked === undefined ? undefined : async () => revoked;
  return { ssh: { allowedSigners: given(lines), revokedKeys }, now: () => now };
}

/** Changes one byte of what is in the armour, counted from its end. */
function flip(armour: string, fromEnd: number): string {
  const lines = armour.trim().split("\n");
  const bytes = Buffer.from(lines.slice(1, -1).join(""), "base64");
  bytes[bytes.length - fromEnd] = (bytes[bytes.length - fromEnd] as number) ^ 1;
  return [lines[0], bytes.toString("base64"), lines.at(-1), ""].join("\n");
}

describe("signatures of OpenSSH", () => {
  const kinds = [
    ["ed25519", "ed25519"],
    ["ed25519-sha256", "ed25519"],
    ["ecdsa-256", "ecdsa-256"],
    ["ecdsa-384", "ecdsa-384"],
    ["ecdsa-521", "ecdsa-521"],
    ["rsa", "rsa"],
    ["rsa-sha256", "rsa"],
    ["sk-ed25519", "sk-ed25519"],
    ["sk-ecdsa", "sk-ecdsa"],
  ] as const;
  it.each(kinds)("%s: good, and bad under anything else", async (name, key) => {
    const trust = allow(`somebody@example.com ${data(`${key}.pub`)}`);
    const signature = data(`${name}.sig`);
    expect(await verdict(trust, signature)).toMatchObject({ status: "G", signer: "somebody@example.com" });
    expect(await verdict(trust, signature, PAYLOAD.replace("main", "mair"))).toEqual(BAD);
    expect(await verdict(trust, flip(signature, 20))).toEqual(BAD);
    expect((await verdict(allow(""), signature)).status).toBe("U");
  });

  it("are shown by the fingerprint of their key", async () => {
    const signature = data("ed25519.sig");
    expect((await verdict(allow(`a ${ED25519}`), signature)).key).toBe(FINGERPRINT);
    expect(await verdict(allow(""), signature)).toEqual({
      status: "U",
      signer: undefined,
      key: FINGERPRINT,
    });
  });

  it("are bad when every single byte of them is changed", async () => {
    const signature = data("ed25519.sig");
    const length = Buffer.from(signature.split("\n").slice(1, -2).join(""), "base64").length;
    expect(length).toBeGreaterThan(150);
    for (let at = 1; at <= length; at++)
      // A version that is not known is no bad signature, but not a good one either.
      expect(
        await verdict(allow(`a ${ED25519}`), flip(signature, at)).catch(() => BAD),
        `byte ${at}`,
      ).toEqual(BAD);
  });

  it("are bad when they are cut off or no base64", async () => {
    const signature = data("ed25519.sig");
    for (let length = "-----BEGIN SSH SIGNATURE-----".length; length < signature.length - 2; length++)
      expect(await verdict(allow(`a ${ED25519}`), signature.slice(0, length)), `${length}`).toEqual(BAD);
    for (let bytes = 0; bytes < 150; bytes += 7) {
      const lines = signature.split("\n");
      const body = Buffer.from(lines.slice(1, -2).join(""), "base64").subarray(0, bytes).toString("base64");
      expect(await verdict(allow(`a ${ED25519}`), [lines[0], body, lines.at(-2), ""].join("\n"))).toEqual(
        BAD,
      );
    }
    expect(await verdict(allow(`a ${ED25519}`), signature.replace("\nU1NI", "\n!1NI"))).toEqual(BAD);
  });

  it("are bad when they were made for something else", async () => {
    expect(await verdict(allow(`a ${ED25519}`), data("ed25519-file.sig"))).toEqual(BAD);
  });

  it("with SHA-1, or by a certificate, are not verified", async () => {
    await expect(verdict(allow(`a ${data("rsa.pub")}`), data("rsa-sha1.sig"))).rejects.toMatchObject({
      code: "push-certificates/unsupported",
      message: 'not verified here: signatures of the kind "ssh-rsa"',
    });
    await expect(verdict(allow(`a ${ED25519}`), data("certificate.sig"))).rejects.toMatchObject({
      code: "push-certificates/unsupported",
      message: expect.stringContaining("certificates of OpenSSH"),
    });
  });
});

describe("allowed signers", () => {
  const signed = (lines: string, now?: number) =>
    verdict(allow(lines, now === undefined ? {} : { now }), data("ed25519.sig"));

  it("may be many, with comments, options and quotes", async () => {
    const lines = [
      "# a comment",
      "",
      `other ${data("rsa.pub")}`,
      `"first name,x@example.com"  NAMESPACES="file,g?t",valid-after="20200101" ${ED25519} a comment`,
    ];
    expect(await signed(lines.join("\n"))).toMatchObject({ status: "G", signer: "first name" });
    expect(await signed(lines.join("\r\n"))).toMatchObject({ status: "G", signer: "first name" });
  });

  it("are named by the first principal that is not excluded", async () => {
    expect((await signed(`!a@x,a@x,*@y ${ED25519}`)).signer).toBe("*@y");
    expect((await signed(`!* ${ED25519}`)).status).toBe("B");
  });

  it("count for their namespaces alone", async () => {
    expect((await signed(`a namespaces="file" ${ED25519}`)).status).toBe("B");
    expect((await signed(`a namespaces="*,!git" ${ED25519}`)).status).toBe("B");
    expect(await signed(`a namespaces="file" ${ED25519}\nb ${ED25519}`)).toMatchObject({
      status: "G",
      signer: "b",
    });
  });

  it("count for their time alone", async () => {
    const line = `a valid-after="20260101Z",valid-before="202603011200Z" ${ED25519}`;
    const at = async (iso: string) => (await signed(line, Date.parse(iso))).status;
    expect(await at("2025-12-31T23:59:59Z")).toBe("U");
    expect(await at("2026-01-01T00:00:00Z")).toBe("G");
    expect(await at("2026-03-01T12:00:00Z")).toBe("G");
    expect(await at("2026-03-01T12:00:01Z")).toBe("U");
    const local = `a valid-before="20260301120030" ${ED25519}`;
    const moment = new Date(2026, 2, 1, 12, 0, 30).getTime();
    expect((await signed(local, moment)).status).toBe("G");
    expect((await signed(local, moment + 1000)).status).toBe("U");
  });

  it("that sign certificates sign nothing themselves", async () => {
    expect((await signed(`a cert-authority ${ED25519}`)).status).toBe("U");
  });

  it.each([
    ["a", "no public key"],
    [`a ssh-ed25519 ${"A".repeat(68)}`, "an option that is not known"],
    [`a ssh-rsa ${ED25519.split(" ")[1]}`, "an option that is not known"],
    [`a some-option ${ED25519}`, 'an option that is not known: "some-option"'],
    [`a cert-authority`, "no public key"],
    [`a valid-before="tomorrow" ${ED25519}`, 'valid-before has no time: "tomorrow"'],
    [`a valid-after="20261301" ${ED25519}`, 'valid-after has no time: "20261301"'],
    [`a valid-after="20260301",valid-before="20260201" ${ED25519}`, "it ends before it begins"],
    [`, ${ED25519}`, "no principals"],
  ])("that make no sense stop everything: %s", async (line, message) => {
    await expect(signed(`a ${ED25519}\n${line}`)).rejects.toMatchObject({
      code: "push-certificates/bad-trust",
      message: expect.stringContaining(`line:2: ${message}`),
    });
  });
});

describe("revoked keys", () => {
  const krl = (name: string) => new Uint8Array(Buffer.from(data(`${name}.krl.base64`), "base64"));
  const signed = (name: string, revoked: string | Uint8Array) =>
    verdict(allow(`a ${data(`${name}.pub`)}`, { revoked }), data(`${name}.sig`));

  it.each(["keys", "sha1", "sha256"])("in a list of %s are out, and no others", async (name) => {
    expect(await signed("ed25519", krl(name))).toEqual(BAD);
    expect((await signed("rsa", krl(name))).status).toBe("G");
  });

  it("may be lines of text", async () => {
    expect(await signed("ed25519", `# gone\n${ED25519} comment\n`)).toEqual(BAD);
    expect((await signed("rsa", ED25519)).status).toBe("G");
    expect((await signed("rsa", "")).status).toBe("G");
  });

  it("stop everything when they are not understood", async () => {
    const list = krl("keys");
    for (let length = 8; length < list.length; length++)
      // What ends after a section is a list; there is one section.
      if (length !== 8 + 4 + 24 + 4 + 4)
        await expect(signed("rsa", list.subarray(0, length)), `${length}`).rejects.toMatchObject({
          code: "push-certificates/bad-trust",
        });
    await expect(signed("rsa", "not a key")).rejects.toMatchObject({
      code: "push-certificates/bad-trust",
      message: "line: line 1 is no public key",
    });
    const unknown = list.slice();
    unknown[8 + 4 + 24 + 4 + 4] = 99;
    await expect(signed("rsa", unknown)).rejects.toMatchObject({ message: "line: section 99 is not known" });
  });
});
