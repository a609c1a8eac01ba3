import { open } from "node:fs/promises";
import type { Peer } from "@x/server-core";
import { type AuthorizedKey, type AuthorizedKeys, parseAuthorizedKeys } from "./authorized-keys.ts";
import { TransportSshError } from "./errors.ts";
import type { PublicKeyType } from "./public-key.ts";

/** A key that a client offers. It has proved nothing yet: who holds it is decided by the answer and its signature. */
export interface KeyOffer {
  /** The name before the `@`. Anybody can write any; usually `git`. */
  readonly login: string;
  readonly type: PublicKeyType;
  /** The key in SSH's own form. */
  readonly blob: Uint8Array;
  /** As OpenSSH prints it. */
  readonly fingerprint: string;
  readonly peer: Peer;
  readonly signal: AbortSignal;
}

/**
 * Says whose key it is; `undefined` for nobody's. Asked when a client offers the key and again when it has signed with
 * it, each time afresh; a rejection is logged, and lets nobody in.
 */
export type Authenticate = (offer: KeyOffer) => Promise<{ readonly user: string } | undefined>;

/** Whose key a line of a list has: its comment up to the first blank, if that is a name, or else the key's fingerprint. */
export function userOfKey(key: AuthorizedKey): string {
  return /^[\w.@+-]{1,64}(?=\s|$)/.exec(key.comment)?.[0] ?? key.fingerprint;
}

/** Lets in those whose keys are listed, whatever name they log in by. Of a key that is there twice the first counts. */
export function authenticateByKeys({ keys }: AuthorizedKeys): Authenticate {
  const users = new Map<string, string>();
  for (const key of keys) {
    const name = Buffer.from(key.blob).toString("base64");
    if (!users.has(name)) users.set(name, userOfKey(key));
  }
  return async ({ blob }) => {
    const user = users.get(Buffer.from(blob).toString("base64"));
    return user === undefined ? undefined : { user };
  };
}

/** What {@link openAuthorizedKeys} is told. */
export interface AuthorizedKeysFileOptions {
  /** Gets each line that lets nobody in, whenever the file was read. */
  readonly onRefused?: ((refused: { readonly line: number; readonly reason: string }) => void) | undefined;
}

/** The same in bytes. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Lets in those whose keys a file lists, as it is when they come: it is read again when it has changed.
 * @throws TransportSshError `transport-ssh/bad-authorized-keys` when it cannot be read now. Later it lets nobody in then
 */
export async function openAuthorizedKeys(
  path: string,
  options: AuthorizedKeysFileOptions = {},
): Promise<Authenticate> {
  let known: { readonly stamp: string; readonly authenticate: Authenticate } | undefined;
  const current = async (): Promise<Authenticate> => {
    const file = await open(path).catch((cause: unknown) => {
      throw bad(`'${path}' cannot be opened`, cause);
    });
    try {
      const { mtimeMs, ctimeMs, size, ino } = await file.stat();
      const stamp = [mtimeMs, ctimeMs, size, ino].join(" ");
      if (known?.stamp === stamp) return known.authenticate;
      if (size > MAX_FILE_BYTES) throw bad(`'${path}' exceeds ${MAX_FILE_BYTES} bytes`);
      const list = parseAuthorizedKeys(await file.readFile("utf8"));
      for (const line of list.refused) options.onRefused?.(line);
      known = { stamp, authenticate: authenticateByKeys(list) };
      return known.authenticate;
    } finally {
      await file.close();
    }
  };
  await current();
  return async (offer) => (await current())(offer);
}

function bad(message: string, cause?: unknown): TransportSshError {
  return new TransportSshError("transport-ssh/bad-authorized-keys", message, { cause });
}
