import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { temporaryDirectory } from "@tooling/test-kit";
import { createPushVerifier, type PushVerifierOptions } from "@x/push-certificates";
import { describe, expect, it } from "vitest";
import { bytes, data, given, PAYLOAD, REPOSITORY, verdict } from "./rig.ts";

const SIGNATURE = data("ed25519.sig");
const ALLOWED = `a@example.com ${data("ed25519.pub")}`;

describe("createPushVerifier", () => {
  it("chooses by the signature's first line", async () => {
    const options = {
      ssh: { allowedSigners: given(ALLOWED) },
      openpgp: { keys: given(data("keys.asc")) },
    };
    expect((await verdict(options, SIGNATURE)).signer).toBe("a@example.com");
    expect((await verdict(options, data("signed-alice.asc"))).signer).toBe("Alice <Alice@example.com>");
  });

  it.each([
    ["-----BEGIN SSH SIGNATURE-----\n", "ssh"],
    ["-----BEGIN PGP SIGNATURE-----\n", "openpgp"],
    ["-----BEGIN PGP MESSAGE-----\n", "openpgp"],
    ["-----BEGIN SIGNED MESSAGE-----\n", "x509"],
    ["-----BEGIN SOMETHING-----\n", "unknown"],
    ["", "unknown"],
  ])("verifies nothing that nobody is trusted for: %j", async (signature, kind) => {
    await expect(verdict({}, signature)).rejects.toMatchObject({
      code: "push-certificates/unsupported",
      message: `nobody is trusted for signatures of the kind ${kind}`,
    });
  });

  it("has a limit for signatures, and one for what says whom to trust", async () => {
    const ssh = { allowedSigners: given(ALLOWED) };
    const limited = (limits: PushVerifierOptions["limits"]) => verdict({ ssh, limits }, SIGNATURE);
    const length = SIGNATURE.length;
    expect((await limited({ maxSignatureBytes: length })).status).toBe("G");
    await expect(limited({ maxSignatureBytes: length - 1 })).rejects.toMatchObject({
      code: "push-certificates/too-large",
    });
    expect((await limited({ maxTrustBytes: ALLOWED.length })).status).toBe("G");
    await expect(limited({ maxTrustBytes: ALLOWED.length - 1 })).rejects.toMatchObject({
      code: "push-certificates/bad-trust",
    });
  });
});

describe("files that say whom to trust", () => {
  const context = { repository: REPOSITORY, signal: new AbortController().signal };

  it("are read again when they have changed", async () => {
    const file = `${temporaryDirectory("trust")}/allowed`;
    writeFileSync(file, ALLOWED);
    const { verify } = createPushVerifier({ ssh: { allowedSigners: file } });
    const status = async () => (await verify(bytes(PAYLOAD), bytes(SIGNATURE), context)).status;
    expect(await status()).toBe("G");
    expect(await status()).toBe("G");
    writeFileSync(file, "# nobody any more");
    utimesSync(file, 1, 1);
    expect(await status()).toBe("U");
    rmSync(file);
    await expect(status()).rejects.toMatchObject({ code: "push-certificates/bad-trust" });
  });

  it("can be checked beforehand", async () => {
    const root = temporaryDirectory("trust");
    const check = (options: PushVerifierOptions) => createPushVerifier(options).check();
    writeFileSync(`${root}/allowed`, ALLOWED);
    writeFileSync(`${root}/keys`, data("keys.asc"));
    mkdirSync(`${root}/directory`);
    execFileSync("mkfifo", [`${root}/pipe`]);
    const ssh = { allowedSigners: `${root}/allowed` };
    await check({ ssh, openpgp: { keys: `${root}/keys` } });
    for (const options of [
      { ssh: { allowedSigners: `${root}/keys` } },
      { ssh: { allowedSigners: `${root}/none` } },
      { ssh: { allowedSigners: `${root}/directory` } },
      { ssh: { allowedSigners: `${root}/pipe` } },
      { ssh: { allowedSigners: "" } },
      { ssh: { ...ssh, revokedKeys: `${root}/none` } },
      { ssh: { ...ssh, revokedKeys: "" } },
      { openpgp: { keys: `${root}/allowed` } },
      { ssh, limits: { maxTrustBytes: 10 } },
    ])
      await expect(check(options), JSON.stringify(options)).rejects.toMatchObject({
        code: "push-certificates/bad-trust",
      });
  });
});
