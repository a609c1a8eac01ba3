import { protocolError } from "../session.ts";

/*
 * A certificate is text: header lines (`certificate version 0.1`, `pusher`, `pushee`, `nonce`, `push-option` each time),
 * an empty line, the commands, and a signature in armour. Spec: gitprotocol-pack, "Push Certificate".
 */

/** A push certificate taken apart. Texts are byte-exact: one character for each byte. */
export interface PushCert {
  readonly text: string;
  /** Where the signature begins; the end of the text when there is none. */
  readonly signatureAt: number;
  /** What was signed to be asked for. */
  readonly commands: readonly string[];
  readonly nonce: string | undefined;
  readonly pushOptions: readonly string[];
}

const SIGNATURES: readonly string[] = [
  "-----BEGIN PGP SIGNATURE-----",
  "-----BEGIN PGP MESSAGE-----",
  "-----BEGIN SIGNED MESSAGE-----",
  "-----BEGIN SSH SIGNATURE-----",
];

/** @throws ServiceError `server-core/protocol` */
export function parsePushCert(text: string): PushCert {
  const headEnd = text.indexOf("\n\n");
  if (headEnd < 0 || text.includes("\0")) throw protocolError("malformed push certificate");
  const signatureAt = findSignature(text);
  const header = text.slice(0, headEnd).split("\n");
  const values = (key: string) =>
    header.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const body = text.slice(headEnd + 2, Math.max(signatureAt, headEnd + 2));
  const lines = body.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return {
    text,
    signatureAt,
    commands: lines,
    nonce: values("nonce")[0],
    pushOptions: values("push-option"),
  };
}

/** The last line that opens one: what stands before it is signed. */
function findSignature(text: string): number {
  let found = text.length;
  for (let at = 0; at >= 0 && at < text.length; at = text.indexOf("\n", at) + 1) {
    if (SIGNATURES.some((line) => text.startsWith(line, at))) found = at;
    if (text.indexOf("\n", at) < 0) break;
  }
  return found;
}
