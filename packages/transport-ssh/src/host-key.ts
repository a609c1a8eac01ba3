import { constants } from "node:fs";
import { type FileHandle, link, open, unlink, writeFile } from "node:fs/promises";
import ssh2 from "ssh2";
import { TransportSshError } from "./errors.ts";
import { fingerprintOf } from "./public-key.ts";

/** What a server proves itself with. */
export interface HostKey {
  /** The private key, as OpenSSH writes it. */
  readonly text: string;
  readonly type: string;
  /** What clients show of it before they trust it. */
  readonly fingerprint: string;
}

/** Far more than any key. Unit: bytes. */
const MAX_KEY_BYTES = 65_536;

/** @throws TransportSshError `transport-ssh/bad-host-key` for what is no private key without a passphrase */
export function parseHostKey(text: string): HostKey {
  const parsed = ssh2.utils.parseKey(text);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) throw bad(`the host key cannot be read: ${key.message}`);
  if (!key?.isPrivateKey()) throw bad("the host key is not a private key");
  return { text, type: key.type, fingerprint: fingerprintOf(key.getPublicSSH()) };
}

/**
 * The host keys of a server: the one in a file, and the ECDSA one in `PATH.ecdsa` for clients that know no Ed25519 (JSch).
 * Where there is none both are made, as {@link openHostKey} does; a key that is there alone stays alone.
 * @throws TransportSshError `transport-ssh/bad-host-key` for a file that others can read, or that holds no private key
 */
export async function openHostKeys(path: string): Promise<readonly HostKey[]> {
  const second = `${path}.ecdsa`;
  const isAlone = (await readKey(path)) !== undefined && (await readKey(second)) === undefined;
  // The second one first: whoever finds the first finds both.
  const others = isAlone ? [] : [await openHostKey(second, "ecdsa")];
  return [await openHostKey(path), ...others];
}

/**
 * The host key in a file, which is made, with the public key beside it, when there is none, for its owner alone.
 * Two processes that start at the same time use the same key.
 * @throws TransportSshError `transport-ssh/bad-host-key` for a file that others can read, or that holds no private key
 */
export async function openHostKey(path: string, type: "ed25519" | "ecdsa" = "ed25519"): Promise<HostKey> {
  const found = await readKey(path);
  if (found !== undefined) return parseHostKey(found);
  const made = ssh2.utils.generateKeyPairSync(type, { comment: "xgit", bits: 256 });
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(made.private);
    await file.sync();
    await file.close();
    await link(temporary, path);
    await writeFile(`${path}.pub`, `${made.public}\n`, { mode: 0o644 });
  } catch (error) {
    // Somebody else was quicker: theirs is the key.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(temporary);
  }
  return parseHostKey((await readKey(path)) ?? made.private);
}

async function readKey(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw bad(`the host key '${path}' cannot be opened`, cause);
  }
  try {
    const { mode, size } = await file.stat();
    if (size > MAX_KEY_BYTES) throw bad(`'${path}' is no host key`);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      throw bad(`the host key '${path}' can be read by others: chmod 600 it, if nobody has`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function bad(message: string, cause?: unknown): TransportSshError {
  return new TransportSshError("transport-ssh/bad-host-key", message, { cause });
}
