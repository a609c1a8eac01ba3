import { createHash } from "node:crypto";
import { PushCertificatesError } from "../errors.ts";
import { malformed, WireReader, wireString } from "./wire-reader.ts";

/*
 * A signature is base64 between two lines; decoded it is
 *
 *   "SSHSIG"  uint32 version  string key  string namespace  string reserved  string hash  string signature
 *
 * and what the key has signed is
 *
 *   "SSHSIG"  string namespace  string reserved  string hash  string H(message)
 *
 * Spec: PROTOCOL.sshsig of OpenSSH.
 */

/** A signature as `ssh-keygen -Y sign` makes it. */
export interface SshSignature {
  /** In SSH's encoding, which starts with its type. */
  readonly publicKey: Uint8Array;
  readonly namespace: string;
  readonly reserved: Uint8Array;
  readonly hash: "sha256" | "sha512";
  /** In SSH's encoding, which starts with its algorithm. */
  readonly signature: Uint8Array;
}

const BEGIN = "-----BEGIN SSH SIGNATURE-----\n";
const END = "\n-----END SSH SIGNATURE-----";
const MAGIC = "SSHSIG";

/**
 * @param armour what follows its last line counts for nothing, as in OpenSSH
 * @throws PushCertificatesError `push-certificates/malformed`, `push-certificates/unsupported`
 */
export function parseSshSignature(armour: Uint8Array): SshSignature {
  const reader = new WireReader(decodeArmour(Buffer.from(armour).toString("latin1")));
  if (Buffer.from(reader.bytes(MAGIC.length)).toString("latin1") !== MAGIC)
    throw malformed("it is not one of OpenSSH");
  const version = reader.uint32();
  if (version !== 1)
    throw new PushCertificatesError("push-certificates/unsupported", `version ${version} of SSH signatures`);
  const publicKey = reader.string();
  const namespace = reader.text();
  const reserved = reader.string();
  const hash = reader.text();
  const signature = reader.string();
  reader.end();
  if (hash !== "sha256" && hash !== "sha512") throw malformed("its hash is neither sha256 nor sha512");
  return { publicKey, namespace, reserved, hash, signature };
}

/** What the key of a signature has signed if `message` is what it stands under. */
export function signedBytes(
  { namespace, reserved, hash }: Omit<SshSignature, "publicKey" | "signature">,
  message: Uint8Array,
): Uint8Array {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([
    Buffer.from(MAGIC, "latin1"),
    ...[namespace, reserved, hash, digest].map(wireString),
  ]);
}

function decodeArmour(text: string): Uint8Array {
  const end = text.indexOf(END);
  if (!text.startsWith(BEGIN) || end < 0) throw malformed("its armour is broken");
  const base64 = text.slice(BEGIN.length, end).replace(/\s/g, "");
  const bytes = decodeBase64(base64);
  if (bytes === undefined) throw malformed("its armour holds no base64");
  return bytes;
}

/** @returns `undefined` when `text` is not all base64 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, "base64"));
}
