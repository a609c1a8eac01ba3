import {
  type ArchiveEvent,
  type ArchiveFormat,
  type ArchiveRef,
  type ArchiveRequest,
  ObjectsError,
} from "@x/objects";
import { decodeLatin1, encodeLatin1, encodePackets, encodeSideband, flush, SIDEBAND_ERROR } from "@x/pktline";
import { enterGate } from "../admission/enter-gate.ts";
import type { PackPlace } from "../admission/pack-gate.ts";
import { frameData, frameMessage, frameNothing, framePack } from "../band-writer.ts";
import { ServiceError } from "../errors.ts";
import { IDLE, type Idle, startSilence, withIdle } from "../keepalive.ts";
import type { ArchiveFilter } from "../ports.ts";
import { hungUp, limitExceeded, protocolError, refused, type Session } from "../session.ts";
import { approximateDate } from "./approximate-date.ts";
import { archiveFormat, archiveFormats } from "./archive-formats.ts";
import { ArchiveUsage, parseArchiveOptions } from "./archive-options.ts";
import { archiveSettings } from "./archive-settings.ts";
import { findArchivedTree } from "./tree-ish.ts";

const SIDEBAND = 65520;

/** C git's words on band 3; why, it says on band 2. */
const DIED = "git upload-archive: archiver died with error";

const USAGE =
  "usage: git archive [<options>] <tree-ish> [<path>...]\n" +
  "   or: git archive --remote <repo> [--exec <cmd>] [<options>] <tree-ish> [<path>...]\n" +
  "   or: git archive --remote <repo> [--exec <cmd>] --list\n";

const ARGUMENT = "argument ";

/** What a client has asked for. */
interface Order {
  readonly request: ArchiveRequest;
  readonly run: ArchiveFilter["run"] | undefined;
}

/** Makes archives. Spec: git-upload-archive; git-archive */
export async function* uploadArchive(session: Session): AsyncGenerator<Uint8Array, void, undefined> {
  if (session.repository.objects.createArchive === undefined)
    throw new ServiceError("server-core/service-disabled", "this repository offers no archives");
  let order: Order | "list" | undefined;
  let fault: unknown;
  try {
    order = await readOrder(session);
  } catch (cause) {
    fault = cause;
  }
  const hasOrder = order !== undefined && order !== "list";
  // Who is turned away because too much is being done hears that in place of the ACK.
  const place = hasOrder ? await enterGate(session, session.gate, session.limits.keepaliveMs) : undefined;
  try {
    // What is wrong with the request is told behind it, on bands 2 and 3, as C git does.
    yield encodePackets(["ACK\n", flush]);
    session.channel = { kind: "sideband", maxPacketBytes: SIDEBAND };
    if (order === undefined) throw fault;
    if (order === "list") {
      const names = archiveFormats(session.repository);
      yield* frameData(encodeLatin1(names.map(({ name }) => `${name}\n`).join("")), SIDEBAND);
    } else if (place !== undefined) yield* sendArchive(session, order, place);
  } catch (cause) {
    const words = session.signal.aborted ? undefined : wordsFor(cause);
    if (words === undefined) throw cause;
    yield* frameMessage(encodeLatin1(words), SIDEBAND);
    yield encodeSideband(SIDEBAND_ERROR, encodeLatin1(DIED), SIDEBAND);
    session.channel = { kind: "lost" };
    throw asServiceError(cause);
  } finally {
    place?.leave();
  }
  yield encodePackets([flush]);
}

async function readOrder(session: Session): Promise<Order | "list"> {
  const options = parseArchiveOptions(await readWords(session));
  if (options.list) return "list";
  const { format, run } = archiveFormat(session.repository, options.format, options.level);
  return { request: await archiveRequest(session, options, format), run };
}

/** A place is for work: it is given up once its client has been waited for so long in all. Unit: milliseconds. */
const MAX_READER_MS = 2000;

async function* sendArchive(
  session: Session,
  { request, run }: Order,
  place: PackPlace,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, limits, repository } = session;
  const { mayBeGone } = session.call;
  const silence = startSilence(limits.keepaliveMs, mayBeGone);
  while (!(await place.wait(silence.stepMs))) if (silence.isDue()) yield frameNothing(SIDEBAND);
  const made = repository.objects.createArchive?.(request, { signal, refs: () => visibleRefs(session) });
  if (made === undefined) return;
  const events =
    run === undefined ? made : bounded(run(made, { level: request.level, signal }), limits.maxArchiveBytes);
  const paced: AsyncIterable<ArchiveEvent | Idle> = withIdle(events, limits.keepaliveMs, mayBeGone);
  let readerMs = 0;
  for await (const event of paced)
    for (const frame of framesOf(event)) {
      const since = performance.now();
      const late = setTimeout(() => place.leave(), Math.max(0, MAX_READER_MS - readerMs));
      try {
        yield frame;
      } finally {
        clearTimeout(late);
      }
      readerMs += performance.now() - since;
    }
}

function framesOf(event: ArchiveEvent | Idle): Iterable<Uint8Array> {
  if (event === IDLE) return [frameNothing(SIDEBAND)];
  if (event.kind === "bytes") return framePack(event.bytes, event.headroom ?? 0, SIDEBAND);
  return frameMessage(encodeLatin1(event.text), SIDEBAND);
}

/** An archive that the store did not bound. @throws ServiceError `server-core/limit-exceeded` */
async function* bounded(
  events: AsyncIterable<ArchiveEvent>,
  maxBytes: number,
): AsyncGenerator<ArchiveEvent, void> {
  let bytes = 0;
  for await (const event of events) {
    if (event.kind === "bytes") bytes += event.bytes.length;
    if (bytes > maxBytes) throw limitExceeded("maxArchiveBytes", maxBytes);
    yield event;
  }
}

/** What the user is told; `undefined` where that is nobody's business. */
function wordsFor(cause: unknown): string | undefined {
  if (cause instanceof ArchiveUsage) return cause.message + USAGE;
  const isTheirs =
    (cause instanceof ServiceError && cause.code !== "server-core/internal") ||
    (cause instanceof ObjectsError &&
      (cause.code === "objects/bad-archive-request" || cause.code === "objects/limit-exceeded"));
  return isTheirs ? `fatal: ${latin1(cause.message)}\n` : undefined;
}

function asServiceError(cause: unknown): unknown {
  if (cause instanceof ArchiveUsage) return refused(cause.message.trim() || "bad usage");
  if (cause instanceof ObjectsError && cause.code === "objects/bad-archive-request")
    return refused(cause.message);
  return cause;
}

function latin1(text: string): string {
  return text.replace(/[^\n\x20-\x7e\x80-\xff]/g, "?").slice(0, 4096);
}

async function readWords(session: Session): Promise<string[]> {
  const { maxArchiveArguments, maxArchiveArgumentBytes } = session.limits;
  const words: string[] = [];
  let bytes = 0;
  for (;;) {
    const packet = await session.input.readPacket();
    if (packet === undefined) throw hungUp();
    if (packet.type === "flush") return words;
    if (packet.type !== "data") throw protocolError("'argument' token or flush expected");
    if (words.length >= maxArchiveArguments)
      throw new ServiceError("server-core/limit-exceeded", `Too many options (>${maxArchiveArguments - 1})`);
    bytes += packet.payload.length;
    if (bytes > maxArchiveArgumentBytes)
      throw limitExceeded("maxArchiveArgumentBytes", maxArchiveArgumentBytes);
    const line = decodeLatin1(packet.payload).replace(/\n$/, "");
    if (!line.startsWith(ARGUMENT)) throw protocolError("'argument' token or flush expected");
    const word = line.slice(ARGUMENT.length);
    words.push(word.includes("\0") ? word.slice(0, word.indexOf("\0")) : word);
  }
}

async function archiveRequest(
  session: Session,
  options: ReturnType<typeof parseArchiveOptions>,
  format: ArchiveFormat,
): Promise<ArchiveRequest> {
  const { limits, repository } = session;
  const { prefix, level, mtime, treeish, paths, verbose } = options;
  if (prefix.length > limits.maxArchivePrefixBytes)
    throw limitExceeded("maxArchivePrefixBytes", limits.maxArchivePrefixBytes);
  const { tree, commit, time } = await findArchivedTree(session, treeish);
  const now = session.now();
  return {
    format,
    level,
    tree,
    commit,
    time: mtime === undefined ? (time ?? Math.floor(now / 1000)) : Math.max(approximateDate(mtime, now), 0),
    prefix,
    paths,
    verbose,
    ignoreTreeAttributes: options.worktreeAttributes,
    settings: archiveSettings(repository.config),
    limits: {
      maxArchiveEntries: limits.maxArchiveEntries,
      maxArchiveBytes: limits.maxArchiveBytes,
      maxCpuMs: limits.maxArchiveCpuMs,
    },
  };
}

/** All that the client may see, HEAD first. */
async function visibleRefs(session: Session): Promise<readonly ArchiveRef[]> {
  const refs: ArchiveRef[] = [];
  const { target, ref } = await session.refs.head();
  if (ref !== undefined) refs.push({ name: "HEAD", id: ref.id, symrefTarget: target });
  for await (const batch of session.refs.list({ peel: true, signal: session.signal })) refs.push(...batch);
  return refs;
}
