import { readFile } from "node:fs/promises";
import { repositoriesUnder } from "@x/storage-fs";
import {
  parseGitProtocol,
  parseSshCommand,
  repositoryOfPath,
  type SshCommand,
  TransportSshError,
} from "@x/transport-ssh/command";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";
import { serveStdio } from "../stdio/stdio.ts";
import { parseStdioOptions } from "../stdio/stdio-options.ts";
import type { Terminal } from "../terminal.ts";
import type { ShellOptions } from "./shell-options.ts";

type Environment = Terminal["env"];

/**
 * What git-shell is behind sshd: one of Git's three commands, read exactly as git quotes them, in this very process.
 * @returns the exit status
 * @throws CliError `cli/fatal`, in git-shell's words. Spec: git-shell; sshd(8), "AUTHORIZED_KEYS FILE FORMAT"
 */
export async function runShell(options: ShellOptions, terminal: Terminal): Promise<number> {
  const { user } = options;
  const text = options.command ?? terminal.env.SSH_ORIGINAL_COMMAND;
  if (text === undefined) return refuseTerminal(user, terminal);
  const { service, path } = parseCommand(text);
  const directory =
    options.root === undefined ? path : await findBelow(options.root, options, { service, path });
  const flags = options.root === undefined || service !== "git-upload-pack" ? [] : ["--strict"];
  const stdio = parseStdioOptions(service, [...flags, "--", directory]);
  if (stdio === "help") throw new CliError("cli/fatal", "bad argument");
  return await serveStdio(stdio, { ...terminal, env: environmentOf(terminal.env, user) });
}

function parseCommand(text: string): SshCommand {
  try {
    return parseSshCommand(text);
  } catch (cause) {
    if (cause instanceof TransportSshError) throw new CliError("cli/fatal", cause.message, { cause });
    throw cause;
  }
}

function refuseTerminal(user: string | undefined, { stderr }: Terminal): number {
  if (user === undefined)
    throw new CliError("cli/fatal", "Interactive git shell is not enabled.", {
      after: "hint: only git-upload-pack, git-receive-pack and git-upload-archive are run here\n",
    });
  stderr.write(`Hello ${printable(user)}: your key is known here. There is no shell, only Git.\n`);
  return 1;
}

/** @throws CliError the same for what is missing, outside, and not for this user */
async function findBelow(
  root: string,
  { user, accessFile, alsoWithin }: ShellOptions,
  { service, path }: SshCommand,
): Promise<string> {
  const name = repositoryOfPath(path);
  const rights = name === undefined ? "none" : await rightsOf(accessFile, name, user);
  const repositories = repositoriesUnder(root, alsoWithin === undefined ? {} : { alsoWithin: [alsoWithin] });
  const found = name === undefined || rights === "none" ? undefined : await repositories.find(name);
  if (found === undefined)
    throw new CliError("cli/fatal", `'${path.slice(0, 256)}' does not appear to be a git repository`);
  if (service === "git-receive-pack" && rights !== "write")
    throw new CliError("cli/fatal", `${user ?? "you"} may read this repository, not write to it`);
  return found.gitDirectory;
}

async function rightsOf(file: string | undefined, name: string, user: string | undefined) {
  // Whoever gives a key to somebody, and no rules, means it.
  if (file === undefined) return "write";
  try {
    const { parseAccess } = await import("@x/access-rules");
    return parseAccess(await readFile(file, "utf8")).rightsOf(name, user);
  } catch (cause) {
    // The client need not know where they lie, nor what is in them.
    throw new CliError("cli/fatal", "the access rules of this server cannot be read", { cause });
  }
}

/** What an operator may set for one key. All else that git heeds could have come from the client, if sshd lets it in. */
const KEPT: ReadonlySet<string> = new Set([
  ...["GIT_NAMESPACE", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_USER_AGENT"],
  ...["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"],
]);

function environmentOf(env: Environment, user: string | undefined): Environment {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("GIT_") || KEPT.has(name));
  const protocol = parseGitProtocol(env.GIT_PROTOCOL ?? "");
  const [address] = (env.SSH_CONNECTION ?? "").split(" ");
  const own: Record<string, string> = {};
  if (protocol !== undefined) own.GIT_PROTOCOL = protocol;
  if (address) own.REMOTE_ADDR = address;
  if (user !== undefined) {
    own.REMOTE_USER = user;
    own.GIT_COMMITTER_NAME = env.GIT_COMMITTER_NAME ?? user;
    own.GIT_COMMITTER_EMAIL = env.GIT_COMMITTER_EMAIL ?? `${user}@ssh.${address || "(none)"}`;
  }
  return { ...Object.fromEntries(kept), ...own };
}
