import { type AccessLimits, DEFAULT_ACCESS_LIMITS } from "@x/access-rules";
import { DEFAULT_FILE_HOOK_LIMITS, type FileHookLimits } from "@x/file-hooks/limits";
import type { FsckPreset, Limits } from "@x/server-core";
import { DEFAULT_LIMITS } from "@x/server-core";
import type { Durability } from "@x/storage-fs";
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from "@x/transport-http";
import type { NodeServerLimits } from "@x/transport-http/node";
import { DEFAULT_SSH_LIMITS, type SshLimits } from "@x/transport-ssh/limits";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "@x/transport-tcp";
import {
  ADDRESS,
  choice,
  LIMIT,
  MAX_TIMER_MS,
  ORIGINS,
  orElse,
  PATH,
  PATHS,
  PORT,
  RATE_LIMIT,
  type Setting,
  someOf,
  TIME_LIMIT,
  TOKEN,
  YES_NO,
} from "./setting.ts";

/** What `xgit serve` can be told, by the keys of its config file. */
export interface Settings {
  /** Directory of repositories; `repositories` when not set, and then it is made and filled if need be. */
  readonly root: string | undefined;
  /** Directories beside it that links and alternates of its repositories may lead into. */
  readonly alsoWithin: readonly string[];
  /** Address of all ports but the admin's. */
  readonly host: string;
  /** Not set: the usual one, or any that is free. */
  readonly "http.port": number | "off" | undefined;
  readonly "https.port": number | "off";
  /** Files in PEM; read again when they change. */
  readonly "https.certificate": string | undefined;
  readonly "https.key": string | undefined;
  /** Serves files to clients of the dumb protocol too: then whoever may fetch may see all that a repository holds. */
  readonly "http.dumb": boolean;
  /** Web pages that may fetch and push from a browser, by their origins; `*` for all. */
  readonly "http.corsOrigins": readonly string[];
  /** Not set: the usual one, or any that is free, when `ssh.keys` is set, else none. */
  readonly "ssh.port": number | "off" | undefined;
  /** A private key; made when it is not there. */
  readonly "ssh.hostKey": string | undefined;
  /** Who may log in: an authorized_keys file. */
  readonly "ssh.keys": string | undefined;
  /** Not set: the usual one, or any that is free. */
  readonly "git.port": number | "off" | undefined;
  /** Where `/livez`, `/readyz` and `/metrics` are. */
  readonly "admin.port": number | "off";
  readonly "admin.host": string;
  /** What has to be shown for `/metrics`. */
  readonly "admin.token": string | undefined;
  /** Users with their passwords, tokens and SSH keys. */
  readonly "access.users": string | undefined;
  /** Who may read and write which repository; not set: everybody may read. */
  readonly "access.rules": string | undefined;
  /** Services that everybody may use, where there are neither users nor rules. */
  readonly enable: readonly ("receive-pack" | "upload-archive")[];
  readonly createOnPush: boolean;
  readonly durability: Durability;
  /** Run the hooks of repositories. */
  readonly hooks: boolean;
  readonly fsck: FsckPreset;
  readonly "signedPush.allowedSigners": string | undefined;
  readonly "signedPush.revokedKeys": string | undefined;
  readonly "signedPush.openpgpKeys": string | undefined;
  readonly "signedPush.required": boolean;
  readonly "log.level": "error" | "warn" | "info" | "debug";
  readonly "log.format": "human" | "json";
  /** Instead of standard error. */
  readonly "log.file": string | undefined;
  /** A file of a line for each push; without it they go to the log. */
  readonly "audit.file": string | undefined;
  readonly "audit.enabled": boolean;
  /** For requests that run when the server is told to end. Unit: milliseconds. */
  readonly graceMs: number | "none";
}

const OWN: { readonly [K in keyof Settings]: Setting<NonNullable<Settings[K]>> } = {
  root: PATH,
  alsoWithin: PATHS,
  host: orElse(ADDRESS, "127.0.0.1"),
  "http.port": PORT,
  "https.port": orElse(PORT, "off"),
  "https.certificate": PATH,
  "https.key": PATH,
  "http.dumb": orElse(YES_NO, false),
  "http.corsOrigins": ORIGINS,
  "ssh.port": PORT,
  "ssh.hostKey": PATH,
  "ssh.keys": PATH,
  "git.port": PORT,
  "admin.port": orElse(PORT, "off"),
  "admin.host": orElse(ADDRESS, "127.0.0.1"),
  "admin.token": TOKEN,
  "access.users": PATH,
  "access.rules": PATH,
  enable: someOf("receive-pack", "upload-archive"),
  createOnPush: orElse(YES_NO, false),
  durability: choice("full", "git", "none"),
  hooks: orElse(YES_NO, true),
  fsck: choice("strict", "relaxed", "off"),
  "signedPush.allowedSigners": PATH,
  "signedPush.revokedKeys": PATH,
  "signedPush.openpgpKeys": PATH,
  "signedPush.required": orElse(YES_NO, false),
  "log.level": choice("info", "debug", "warn", "error"),
  "log.format": choice("human", "json"),
  "log.file": PATH,
  "audit.file": PATH,
  "audit.enabled": orElse(YES_NO, true),
  graceMs: orElse(TIME_LIMIT, 20_000),
};

/** Limits of the parts, under the names that they have there. */
export interface LimitGroups {
  readonly limits: Limits;
  readonly "http.limits": HttpLimits & NodeServerLimits;
  readonly "ssh.limits": SshLimits;
  readonly "git.limits": TcpLimits;
  readonly "access.limits": AccessLimits;
  readonly "hook.limits": FileHookLimits;
}

type Defaults<T> = { readonly [N in keyof T]: T[N] | undefined };

/** What is `undefined` here follows from others as long as nobody sets it. */
const LIMITS: { readonly [G in keyof LimitGroups]: Defaults<LimitGroups[G]> } = {
  limits: {
    ...DEFAULT_LIMITS,
    receive: { maxPackBytes: Number.POSITIVE_INFINITY, ...DEFAULT_LIMITS.receive },
  },
  "http.limits": {
    ...DEFAULT_HTTP_LIMITS,
    maxConnections: 1024,
    maxConnectionsPerAddress: undefined,
    headersTimeoutMs: 10_000,
    keepAliveTimeoutMs: 15_000,
    maxHeaderBytes: 16 * 1024,
    readIdleTimeoutMs: 60_000,
    minBodyRate: 1000,
    rateWindowMs: 30_000,
    writeIdleTimeoutMs: 120_000,
    lingerTimeoutMs: 2000,
    maxLingerBytes: 16 * 1024 * 1024,
  },
  "ssh.limits": { ...DEFAULT_SSH_LIMITS },
  "git.limits": { maxConnectionsPerAddress: undefined, ...DEFAULT_TCP_LIMITS },
  "access.limits": { ...DEFAULT_ACCESS_LIMITS },
  "hook.limits": { ...DEFAULT_FILE_HOOK_LIMITS },
};

/** All that can be set, by key. */
export const SETTINGS: ReadonlyMap<string, Setting<unknown>> = new Map<string, Setting<unknown>>([
  ...Object.entries<Setting<unknown>>(OWN),
  ...Object.entries(LIMITS).flatMap(([group, defaults]) => limitSettings(group, defaults)),
]);

function limitSettings(group: string, defaults: object): [string, Setting<unknown>][] {
  return Object.entries(defaults).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === "object" && value !== null) return limitSettings(`${group}.${name}`, value);
    const isRate = Number.isFinite(value) && !Number.isInteger(value);
    const setting: Setting<unknown> = isRate ? RATE_LIMIT : name.endsWith("Ms") ? TIME_LIMIT : LIMIT;
    return [[`${group}.${name}`, orElse(setting, value === Number.POSITIVE_INFINITY ? "none" : value)]];
  });
}

/** What a group's part takes, out of what was set. */
export function limitsOf<G extends keyof LimitGroups>(
  group: G,
  values: ReadonlyMap<string, unknown>,
): LimitGroups[G] {
  return nested(group, LIMITS[group], values) as LimitGroups[G];
}

function nested(group: string, defaults: object, values: ReadonlyMap<string, unknown>): object {
  const found: [string, unknown][] = [];
  for (const [name, value] of Object.entries(defaults) as [string, unknown][]) {
    const key = `${group}.${name}`;
    if (typeof value === "object" && value !== null) found.push([name, nested(key, value, values)]);
    else if (values.has(key)) found.push([name, numberOf(name, values.get(key))]);
  }
  return Object.fromEntries(found);
}

function numberOf(name: string, value: unknown): unknown {
  if (value !== "none") return value;
  return name.endsWith("Ms") ? MAX_TIMER_MS : Number.POSITIVE_INFINITY;
}
