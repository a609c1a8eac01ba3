import type { PublicKey } from "openpgp";
import { PushCertificatesError } from "../errors.ts";

/** What RFC 9580 calls transferable public keys. */
export type KeyRing = readonly PublicKey[];

const BLOCK = /-----BEGIN PGP ([A-Z ]+)-----[\s\S]*?-----END PGP \1-----/g;

/**
 * Reads what `gpg --export` writes, in armour, one block after the other, or without.
 * @param name of the file, for messages
 * @throws PushCertificatesError `push-certificates/bad-trust`, for private keys too
 */
export async function parseKeyRing(bytes: Uint8Array, name: string): Promise<KeyRing> {
  // A quarter of a second of a process that may never need it.
  const { readKeys } = await import("openpgp");
  const bad = (what: string, cause?: unknown) =>
    new PushCertificatesError("push-certificates/bad-trust", `${name}: ${what}`, { cause });
  const read = async (keys: Promise<PublicKey[]>) => {
    try {
      return await keys;
    } catch (cause) {
      throw bad(cause instanceof Error ? cause.message : String(cause), cause);
    }
  };
  // Every packet begins with this bit, and no text does.
  if (((bytes[0] ?? 0) & 0x80) !== 0) return publicOnly(await read(readKeys({ binaryKeys: bytes })), bad);
  const text = Buffer.from(bytes).toString("utf8");
  const keys: PublicKey[] = [];
  for (const [block] of text.matchAll(BLOCK)) keys.push(...(await read(readKeys({ armoredKeys: block }))));
  if (keys.length === 0 && text.trim() !== "") throw bad("there is no public key in it");
  return publicOnly(keys, bad);
}

function publicOnly(keys: KeyRing, bad: (what: string) => Error): KeyRing {
  if (keys.some((key) => key.isPrivate())) throw bad("there is a private key in it, which has no place here");
  return keys;
}
