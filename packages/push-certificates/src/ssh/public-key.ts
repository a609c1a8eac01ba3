import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { PushCertificatesError } from "../errors.ts";
import { malformed, WireReader } from "./wire-reader.ts";

/** A key that can verify, by how its signatures are made. Spec: RFC 4253 6.6, 5656, 8332, 8709; PROTOCOL.u2f of OpenSSH. */
interface VerifyingKey {
  readonly key: KeyObject;
  /** By the algorithm that a signature names. */
  readonly algorithms: ReadonlyMap<string, "sha256" | "sha384" | "sha512" | undefined>;
  readonly form: "ed25519" | "ecdsa" | "rsa";
  /** Unit: bytes; of a number in a signature. */
  readonly size: number;
  /** What a security key signs for; `undefined` for a key that lies in a file. */
  readonly application: Uint8Array | undefined;
}

/** How keys are shown: their SHA-256, as `ssh-keygen -l` writes it. */
export function fingerprint(publicKey: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(publicKey).digest("base64").replace(/=+$/, "")}`;
}

/**
 * Whether `signature` is what the key makes of `data`.
 * @throws PushCertificatesError `push-certificates/malformed`, `push-certificates/unsupported`
 */
export function isSignedBy(publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean {
  const verifying = readKey(publicKey);
  const reader = new WireReader(signature);
  const algorithm = reader.text();
  const hash = verifying.algorithms.get(algorithm);
  if (!verifying.algorithms.has(algorithm)) throw unsupported(`signatures of the kind ${show(algorithm)}`);
  const raw = reader.string();
  const message =
    verifying.application === undefined ? data : heldBySecurityKey(verifying.application, data, reader);
  reader.end();
  const fitted = fitSignature(verifying, raw);
  if (fitted === undefined) return false;
  const key =
    verifying.form === "ecdsa" ? { key: verifying.key, dsaEncoding: "ieee-p1363" as const } : verifying.key;
  return verify(hash, message, key, fitted);
}

/** A security key signs two hashes, and what it knows of the moment: whether it was touched, and how often it was used. */
function heldBySecurityKey(application: Uint8Array, data: Uint8Array, reader: WireReader): Uint8Array {
  const moment = reader.bytes(5);
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
  return Buffer.concat([sha256(application), moment, sha256(data)]);
}

/** As node:crypto wants it; `undefined` when it cannot be right. */
function fitSignature({ form, size }: VerifyingKey, raw: Uint8Array): Uint8Array | undefined {
  if (form === "ed25519") return raw.length === size ? raw : undefined;
  if (form === "rsa") return raw.length <= size ? padded(raw, size) : undefined;
  const reader = new WireReader(raw);
  const [r, s] = [reader.mpint(), reader.mpint()];
  reader.end();
  return r.length <= size && s.length <= size ? Buffer.concat([padded(r, size), padded(s, size)]) : undefined;
}

function padded(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(bytes, size - bytes.length);
  return result;
}

const CURVES: ReadonlyMap<string, { jwk: string; hash: "sha256" | "sha384" | "sha512"; size: number }> =
  new Map([
    ["nistp256", { jwk: "P-256", hash: "sha256", size: 32 }],
    ["nistp384", { jwk: "P-384", hash: "sha384", size: 48 }],
    ["nistp521", { jwk: "P-521", hash: "sha512", size: 66 }],
  ]);

/** What OpenSSH allows. Unit: bits. */
const RSA_BITS = { least: 1024, most: 16_384 };

function readKey(publicKey: Uint8Array): VerifyingKey {
  const reader = new WireReader(publicKey);
  const type = reader.text();
  if (type.includes("-cert-v0"))
    throw unsupported("certificates of OpenSSH: name ssh-keygen as the program, and it will check them");
  const plain = type.replace(/^sk-/, "").replace(/@openssh\.com$/, "");
  const isHeld = type === `sk-${plain}@openssh.com`;
  if (!isHeld && type !== plain) throw unsupported(`keys of the kind ${show(type)}`);
  if (plain === "ssh-ed25519") {
    const key = importKey({ kty: "OKP", crv: "Ed25519", x: base64url(exactly(reader.string(), 32)) });
    const application = isHeld ? reader.string() : undefined;
    reader.end();
    return { key, algorithms: new Map([[type, undefined]]), form: "ed25519", size: 64, application };
  }
  const curve = CURVES.get(plain.replace(/^ecdsa-sha2-/, ""));
  if (curve !== undefined && (!isHeld || curve.size === 32)) {
    if (`ecdsa-sha2-${reader.text()}` !== plain) throw malformed("its key names two curves");
    const point = exactly(reader.string(), 1 + 2 * curve.size);
    if (point[0] !== 4) throw malformed("its key is a compressed point");
    const [x, y] = [point.subarray(1, 1 + curve.size), point.subarray(1 + curve.size)];
    const key = importKey({ kty: "EC", crv: curve.jwk, x: base64url(x), y: base64url(y) });
    const application = isHeld ? reader.string() : undefined;
    reader.end();
    const algorithms = new Map([[type, curve.hash]]);
    return { key, algorithms, form: "ecdsa", size: curve.size, application };
  }
  if (type !== "ssh-rsa") throw unsupported(`keys of the kind ${show(type)}`);
  const [e, n] = [reader.mpint(), reader.mpint()];
  reader.end();
  const bits = n.length * 8;
  if (bits < RSA_BITS.least || bits > RSA_BITS.most || e.length > 8)
    throw unsupported(`RSA keys of ${bits} bits`);
  return {
    key: importKey({ kty: "RSA", e: base64url(e), n: base64url(n) }),
    // Never ssh-rsa, which is SHA-1.
    algorithms: new Map([
      ["rsa-sha2-256", "sha256"],
      ["rsa-sha2-512", "sha512"],
    ]),
    form: "rsa",
    size: n.length,
    application: undefined,
  };
}

function importKey(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch (cause) {
    throw malformed("its key is none", cause);
  }
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw malformed("its key has the wrong length");
  return bytes;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

function unsupported(what: string): PushCertificatesError {
  return new PushCertificatesError("push-certificates/unsupported", `not verified here: ${what}`);
}
