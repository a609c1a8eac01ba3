import type { Logger, Peer } from "@x/server-core";
import ssh2, { type AuthContext } from "ssh2";
import type { Authenticate } from "./authenticate.ts";
import { fingerprintOf, type PublicKeyType, publicKeyType } from "./public-key.ts";
import type { Login } from "./session.ts";

/** What {@link Logins} goes by. */
export interface LoginContext {
  readonly authenticate: Authenticate;
  readonly maxAttempts: number;
  readonly peer: Peer;
  readonly signal: AbortSignal;
  readonly logger: Logger | undefined;
  /** Called once the keys are used up. */
  readonly onTooMany: () => void;
}

/** More than any name that somebody has. Unit: UTF-16 code units. */
const MAX_LOGIN_LENGTH = 256;

/** The attempts of one connection to log in. Who it is, is whoever signed: what was only offered leaves no trace. */
export class Logins {
  readonly #context: LoginContext;
  #attempts = 0;
  #signed: Login | undefined;

  constructor(context: LoginContext) {
    this.#context = context;
  }

  /** Keys that were tried. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Whoever has just been let in. */
  get signed(): Login | undefined {
    return this.#signed;
  }

  /** Answers one attempt. Never throws. */
  async answer(attempt: AuthContext): Promise<void> {
    let login: Login | undefined;
    try {
      // Clients ask so what else there is, and that is no attempt.
      if (attempt.method !== "none" && ++this.#attempts > this.#context.maxAttempts)
        return this.#context.onTooMany();
      login = await this.#verify(attempt);
    } catch (error) {
      const { logger, peer } = this.#context;
      logger?.error({ peer: peer.address, transport: "ssh", error }, "a key could not be looked up");
    }
    if (this.#context.signal.aborted) return;
    if (login === undefined) return attempt.reject(["publickey"]);
    // Set for no longer than `ready` needs, which comes before this returns if it comes at all.
    this.#signed = attempt.signature === undefined ? undefined : login;
    attempt.accept();
    this.#signed = undefined;
  }

  async #verify(attempt: AuthContext): Promise<Login | undefined> {
    const { method, username: login, key, hashAlgo, signature, blob } = attempt;
    if (method !== "publickey" || key === undefined || login.length > MAX_LOGIN_LENGTH) return undefined;
    const type = publicKeyType(key.data);
    // Signatures of RSA keys with SHA-1 can be forged.
    if (type === undefined || type !== key.algo || (type === "ssh-rsa" && hashAlgo === undefined))
      return undefined;
    if (signature !== undefined && !isSignedBy(type, key.data, { signature, blob, hashAlgo }))
      return undefined;
    const fingerprint = fingerprintOf(key.data);
    const { authenticate, peer, signal } = this.#context;
    const found = await authenticate({ login, type, blob: key.data, fingerprint, peer, signal });
    return found && { user: found.user, login, fingerprint };
  }
}

interface Signed {
  readonly signature: Buffer;
  readonly blob: Buffer | undefined;
  readonly hashAlgo: string | undefined;
}

function isSignedBy(type: PublicKeyType, data: Buffer, { signature, blob, hashAlgo }: Signed): boolean {
  const parsed = ssh2.utils.parseKey(`${type} ${data.toString("base64")}`);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined || blob === undefined) return false;
  return key.verify(blob, signature, hashAlgo) === true;
}
