import { lineText, parseCapability } from "@x/pktline";
import { hungUp, limitExceeded, protocolError, quote, refused, type Session } from "./session.ts";

/** The head of a v2 request. */
export interface V2Command {
  readonly name: "ls-refs" | "fetch";
  readonly hasArguments: boolean;
  /** In the client's order; for hooks. */
  readonly serverOptions: readonly string[];
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
  if (end === "eof") throw hungUp();
  if (end === "response-end") throw protocolError("unexpected response-end packet");
  let name: V2Command["name"] | undefined;
  let objectFormat = "sha1";
  const serverOptions: string[] = [];
  for (const payload of payloads) {
    const line = lineText(payload);
    const { key, value } = parseCapability(line);
    if (key === "command" && value !== undefined) {
      if (name !== undefined)
        throw protocolError(`command ${quote(value)} requested after already requesting command '${name}'`);
      if (value !== "ls-refs" && value !== "fetch") throw protocolError(`invalid command ${quote(value)}`);
      name = value;
    } else if (key === "object-format" && value !== undefined) objectFormat = value;
    else if (key === "server-option" && value !== undefined) serverOptions.push(value);
    else if (key !== "agent") throw protocolError(`unknown capability ${quote(line)}`);
  }
  if (name === undefined) throw protocolError("no command requested");
  checkObjectFormat(session, objectFormat);
  return { name, hasArguments: end === "delim", serverOptions };
}

function checkObjectFormat(session: Session, client: string): void {
  const server = session.repository.objectFormat;
  if (client === server) return;
  if (client !== "sha1" && client !== "sha256") throw refused(`unknown object format ${quote(client)}`);
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
    if (end !== undefined) throw protocolError(`expected flush after ${command.name} arguments`);
  }
}
