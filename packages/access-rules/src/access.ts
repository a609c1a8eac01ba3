import type { AccessRequest, AccessVerdict, Authorize, Logger } from "@x/server-core";
import { type AccessRules, parseAccess } from "./access-file.ts";
import { type AccessLimits, DEFAULT_ACCESS_LIMITS } from "./limits.ts";
import { type LoginResult, Logins } from "./login.ts";
import { PasswordChecker } from "./password-checker.ts";
import { parseUsers, type Users } from "./users-file.ts";
import { WatchedFile } from "./watched-file.ts";

/** What {@link openAccess} is told. */
export interface AccessOptions {
  /** Users with their passwords, tokens and keys; without it there are none. */
  readonly usersFile?: string | undefined;
  /** Who may do what with which repository; without it everybody may read, and nobody may write. */
  readonly accessFile?: string | undefined;
  /** Hears of files that were changed and are no good. What they said before still counts then. */
  readonly logger?: Logger | undefined;
  readonly limits?: Partial<AccessLimits> | undefined;
  /** Default: the system's. Unit: milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** Rules, as the files have them when somebody comes. */
export interface Access {
  /** For `createGitService`. */
  readonly authorize: Authorize;
  /** Whose SSH key it is, for `createSshGitServer`. */
  readonly authenticate: (offer: {
    readonly blob: Uint8Array;
  }) => Promise<{ readonly user: string } | undefined>;
  /** Ends the thread that checks passwords. */
  close(): Promise<void>;
}

const NOBODY: Users = { passwords: new Map(), tokens: new Map(), keys: new Map() };

/** @throws AccessRulesError when a file cannot be read, with the line and the column where it cannot be understood */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { usersFile, accessFile, logger, now = Date.now } = options;
  const limits: AccessLimits = { ...DEFAULT_ACCESS_LIMITS, ...options.limits };
  const watch = async <T>(path: string | undefined, parse: (text: string) => T, none: T) => {
    if (path === undefined) return async () => none;
    const onError = (error: Error) =>
      logger?.error({ error }, `${path} was changed and is no good: what it said before still counts`);
    const { maxFileBytes: maxBytes, reloadMs } = limits;
    const file = await WatchedFile.open({ path, parse, maxBytes, reloadMs, now, onError });
    return () => file.current();
  };
  const users = await watch(usersFile, parseUsers, NOBODY);
  const rules = await watch(accessFile, parseAccess, parseAccess(""));
  const checker = new PasswordChecker();
  const logins = new Logins({ limits, checker, now });
  return {
    authorize: async (request) =>
      decide(request, await rules(), await identify(request, await users(), logins)),
    async authenticate({ blob }) {
      const user = (await users()).keys.get(Buffer.from(blob).toString("base64"));
      return user === undefined ? undefined : { user };
    },
    close: () => checker.close(),
  };
}

type Identity = LoginResult | { readonly kind: "anonymous" };

async function identify(request: AccessRequest, users: Users, logins: Logins): Promise<Identity> {
  const { credentials, peer, signal } = request;
  const address = peer.address ?? "";
  switch (credentials.kind) {
    case "basic": {
      const { user, password } = credentials;
      return logins.byPassword(users, { user, password, address }, signal);
    }
    case "bearer":
      return logins.byToken(users, { token: credentials.token, address }, signal);
    default:
      // Whom the transport has authenticated, by a key or in a way of its own.
      return peer.user === undefined ? { kind: "anonymous" } : { kind: "user", user: peer.user };
  }
}

/** What rules say of one call. Who is nobody is asked who it is; who is somebody sees nothing of what is not its own. */
export function decide(request: AccessRequest, rules: AccessRules, identity: Identity): AccessVerdict {
  if (identity.kind === "throttled")
    return { granted: false, reason: "throttled", retryAfterMs: identity.retryAfterMs };
  if (identity.kind === "failed") return { granted: false, reason: "credentials" };
  const user = identity.kind === "user" ? identity.user : undefined;
  const rights = rules.rightsOf(request.repository, user);
  const needs = request.service === "git-receive-pack" ? "write" : "read";
  if (rights === "write" || rights === needs) return { granted: true, user };
  if (user === undefined) return { granted: false, reason: "credentials" };
  if (rights === "none") return { granted: false, reason: "hidden" };
  return {
    granted: false,
    reason: "forbidden",
    message: `${user} may read this repository, not write to it`,
  };
}
