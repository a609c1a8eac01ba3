import { isZeroId, type ObjectId, parseObjectId } from "@x/objects";
import { type Capabilities, decodeLatin1, lineText, parseCapabilities, splitFirstLine } from "@x/pktline";
import { noteClientSession } from "../announce/client-session.ts";
import { pushFeatures } from "../announce/push-features.ts";
import type { PushCommand } from "../push-hooks.ts";
import { hungUp, limitExceeded, protocolError, quote, refused, type Session } from "../session.ts";
import { type PushCert, parsePushCert } from "./push-cert.ts";

/** A push up to its pack. */
export interface PushRequest {
  readonly commands: readonly PushCommand[];
  readonly capabilities: Capabilities;
  readonly atomic: boolean;
  /** Where the pusher's history ends. */
  readonly shallow: readonly ObjectId[];
  readonly certificate: PushCert | undefined;
  /** Byte-exact; `undefined` when there was no talk of them. */
  readonly pushOptions: readonly string[] | undefined;
  /** A pack follows, with no objects perhaps; after deletions alone none does. */
  readonly bringsPack: boolean;
}

/**
 * Reads commands up to the flush packet, and push options up to theirs.
 * @returns `undefined` when there are none: the client only looked, or probed the line
 * @throws ServiceError `server-core/protocol`, `server-core/refused`, `server-core/limit-exceeded`
 * Spec: gitprotocol-pack, "Reference Update Request and Packfile Transfer", "Push Certificate".
 */
export async function readPushRequest(session: Session): Promise<PushRequest | undefined> {
  const head = await readHead(session);
  if (head === undefined) return undefined;
  const { commands, capabilities, shallow, certificate } = head;
  const features = pushFeatures(session.repository.config);
  const hasOptions = features.pushOptions && capabilities.has("push-options");
  return {
    commands,
    capabilities,
    shallow,
    certificate,
    atomic: features.atomic && capabilities.has("atomic"),
    pushOptions: hasOptions ? await readPushOptions(session) : undefined,
    bringsPack: commands.some(({ newId }) => !isZeroId(newId)),
  };
}

type Head = Pick<PushRequest, "commands" | "capabilities" | "shallow" | "certificate">;

async function readHead(session: Session): Promise<Head | undefined> {
  const { limits } = session;
  const commands: PushCommand[] = [];
  const shallow: ObjectId[] = [];
  const cert = new CertReader(session);
  let words = "";
  let bytes = 0;
  for (;;) {
    const { payloads, end } = await session.input.readBatch(1024);
    for (const payload of payloads) {
      if (cert.isOpen) {
        cert.add(payload);
        continue;
      }
      bytes += payload.length + 4;
      const { text, capabilities } = splitFirstLine(lineText(payload));
      if (capabilities !== undefined) {
        words += ` ${capabilities}`;
        hearBands(session, capabilities);
      }
      if (text === "push-cert") cert.open();
      else if (text.startsWith("shallow ")) shallow.push(readShallow(session, text.slice(8)));
      else commands.push(readCommand(session, text));
    }
    if (bytes > limits.maxCommandBytes) throw limitExceeded("maxCommandBytes", limits.maxCommandBytes);
    if (commands.length > limits.maxCommands) throw limitExceeded("maxCommands", limits.maxCommands);
    if (shallow.length > limits.maxShallows) throw limitExceeded("maxShallows", limits.maxShallows);
    if (end === undefined) continue;
    if (end === "delim" || end === "response-end") throw protocolError(`unexpected ${end} packet`);
    const certificate = cert.parse();
    if (certificate !== undefined) {
      if (commands.length > 0) throw protocolError("got both push certificate and unsigned commands");
      for (const line of certificate.commands) commands.push(readCommand(session, line));
      if (commands.length > limits.maxCommands) throw limitExceeded("maxCommands", limits.maxCommands);
    }
    if (commands.length === 0) return undefined;
    if (end === "eof") throw hungUp();
    const capabilities = parseCapabilities(words);
    checkObjectFormat(session, capabilities);
    noteClientSession(session, capabilities.get("session-id")?.[0]);
    return { commands, capabilities, shallow, certificate };
  }
}

/** Who asks for side-bands is told of what is wrong on them, from here on. */
function hearBands(session: Session, capabilities: string): void {
  if (parseCapabilities(capabilities).has("side-band-64k"))
    session.channel = { kind: "sideband", maxPacketBytes: 65520 };
}

/** The packets between `push-cert` and `push-cert-end`. */
class CertReader {
  readonly #session: Session;
  readonly #parts: string[] = [];
  #bytes = 0;
  #state: "none" | "open" | "over" = "none";

  constructor(session: Session) {
    this.#session = session;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  open(): void {
    if (this.#state === "over") throw protocolError("got a second push certificate");
    this.#state = "open";
  }

  add(payload: Uint8Array): void {
    const text = decodeLatin1(payload);
    if (text === "push-cert-end\n") {
      this.#state = "over";
      return;
    }
    // An empty packet is not for nothing either.
    this.#bytes += payload.length + 4;
    const { maxPushCertBytes } = this.#session.limits;
    if (this.#bytes > maxPushCertBytes) throw limitExceeded("maxPushCertBytes", maxPushCertBytes);
    if (text !== "") this.#parts.push(text);
  }

  /** A flush packet ends an open one too, as in C git. */
  parse(): PushCert | undefined {
    return this.#parts.length === 0 ? undefined : parsePushCert(this.#parts.join(""));
  }
}

async function readPushOptions(session: Session): Promise<readonly string[]> {
  const { maxPushOptions, maxPushOptionBytes } = session.limits;
  const options: string[] = [];
  let bytes = 0;
  for (;;) {
    const { payloads, end } = await session.input.readBatch(1024);
    for (const payload of payloads) {
      const text = lineText(payload);
      bytes += text.length;
      // What hooks get as lines or in their environment cannot hold these.
      if (/[\0\n]/.test(text)) throw protocolError("a push option holds a NUL or a line feed");
      options.push(text);
    }
    if (options.length > maxPushOptions) throw limitExceeded("maxPushOptions", maxPushOptions);
    if (bytes > maxPushOptionBytes) throw limitExceeded("maxPushOptionBytes", maxPushOptionBytes);
    if (end === undefined) continue;
    if (end === "eof") throw hungUp();
    if (end !== "flush") throw protocolError(`unexpected ${end} packet`);
    return options;
  }
}

function readCommand(session: Session, line: string): PushCommand {
  const [old = "", next = ""] = line.split(" ", 2);
  const ref = line.slice(old.length + next.length + 2);
  if (ref === "") throw protocolError(`protocol error: expected old/new/ref, got ${quote(line)}`);
  return { ref, oldId: readId(session, old, line), newId: readId(session, next, line) };
}

function readShallow(session: Session, text: string): ObjectId {
  const id = parseObjectId(text, session.repository.objectFormat);
  if (id === undefined) throw protocolError(`protocol error: expected shallow sha, got ${quote(text)}`);
  return id;
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
