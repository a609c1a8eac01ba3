import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { type Authenticate, createSshGitServer, openAuthorizedKeys, openHostKeys } from "@x/transport-ssh";
import { CliError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { listenOn } from "./listen.ts";
import type { Port, PortParts } from "./ports.ts";

/** Where SSH listens when no port is given: the usual one is the machine's own. */
const SSH_PORT = 2222;

/** Opens the port for ssh://. @throws CliError */
export async function openSsh(parts: PortParts): Promise<Port> {
  const { services, config, logger, metrics, env } = parts;
  const { service } = services;
  const authenticate = await openAuthentication(parts);
  const keyFile = config.get("ssh.hostKey") ?? usualHostKey(env);
  await mkdir(dirname(keyFile), { recursive: true, mode: 0o700 });
  const hostKeys = await fatal(keyFile, openHostKeys(keyFile));
  const host = config.get("host");
  const limits = config.limits("ssh.limits");
  const make = (port: number) =>
    createSshGitServer({ service, hostKeys, authenticate, host, port, logger, metrics, limits });
  const asked = config.get("ssh.port");
  const listening = await listenOn(make, asked === "off" ? undefined : asked, SSH_PORT);
  return { scheme: "ssh", fingerprint: hostKeys[0]?.fingerprint, ...listening };
}

/** A key of a user's is that user's, even if it is listed as somebody else's. */
async function openAuthentication({ config, logger, access }: PortParts): Promise<Authenticate> {
  const file = config.get("ssh.keys");
  const users = config.get("access.users") === undefined ? undefined : access?.authenticate;
  if (file === undefined) {
    if (users === undefined) throw new CliError("cli/usage", "ssh.port goes with ssh.keys or access.users");
    return users;
  }
  const onRefused = (refused: object) => logger.warn({ file, ...refused }, "a key lets nobody in");
  const listed = await fatal(file, openAuthorizedKeys(file, { onRefused }));
  return async (offer) => (await users?.(offer)) ?? (await listed(offer));
}

function usualHostKey(env: Terminal["env"]): string {
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local/state"), "xgit/ssh_host_ed25519_key");
}

async function fatal<T>(file: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (cause) {
    throw new CliError("cli/fatal", `${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
