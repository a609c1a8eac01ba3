import { lineText, parseCapability } from "@x/pktline";
import { noteClientSession } from "../announce/client-session.ts";
import { formatPromisorRemotes } from "../announce/promisor-remotes.ts";
import { offersBundleUri, offersObjectInfo } from "../announce/server-features.ts";
import type { RepositoryConfig } from "../ports.ts";
import { hungUp, limitExceeded, protocolError, quote, refused, type Session } from "../session.ts";

const COMMANDS = ["ls-refs", "fetch", "object-info", "bundle-uri"] as const;

/** The commands of v2 that this server knows. */
export type V2CommandName = (typeof COMMANDS)[number];

/** The head of a v2 request. */
export interface V2Command {
  readonly name: V2CommandName;
  readonly hasArguments: boolean;
  /** In the client's order; for hooks. */
  readonly serverOptions: readonly string[];
  /** Names of remotes that the client takes what is missing here from, with `;` between them. */
  readonly acceptedPromisors: string | undefined;
}

/**
 * Reads a command and the capabilities around it.
 * @returns `undefined` when the client is done
 * @throws ServiceError `server-core/protocol`, `server-core/refused`
 * Spec: gitprotocol-v2, "Command Request".
 */
export async function readCommand(session: Session): Promise<V2Command | undefined> {
  const { payloads, end } = await session.input.readSection({
    maxBytes: session.limits.maxCapabilityBytes,
  });
  if (payloads.length === 0 && (end === "flush" || end === "eof")) return undefined;
  if (end === "response-end") throw protocolError("unexpected response-end packet");
  let name: V2Command["name"] | undefined;
  let objectFormat = "sha1";
  const serverOptions: string[] = [];
  let acceptedPromisors: string | undefined;
  const { config } = session.repository;
  for (const payload of payloads) {
    const line = lineText(payload);
    const { key, value } = parseCapability(line);
    if (key === "command" && value !== undefined) {
      if (name !== undefined)
        throw protocolError(`command ${quote(value)} requested after already requesting command '${name}'`);
      name = COMMANDS.find((known) => known === value);
      if (name === undefined || !isOffered(config, name))
        throw protocolError(`invalid command ${quote(value)}`);
    } else if (key === "object-format") {
      if (value === undefined) throw protocolError("object-format capability requires an argument");
      objectFormat = value;
      if (value !== "sha1" && value !== "sha256") throw refused(`unknown object format ${quote(value)}`);
    } else if (key === "server-option") {
      if (value !== undefined) serverOptions.push(value);
    } else if (key === "session-id" && session.sessionId !== undefined) noteClientSession(session, value);
    else if (key === "promisor-remote" && value !== undefined && formatPromisorRemotes(config) !== undefined)
      acceptedPromisors = value;
    else if (key !== "agent") throw protocolError(`unknown capability ${quote(line)}`);
  }
  // What is wrong with the lines that came says more than that they stopped.
  if (end === "eof") throw hungUp();
  if (name === undefined) throw protocolError("no command requested");
  checkObjectFormat(session, objectFormat);
  return { name, hasArguments: end === "delim", serverOptions, acceptedPromisors };
}

function isOffered(config: RepositoryConfig, name: V2CommandName): boolean {
  if (name === "object-info") return offersObjectInfo(config);
  return name === "bundle-uri" ? offersBundleUri(config) : true;
}

function checkObjectFormat(session: Session, client: string): void {
  const server = session.repository.objectFormat;
  if (client === server) return;
  throw refused(`mismatched object format: server ${server}; client ${client}`);
}

/**
 * Gives the argument lines of a command in batches.
 * @throws ServiceError `server-core/protocol`, `server-core/limit-exceeded`
 */
export async function* readArguments(
  session: Session,
  command: V2Command,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  if (!command.hasArguments) return;
  const { maxFetchRequestBytes } = session.limits;
  let bytes = 0;
  for (;;) {
    const { payloads, end } = await session.input.readBatch(1024);
    for (const payload of payloads) bytes += payload.length + 4;
    if (bytes > maxFetchRequestBytes) throw limitExceeded("maxFetchRequestBytes", maxFetchRequestBytes);
    if (payloads.length > 0) yield payloads;
    if (end === "flush") return;
    if (end === "eof") throw hungUp();
    if (end !== undefined) throw protocolError(expectedFlush(command.name));
  }
}

/** The newer commands have a wording of their own. */
function expectedFlush(name: V2CommandName): string {
  return name === "ls-refs" || name === "fetch"
    ? `expected flush after ${name} arguments`
    : `${name}: expected flush after arguments`;
}
