import { createHash } from "node:crypto";

/** The kinds of keys that may log in. DSA is gone, and keys on security tokens are not verified here. */
export type PublicKeyType =
  | "ssh-ed25519"
  | "ecdsa-sha2-nistp256"
  | "ecdsa-sha2-nistp384"
  | "ecdsa-sha2-nistp521"
  | "ssh-rsa";

/** Below it a key can be had by others. Unit: bits. */
const MIN_RSA_BITS = 2048;
/** Above it, a signature takes too long to check. Unit: bits. */
const MAX_RSA_BITS = 16_384;

/** Curve and length of an uncompressed point, by type. */
const CURVES: ReadonlyMap<string, readonly [curve: string, pointBytes: number]> = new Map([
  ["ecdsa-sha2-nistp256", ["nistp256", 65]],
  ["ecdsa-sha2-nistp384", ["nistp384", 97]],
  ["ecdsa-sha2-nistp521", ["nistp521", 133]],
]);

/**
 * The kind of a public key in SSH's own form, of which nothing may be missing or left over.
 * Spec: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4
 * @returns `undefined` for every other kind, and for RSA keys that are too short or absurdly long
 */
export function publicKeyType(blob: Uint8Array): PublicKeyType | undefined {
  const [name, ...fields] = splitStrings(blob) ?? [];
  const type = name === undefined ? "" : Buffer.from(name).toString("latin1");
  const [first, second] = fields;
  if (type === "ssh-ed25519") return fields.length === 1 && first?.length === 32 ? type : undefined;
  if (type === "ssh-rsa") {
    const bits = fields.length === 2 && first && second && isPositive(first) ? bitsOf(second) : 0;
    return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS ? type : undefined;
  }
  const [curve, pointBytes] = CURVES.get(type) ?? [];
  const fits =
    curve !== undefined &&
    fields.length === 2 &&
    first !== undefined &&
    Buffer.from(first).toString("latin1") === curve &&
    second?.length === pointBytes &&
    second?.[0] === 4;
  return fits ? (type as PublicKeyType) : undefined;
}

/** As OpenSSH prints it: `SHA256:` and base64 without padding. */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The strings that `bytes` is made of: each a length of four bytes, and as many bytes. */
function splitStrings(bytes: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const strings: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 4 || strings.length > 3) return undefined;
    const length = view.getUint32(at);
    at += 4;
    if (length > bytes.length - at) return undefined;
    strings.push(bytes.subarray(at, at + length));
    at += length;
  }
  return strings;
}

function isPositive(integer: Uint8Array): boolean {
  return integer.length > 0 && (integer[0] as number) < 0x80 && bitsOf(integer) > 0;
}

/** Of a positive integer in its shortest form; 0 for any other. */
function bitsOf(integer: Uint8Array): number {
  const [first, second = 0] = integer;
  if (first === undefined || first >= 0x80) return 0;
  if (first > 0) return (integer.length - 1) * 8 + (32 - Math.clz32(first));
  return second >= 0x80 ? (integer.length - 1) * 8 : 0;
}
