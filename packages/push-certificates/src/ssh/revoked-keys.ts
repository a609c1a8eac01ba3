import { createHash } from "node:crypto";
import { PushCertificatesError } from "../errors.ts";
import { parsePublicKey } from "./allowed-signers.ts";
import { WireReader } from "./wire-reader.ts";

/*
 * Either public keys, one on each line, or a binary list:
 *
 *   "SSHKRL\n\0"  uint32 version  uint64 number  uint64 made  uint64 flags  string reserved  string comment
 *   { byte section  string content }*
 *
 * with sections of certificates (1), keys (2), their SHA-1 (3) and SHA-256 (5), and extensions (255).
 * Spec: ssh-keygen(1), "KEY REVOCATION LISTS"; PROTOCOL.krl of OpenSSH.
 */

/** Whether a key, in SSH's encoding, is revoked. */
export type IsRevoked = (publicKey: Uint8Array) => boolean;

const MAGIC = "SSHKRL\n\0";

/**
 * @param name of the file, for messages
 * @throws PushCertificatesError `push-certificates/bad-trust`: a list that is not understood must not count as empty
 */
export function parseRevokedKeys(bytes: Uint8Array, name: string): IsRevoked {
  const isList = Buffer.from(bytes.subarray(0, MAGIC.length)).toString("latin1") === MAGIC;
  try {
    return isList ? parseList(bytes.subarray(MAGIC.length)) : parseLines(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PushCertificatesError("push-certificates/bad-trust", `${name}: ${reason}`, { cause });
  }
}

function parseLines(bytes: Uint8Array): IsRevoked {
  const keys = new Set<string>();
  for (const [index, line] of Buffer.from(bytes).toString("utf8").split("\n").entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const key = parsePublicKey(text);
    if (key === undefined) throw new Error(`line ${index + 1} is no public key`);
    keys.add(hex(key));
  }
  return (publicKey) => keys.has(hex(publicKey));
}

function parseList(bytes: Uint8Array): IsRevoked {
  const reader = new WireReader(bytes);
  const version = reader.uint32();
  if (version !== 1) throw new Error(`version ${version} of revocation lists is not known`);
  reader.bytes(24);
  reader.string();
  reader.string();
  const known = { 2: new Set<string>(), 3: new Set<string>(), 5: new Set<string>() };
  while (reader.left > 0) {
    const section = reader.byte();
    const content = new WireReader(reader.string());
    if (section === 2 || section === 3 || section === 5)
      while (content.left > 0) known[section].add(hex(content.string()));
    else if (section === 255) refuseCritical(content);
    // Certificates verify nothing here, revoked or not; signatures over the list are history.
    else if (section !== 1 && section !== 4) throw new Error(`section ${section} is not known`);
  }
  return (publicKey) =>
    known[2].has(hex(publicKey)) ||
    known[3].has(createHash("sha1").update(publicKey).digest("hex")) ||
    known[5].has(createHash("sha256").update(publicKey).digest("hex"));
}

function refuseCritical(extension: WireReader): void {
  const name = extension.text();
  if (extension.byte() !== 0) throw new Error(`extension ${JSON.stringify(name.slice(0, 64))} is not known`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
