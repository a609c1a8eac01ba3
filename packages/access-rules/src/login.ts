import { createHash, createHmac, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Failures, shareOf } from "./failures.ts";
import type { AccessLimits } from "./limits.ts";
import type { PasswordChecker } from "./password-checker.ts";
import type { Users } from "./users-file.ts";

/** What came of an attempt. */
export type LoginResult =
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "failed" }
  /** It was not listened to. Unit: milliseconds. */
  | { readonly kind: "throttled"; readonly retryAfterMs: number };

/** What {@link Logins} goes by. */
export interface LoginsOptions {
  readonly limits: AccessLimits;
  readonly checker: Pick<PasswordChecker, "check" | "pending">;
  readonly now: () => number;
}

/** When all who check passwords are busy. Unit: milliseconds. */
const BUSY_MS = 2000;

/**
 * Finds out who somebody is by a password or a token. An attempt counts as a failure from its start until it has proved
 * to be none, so that many at once are no more than many in turn.
 */
export class Logins {
  readonly #options: LoginsOptions;
  readonly #byAddress: Failures;
  readonly #byUser: Failures;
  /** Nobody can make out a password of what is kept here. */
  readonly #key: Buffer = randomBytes(32);
  /** When what was checked has to be checked again; the oldest first. */
  readonly #verified = new Map<string, number>();
  readonly #running = new Map<string, Promise<LoginResult>>();

  constructor(options: LoginsOptions) {
    this.#options = options;
    const { limits, now } = options;
    const { failureWindowMs: windowMs, maxTrackedFailures: maxTracked } = limits;
    const make = (maxFailures: number) => new Failures({ maxFailures, windowMs, maxTracked, now });
    this.#byAddress = make(limits.maxFailuresPerAddress);
    this.#byUser = make(limits.maxFailuresPerUser);
  }

  /** @param address whence; all that do not say share one count */
  async byPassword(
    users: Users,
    {
      user,
      password,
      address,
    }: { readonly user: string; readonly password: string; readonly address: string },
    signal: AbortSignal,
  ): Promise<LoginResult> {
    if (users.tokens.get(hashOfToken(password)) === user)
      return this.byToken(users, { token: password, address }, signal);
    const { limits, now } = this.#options;
    const known = users.passwords.get(user);
    // Somebody who does not exist takes as long as somebody who does.
    const hash = known ?? [...users.passwords.values()][0];
    const share = shareOf(address);
    const wait = this.#byAddress.waitOf(share);
    if (wait > 0) return { kind: "throttled", retryAfterMs: wait };
    const name = this.#nameOf(user, password, hash ?? "", share);
    if (known !== undefined && (this.#verified.get(name) ?? 0) > now()) return { kind: "user", user };
    this.#verified.delete(name);
    const longer = this.#byUser.waitOf(user);
    if (longer > 0) return { kind: "throttled", retryAfterMs: longer };
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const fits =
      hash !== undefined &&
      !password.includes("\0") &&
      Buffer.byteLength(password) <= limits.maxPasswordBytes;
    const check = async (): Promise<LoginResult> => {
      this.#byAddress.add(share);
      this.#byUser.add(user);
      if (fits && (await this.#options.checker.check(password, hash)) && known !== undefined) {
        this.#byAddress.undo(share);
        this.#byUser.undo(user);
        this.#remember(name);
        return { kind: "user", user };
      }
      return this.#fail(signal);
    };
    if (fits && this.#options.checker.pending >= limits.maxPendingChecks)
      return { kind: "throttled", retryAfterMs: BUSY_MS };
    const result = check();
    this.#running.set(name, result);
    try {
      return await result;
    } finally {
      this.#running.delete(name);
    }
  }

  /** A token is too long to be guessed: who holds it is who it is for. */
  async byToken(
    users: Users,
    { token, address }: { readonly token: string; readonly address: string },
    signal: AbortSignal,
  ): Promise<LoginResult> {
    const share = shareOf(address);
    const wait = this.#byAddress.waitOf(share);
    if (wait > 0) return { kind: "throttled", retryAfterMs: wait };
    // The hash of what somebody sends is looked up: how long that takes tells nothing of those that are there.
    const user = token.length < MIN_TOKEN_LENGTH ? undefined : users.tokens.get(hashOfToken(token));
    if (user !== undefined) return { kind: "user", user };
    this.#byAddress.add(share);
    return this.#fail(signal);
  }

  async #fail(signal: AbortSignal): Promise<LoginResult> {
    const { failureDelayMs } = this.#options.limits;
    if (failureDelayMs > 0) await sleep(failureDelayMs, undefined, { signal }).catch(() => {});
    return { kind: "failed" };
  }

  /** With the hash, so that a new password ends the old one at once; with the address, so that nobody else can try it out. */
  #nameOf(...parts: readonly string[]): string {
    return createHmac("sha256", this.#key).update(JSON.stringify(parts)).digest("base64");
  }

  #remember(name: string): void {
    const { limits, now } = this.#options;
    this.#verified.set(name, now() + limits.verifiedMs);
    const [oldest] = this.#verified.keys();
    if (this.#verified.size > limits.maxVerified && oldest !== undefined) this.#verified.delete(oldest);
  }
}

/** A shorter one could be guessed, and its hash is quick. Unit: UTF-16 code units. */
export const MIN_TOKEN_LENGTH = 20;

function hashOfToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
