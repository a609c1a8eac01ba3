import { createHasher, type ObjectFormat } from "@x/objects";
import { encodeLatin1 } from "@x/pktline";
import type { PushCertificate } from "../push-hooks.ts";

/*
 * A nonce is `<seconds since 1970>-<hex HMAC>`. The key of the HMAC is `<repository>:<seconds>` and its text the seed, with
 * the repository's own hash: so any server that has the seed can tell whether one of them made a nonce, and C git's too.
 * Spec: gitprotocol-pack, "Push Certificate"; RFC 2104.
 */

/** What nonces are made of. */
export interface NonceSource {
  /** Byte-exact: one character for each byte. */
  readonly seed: string;
  readonly format: ObjectFormat;
  /** What the client calls the repository. */
  readonly repository: string;
}

/** What became of a nonce that came back. */
export type NonceVerdict = Pick<PushCertificate, "nonce" | "nonceStatus" | "nonceSlop">;

const utf8 = new TextEncoder();

/** @param seconds since 1970 */
export function makeNonce(source: NonceSource, seconds: number): string {
  const { seed, format, repository } = source;
  return `${seconds}-${hmac(format, utf8.encode(`${repository}:${seconds}`), encodeLatin1(seed))}`;
}

/**
 * Judges the nonce of a certificate.
 * @param issued the one that this very call would give out; `undefined` when none is asked for
 * @param options with `stateless` another server, or this one earlier, may have made it, up to `slopSeconds` ago or ahead
 */
export function checkNonce(
  source: NonceSource | undefined,
  issued: string | undefined,
  presented: string | undefined,
  options: { readonly stateless: boolean; readonly slopSeconds: number },
): NonceVerdict {
  const verdict = (nonceStatus: NonceVerdict["nonceStatus"], more: Partial<NonceVerdict> = {}) => ({
    nonce: issued,
    nonceStatus,
    nonceSlop: undefined,
    ...more,
  });
  if (presented === undefined) return verdict("MISSING");
  if (source === undefined || issued === undefined) return verdict("UNSOLICITED");
  if (isSame(issued, presented)) return verdict("OK");
  if (!options.stateless) return verdict("BAD");
  const stamp = /^([1-9][0-9]{0,14})-/.exec(presented)?.[1];
  if (stamp === undefined || !isSame(makeNonce(source, Number(stamp)), presented)) return verdict("BAD");
  const slop = Number(issued.slice(0, issued.indexOf("-"))) - Number(stamp);
  return Math.abs(slop) <= options.slopSeconds
    ? verdict("OK", { nonce: presented })
    : verdict("SLOP", { nonceSlop: slop });
}

/** In a time that does not tell how much of it was right. */
function isSame(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

/** Of both hashes. Unit: bytes. */
const BLOCK_BYTES = 64;

function hmac(format: ObjectFormat, key: Uint8Array, text: Uint8Array): string {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? digest(format, key) : key);
  const inner = digest(
    format,
    block.map((byte) => byte ^ 0x36),
    text,
  );
  const outer = digest(
    format,
    block.map((byte) => byte ^ 0x5c),
    inner,
  );
  return Array.from(outer, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function digest(format: ObjectFormat, ...parts: readonly Uint8Array[]): Uint8Array {
  const hasher = createHasher(format);
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}
