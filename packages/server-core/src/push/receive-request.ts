import { isZeroId, type ObjectId, parseObjectId } from "@x/objects";
import { type Capabilities, lineText, parseCapabilities, splitFirstLine } from "@x/pktline";
import { noteClientSession } from "../announce/client-session.ts";
import type { PushCommand } from "../push-hooks.ts";
import { hungUp, limitExceeded, protocolError, quote, refused, type Session } from "../session.ts";

/** A push up to its pack. */
export interface PushRequest {
  readonly commands: readonly PushCommand[];
  readonly capabilities: Capabilities;
  /** Where the pusher's history ends. */
  readonly shallow: readonly ObjectId[];
  /** A pack follows, with no objects perhaps; after deletions alone none does. */
  readonly bringsPack: boolean;
}

/**
 * Reads commands up to the flush packet.
 * @returns `undefined` when there are none: the client only looked, or probed the line
 * @throws ServiceError `server-core/protocol`, `server-core/refused`, `server-core/limit-exceeded`
 * Spec: gitprotocol-pack, "Reference Update Request and Packfile Transfer".
 */
export async function readPushRequest(session: Session): Promise<PushRequest | undefined> {
  const { limits } = session;
  const commands: PushCommand[] = [];
  const shallow: ObjectId[] = [];
  let words = "";
  let bytes = 0;
  for (;;) {
    const { payloads, end } = await session.input.readBatch(1024);
    for (const payload of payloads) {
      bytes += payload.length + 4;
      const { text, capabilities } = splitFirstLine(lineText(payload));
      if (capabilities !== undefined) words += ` ${capabilities}`;
      if (text.startsWith("shallow ")) shallow.push(readId(session, text.slice(8), text));
      else commands.push(readCommand(session, text));
    }
    if (bytes > limits.maxCommandBytes) throw limitExceeded("maxCommandBytes", limits.maxCommandBytes);
    if (commands.length > limits.maxCommands) throw limitExceeded("maxCommands", limits.maxCommands);
    if (shallow.length > limits.maxShallows) throw limitExceeded("maxShallows", limits.maxShallows);
    if (end === undefined) continue;
    if (end === "delim" || end === "response-end") throw protocolError(`unexpected ${end} packet`);
    if (commands.length === 0) return undefined;
    if (end === "eof") throw hungUp();
    const capabilities = parseCapabilities(words);
    checkObjectFormat(session, capabilities);
    noteClientSession(session, capabilities.get("session-id")?.[0]);
    return { commands, capabilities, shallow, bringsPack: commands.some(({ newId }) => !isZeroId(newId)) };
  }
}

function readCommand(session: Session, line: string): PushCommand {
  const [old = "", next = ""] = line.split(" ", 2);
  const ref = line.slice(old.length + next.length + 2);
  if (ref === "") throw protocolError(`protocol error: expected old/new/ref, got ${quote(line)}`);
  return { ref, oldId: readId(session, old, line), newId: readId(session, next, line) };
}

function readId(session: Session, text: string, line: string): ObjectId {
  const id = parseObjectId(text, session.repository.objectFormat);
  if (id === undefined) throw protocolError(`protocol error: expected old/new/ref, got ${quote(line)}`);
  return id;
}

function checkObjectFormat(session: Session, capabilities: Capabilities): void {
  const format = capabilities.get("object-format")?.[0] ?? "sha1";
  if (format !== session.repository.objectFormat) throw refused(`unsupported object format ${quote(format)}`);
}
