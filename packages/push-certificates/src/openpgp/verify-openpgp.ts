import type { PushVerdict } from "@x/server-core";
import type { PublicKey, SignaturePacket, Subkey } from "openpgp";
import { PushCertificatesError } from "../errors.ts";
import type { PushVerifierLimits } from "../limits.ts";
import type { Verifier } from "../ssh/verify-ssh.ts";
import { TrustReader, type TrustSource } from "../trust-source.ts";
import { type KeyRing, parseKeyRing } from "./key-ring.ts";

/** Whose OpenPGP keys count: all that are there. */
export interface OpenPgpTrust {
  /** What `gpg --export --armor` writes. */
  readonly keys: TrustSource;
}

/** Verifies signatures of OpenPGP without a program. Spec: RFC 9580, section 5.2. */
export function createOpenPgpVerifier(
  trust: OpenPgpTrust,
  { limits, now }: { readonly limits: PushVerifierLimits; readonly now: () => number },
): Verifier {
  const ring = new TrustReader(trust.keys, parseKeyRing, { maxBytes: limits.maxTrustBytes });
  return {
    check: () => ring.check(),
    async verify(payload, armour, { repository }) {
      const keys = await ring.read(repository);
      return verifyAgainst(keys, payload, await readSignature(armour), new Date(now()));
    },
  };
}

async function readSignature(armour: Uint8Array): Promise<SignaturePacket> {
  const openpgp = await import("openpgp");
  let packets: readonly SignaturePacket[];
  try {
    const armoredSignature = Buffer.from(armour).toString("latin1");
    packets = [...(await openpgp.readSignature({ armoredSignature })).packets];
  } catch (cause) {
    throw new PushCertificatesError("push-certificates/malformed", "malformed: no detached signature", {
      cause,
    });
  }
  const [packet] = packets;
  // Git takes none with several either: which of them should count?
  if (packet === undefined || packets.length !== 1 || /^0*$/.test(packet.issuerKeyID.toHex()))
    throw new PushCertificatesError("push-certificates/malformed", "malformed: not one signature of one key");
  const { signatureType, hashAlgorithm } = packet;
  const { binary, text } = openpgp.enums.signature;
  if (signatureType !== binary && signatureType !== text)
    throw new PushCertificatesError("push-certificates/malformed", "malformed: it does not sign a document");
  if (hashAlgorithm === null || openpgp.config.rejectMessageHashAlgorithms.has(hashAlgorithm))
    throw new PushCertificatesError("push-certificates/unsupported", "not verified here: its hash is weak");
  return packet;
}

/** A key, and that part of it which has signed. */
interface Candidate {
  readonly key: PublicKey;
  readonly signing: PublicKey | Subkey;
}

async function verifyAgainst(
  ring: KeyRing,
  payload: Uint8Array,
  packet: SignaturePacket,
  now: Date,
): Promise<PushVerdict> {
  const keyId = packet.issuerKeyID.toHex().toUpperCase();
  const candidates = candidatesFor(ring, packet);
  const [first] = candidates;
  if (first === undefined) return { status: "E", signer: undefined, key: keyId };
  const { createMessage } = await import("openpgp");
  const [document] = (await createMessage({ binary: payload })).packets;
  let verdict: PushVerdict = { status: "B", signer: await nameOf(first.key, now), key: keyId };
  for (const candidate of candidates) {
    if (!(await isMadeBy(candidate, packet, document))) continue;
    const status = await standingOf(candidate, packet, now);
    // Anybody can put another's subkey below a key of their own; it does not belong there, and must not stand in the way.
    if (status === "G" || verdict.status === "B" || verdict.status === "E")
      verdict = { status, signer: await nameOf(candidate.key, now), key: keyId };
    if (status === "G") break;
  }
  return verdict;
}

function candidatesFor(ring: KeyRing, { issuerKeyID, issuerFingerprint }: SignaturePacket): Candidate[] {
  const issuer = issuerFingerprint && Buffer.from(issuerFingerprint).toString("hex");
  return ring
    .flatMap((key) => key.getKeys(issuerKeyID).map((signing) => ({ key, signing })))
    .filter(({ signing }) => issuer === null || signing.getFingerprint() === issuer);
}

async function isMadeBy(
  { signing }: Candidate,
  packet: SignaturePacket,
  document: object | undefined,
): Promise<boolean> {
  if (packet.signatureType === null || packet.created === null || document === undefined) return false;
  try {
    // As of when it was made: whether it still counts is another question.
    await packet.verify(signing.keyPacket, packet.signatureType, document, packet.created, true);
    return true;
  } catch {
    return false;
  }
}

/** What a good signature is worth today, in git's letters. */
async function standingOf({ key, signing }: Candidate, packet: SignaturePacket, now: Date): Promise<string> {
  const { created } = packet;
  const keyId = signing.getKeyID();
  if (packet.getExpirationTime() <= now) return "X";
  if (await isRevoked({ key, signing }, now)) return "R";
  if (created === null || signing.getCreationTime() > created) return "E";
  if (await maySign(key, keyId, now)) return "G";
  // Not today, but at the time: then it has expired since.
  return (await maySign(key, keyId, created)) ? "Y" : "E";
}

async function isRevoked({ key, signing }: Candidate, now: Date): Promise<boolean> {
  if (await key.isRevoked(undefined, undefined, now)) return true;
  if (!("mainKey" in signing)) return false;
  const [binding] = signing.bindingSignatures;
  return binding !== undefined && signing.isRevoked(binding, key.keyPacket, now);
}

async function maySign(
  key: PublicKey,
  keyId: ReturnType<PublicKey["getKeyID"]>,
  date: Date,
): Promise<boolean> {
  try {
    await key.getSigningKey(keyId, date);
    return true;
  } catch {
    return false;
  }
}

async function nameOf(key: PublicKey, now: Date): Promise<string | undefined> {
  try {
    return (await key.getPrimaryUser(now)).user.userID?.userID;
  } catch {
    return key.getUserIDs()[0];
  }
}
