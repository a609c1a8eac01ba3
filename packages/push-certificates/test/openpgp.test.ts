import type { AnyPacket, PrivateKey, SecretKeyPacket } from "openpgp";
import { describe, expect, it } from "vitest";
import { bytes, data, given, NOW, PAYLOAD, verdict } from "./rig.ts";

const RING = { keys: given(data("keys.asc")) };
const signed = (name: string, now: number = NOW, payload = PAYLOAD) =>
  verdict({ openpgp: RING, now: () => now }, data(`signed-${name}.asc`), payload);
async function signWith(signingKeys: PrivateKey): Promise<string> {
  const { createMessage, sign } = await import("openpgp");
  const message = await createMessage({ binary: bytes(PAYLOAD) });
  return sign({ message, signingKeys, detached: true, date: new Date(Date.UTC(2026, 1, 1)) });
}
const LATER = Date.UTC(2026, 5, 1);

// The letters, keys and names are those that gpg gives.
describe("signatures of OpenPGP", () => {
  it("are good: by a subkey, by RSA, under text", async () => {
    const alice = { status: "G", signer: "Alice <Alice@example.com>", key: "B5698B453C249F6B" };
    expect(await signed("alice")).toEqual(alice);
    expect(await signed("text")).toEqual(alice);
    expect(await signed("robert")).toEqual({
      status: "G",
      signer: "Robert <Robert@example.com>",
      key: "F847D03FE8DD5231",
    });
  });

  it("are bad under anything else, and when they are changed", async () => {
    const bad = { status: "B", signer: "Alice <Alice@example.com>", key: "B5698B453C249F6B" };
    expect(await signed("alice", NOW, PAYLOAD.replace("main", "mair"))).toEqual(bad);
    expect(await signed("alice", NOW, "")).toEqual(bad);
    const { readSignature } = await import("openpgp");
    const bytes = (await readSignature({ armoredSignature: data("signed-alice.asc") })).write() as Uint8Array;
    for (const at of [bytes.length - 1, bytes.length - 40, bytes.length - 66]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 1;
      const armour = `-----BEGIN PGP SIGNATURE-----\n\n${Buffer.from(changed).toString("base64")}\n-----END PGP SIGNATURE-----\n`;
      expect(await verdict({ openpgp: RING }, armour), `${at}`).toEqual(bad);
    }
  });

  it("cannot be checked without their key", async () => {
    expect(await signed("eve")).toEqual({ status: "E", signer: undefined, key: "A93827AF05E9B1CF" });
    expect((await verdict({ openpgp: { keys: given("") } }, data("signed-alice.asc"))).status).toBe("E");
  });

  it("expire, as keys do", async () => {
    expect((await signed("expiring", Date.UTC(2026, 1, 1, 0, 30))).status).toBe("G");
    expect(await signed("expiring")).toMatchObject({ status: "X", key: "F847D03FE8DD5231" });
    expect(await signed("carol")).toMatchObject({ status: "G", key: "C7F54160979039F7" });
    expect(await signed("carol", LATER)).toEqual({
      status: "Y",
      signer: "Carol <Carol@example.com>",
      key: "C7F54160979039F7",
    });
  });

  it("go with a key that is revoked", async () => {
    expect(await signed("dave")).toEqual({
      status: "R",
      signer: "Dave <Dave@example.com>",
      key: "792139EC907E7605",
    });
  });

  it("go with a subkey that is revoked", async () => {
    const { enums, generateKey } = await import("openpgp");
    const date = new Date(Date.UTC(2026, 0, 1));
    const userIDs = [{ name: "Sue" }];
    const { privateKey } = await generateKey({ userIDs, subkeys: [{ sign: true }], format: "object", date });
    const armour = await signWith(privateKey);
    const status = async () =>
      verdict({ openpgp: { keys: async () => privateKey.toPublic().write() } }, armour);
    expect(await status()).toMatchObject({ status: "G", signer: "Sue" });
    const [subkey] = privateKey.subkeys;
    if (subkey === undefined) throw new Error("no subkey");
    const why = { flag: enums.reasonForRevocation.keyRetired };
    const revoked = await subkey.revoke(privateKey.keyPacket as SecretKeyPacket, why, new Date(NOW - 1000));
    privateKey.subkeys = [revoked];
    expect(await status()).toMatchObject({ status: "R", signer: "Sue" });
  });

  it("stay with their key, whoever claims its subkey", async () => {
    const { PacketList, PublicKey, readKey, readKeys } = await import("openpgp");
    const [alice] = await readKeys({ armoredKeys: data("keys.asc").split("something")[0] as string });
    const eve = (await readKey({ armoredKey: data("private.asc") })).toPublic();
    if (alice === undefined) throw new Error("no key");
    const packets = new PacketList<AnyPacket>();
    packets.push(...eve.toPacketList(), ...alice.toPacketList().slice(-2));
    const thief = new PublicKey(packets).write();
    const ring = (...keys: readonly Uint8Array[]) =>
      verdict({ openpgp: { keys: async () => Buffer.concat(keys) } }, data("signed-alice.asc"));
    expect(await ring(thief)).toMatchObject({ status: "E", key: "B5698B453C249F6B" });
    const good = { status: "G", signer: "Alice <Alice@example.com>" };
    expect(await ring(thief, alice.write())).toMatchObject(good);
    expect(await ring(alice.write(), thief)).toMatchObject(good);
  });

  it("are believed one at a time", async () => {
    await expect(signed("both")).rejects.toMatchObject({ code: "push-certificates/malformed" });
  });

  it.each([
    "-----BEGIN PGP SIGNATURE-----\n",
    "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n",
    "-----BEGIN PGP MESSAGE-----\n\nwsBz\n-----END PGP MESSAGE-----\n",
  ])("have to be some: %j", async (armour) => {
    await expect(verdict({ openpgp: RING }, armour)).rejects.toMatchObject({
      code: "push-certificates/malformed",
    });
  });
});

describe("a ring of keys", () => {
  const ringOf = (keys: string | Uint8Array) =>
    verdict({ openpgp: { keys: async () => keys } }, data("signed-alice.asc"));

  it("may be binary", async () => {
    const { readKey } = await import("openpgp");
    const first = data("keys.asc").split("something")[0] as string;
    const key = (await readKey({ armoredKey: first })).write();
    expect((await ringOf(key)).status).toBe("G");
  });

  it("has no private key in it", async () => {
    await expect(ringOf(data("private.asc"))).rejects.toMatchObject({
      code: "push-certificates/bad-trust",
      message: expect.stringContaining("private key"),
    });
  });

  it.each([
    "no key at all",
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
  ])("has keys in it: %j", async (text) => {
    await expect(ringOf(text)).rejects.toMatchObject({ code: "push-certificates/bad-trust" });
  });
});
