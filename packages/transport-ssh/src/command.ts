/** @packageDocumentation Git's commands as they come over SSH; without `ssh2`, for those who have a server of their own. */
import type { ServiceName } from "@x/server-core";
import { TransportSshError } from "./errors.ts";

export { TransportSshError, type TransportSshErrorCode } from "./errors.ts";

/** What a client wants to run. */
export interface SshCommand {
  readonly service: ServiceName;
  /** As written, its quotes taken off. Untrusted. */
  readonly path: string;
}

/** Longest command that is looked at. Unit: UTF-16 code units. */
export const MAX_COMMAND_LENGTH = 4096;

/*
 *   git-upload-pack '/it'\''s here'\!'.git'
 *   └ or git upload-pack   └ \' and \!, each between quotes: nothing else stands outside of them
 */
const COMMAND = /^git[- ](upload-pack|receive-pack|upload-archive)(?: (.*))?$/s;
const QUOTED = /^'[^']*'(?:\\['!]'[^']*')*$/;

/**
 * Reads a command exactly as git quotes it, and nothing more: nobody's shell would.
 * @throws TransportSshError `transport-ssh/bad-command`, in the words of git-shell
 * Spec: git-shell, "COMMANDS"; gitprotocol-pack, "SSH Transport"
 */
export function parseSshCommand(text: string): SshCommand {
  if (text.length > MAX_COMMAND_LENGTH) throw bad(`the command exceeds ${MAX_COMMAND_LENGTH} characters`);
  const match = COMMAND.exec(text);
  if (match === null) throw bad(`unrecognized command '${shown(text)}'`);
  const [, name = "", argument = ""] = match;
  const path = dequote(argument);
  if (path === undefined || path === "" || path.startsWith("-") || /[\p{Cc}\ufffd]/u.test(path))
    throw bad("bad argument");
  return { service: `git-${name}` as ServiceName, path };
}

function dequote(text: string): string | undefined {
  return QUOTED.test(text) ? text.slice(1, -1).replace(/'\\(['!])'/g, "$1") : undefined;
}

function shown(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return short.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, "?");
}

function bad(message: string): TransportSshError {
  return new TransportSshError("transport-ssh/bad-command", message);
}

/**
 * The value of GIT_PROTOCOL, the only variable that a client may set.
 * @returns `undefined` for what no git would send
 */
export function parseGitProtocol(text: string): string | undefined {
  return /^[a-z0-9=:.-]{1,256}$/.test(text) ? text : undefined;
}

/**
 * The path as a repository's name, where all that there is lies below one root: home is the root, too.
 * @returns `undefined` for a path that could mean another one, or somebody's home. Nothing has looked at a disk by then
 */
export function repositoryOfPath(path: string): string | undefined {
  const [, named = "", rest = ""] = /^(~[^/]*)?(.*)$/s.exec(path) ?? [];
  if (named.length > 1 || path.includes("\\")) return undefined;
  const names = rest.replace(/^\//, "").replace(/\/$/, "").split("/");
  return names.some((name) => name === "" || name === "." || name === "..")
    ? undefined
    : `/${names.join("/")}`;
}
