import type { ObjectId } from "@x/objects";
import { flush, lineText, PacketBatch } from "@x/pktline";
import { remember, rememberAll } from "../announce/advertise.ts";
import { unbornSetting } from "../announce/fetch-features.ts";
import { protocolError, quote, type Session } from "../session.ts";
import type { VisibleRef } from "../visible/visibility.ts";
import { readArguments, type V2Command } from "./v2-command.ts";

interface LsRefsRequest {
  peel: boolean;
  symrefs: boolean;
  unborn: boolean;
  /** `undefined`: all refs. */
  prefixes: Set<string> | undefined;
}

/** Prefixes that are worth remembering an answer for: clients that fetch all branches and tags send a handful. */
const MAX_KNOWN_PREFIXES = 16;

/** The v2 command that lists refs. Spec: gitprotocol-v2, "ls-refs". */
export async function* lsRefs(
  session: Session,
  command: V2Command,
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = await readRequest(session, command);
  const { listings, listingKey } = session.memory;
  const asked = await askedBefore(session, request);
  const key = asked && listingKey + asked.key;
  const known = asked && listings.get(listingKey + asked.key, asked.state);
  if (known !== undefined) {
    rememberAll(session, known.ids);
    session.stats.refs = known.refs;
    for (const chunk of known.chunks) yield chunk.slice(); // it belongs to who gets it
    return;
  }
  const { brokenSeen } = session.refs;
  const chunks: Uint8Array[] = [];
  const ids = new Set<ObjectId>();
  let bytes = 0;
  let keeps = key !== undefined;
  const answer = makeListing(session, request, ids);
  for (let step = await answer.next(); ; step = await answer.next()) {
    if (step.done) {
      keeps &&= step.value.isWhole && session.refs.brokenSeen === brokenSeen;
      if (key !== undefined && keeps)
        listings.put(key, { state: asked?.state ?? "", chunks, ids, refs: step.value.refs });
      return;
    }
    bytes += step.value.length;
    keeps &&= listings.fits(bytes);
    if (keeps) chunks.push(step.value.slice());
    else chunks.length = 0;
    yield step.value;
  }
}

/** What tells this question from others, and the refs' state, where an answer may be remembered. */
async function askedBefore(
  { repository }: Session,
  request: LsRefsRequest,
): Promise<{ readonly key: string; readonly state: string } | undefined> {
  const { peel, symrefs, unborn } = request;
  const prefixes = request.prefixes && [...request.prefixes].sort();
  if (repository.refs.state === undefined || (prefixes?.length ?? 0) > MAX_KNOWN_PREFIXES) return undefined;
  if (prefixes !== undefined && (repository.namespace ?? "") !== "") return undefined;
  // The very prefixes of the listing: then it cannot have met a state that a store has no name for.
  const state = await repository.refs.state(listedPrefixes(prefixes));
  return { key: JSON.stringify([peel, symrefs, unborn, prefixes ?? null]), state };
}

function listedPrefixes(prefixes: readonly string[] | undefined): string[] | undefined {
  return prefixes?.filter((prefix) => prefix.startsWith("refs/") || "refs/".startsWith(prefix));
}

interface Listing {
  readonly refs: number;
  /** Nothing in it depends on refs that were not asked for. */
  readonly isWhole: boolean;
}

async function* makeListing(
  session: Session,
  request: LsRefsRequest,
  ids: Set<ObjectId>,
): AsyncGenerator<Uint8Array, Listing, undefined> {
  const { refs, signal } = session;
  const wanted = request.prefixes && [...request.prefixes];
  const covers = (name: string) => wanted === undefined || wanted.some((prefix) => name.startsWith(prefix));
  const batch = new PacketBatch();
  let count = 0;
  let isWhole = true;
  if (wanted === undefined || wanted.some((prefix) => "HEAD".startsWith(prefix))) {
    const head = await refs.head({ peel: request.peel, signal });
    isWhole = head.target === undefined || covers(head.target);
    if (head.ref !== undefined) {
      batch.add(formatRef(head.ref, request));
      if (head.isLost !== true) {
        remember(session, head.ref.id);
        ids.add(head.ref.id);
      }
      count++;
    } else if (head.target !== undefined && request.unborn && request.symrefs)
      batch.add(`unborn HEAD symref-target:${head.target}\n`);
  }
  const prefixes = listedPrefixes(wanted);
  if (prefixes === undefined || prefixes.length > 0)
    for await (const some of refs.list({ prefixes, peel: request.peel, signal }))
      for (const ref of some) {
        const full = batch.add(formatRef(ref, request));
        if (full !== undefined) yield full;
        if (ref.symrefTarget !== undefined) isWhole &&= covers(ref.symrefTarget);
        remember(session, ref.id);
        ids.add(ref.id);
        count++;
      }
  session.stats.refs = count;
  const full = batch.add(flush);
  if (full !== undefined) yield full;
  const last = batch.take();
  if (last !== undefined) yield last;
  return { refs: count, isWhole };
}

function formatRef(ref: VisibleRef, request: LsRefsRequest): string {
  let line = `${ref.id} ${ref.name}`;
  if (request.symrefs && ref.symrefTarget !== undefined) line += ` symref-target:${ref.symrefTarget}`;
  if (request.peel && ref.peeled !== undefined) line += ` peeled:${ref.peeled}`;
  return `${line}\n`;
}

async function readRequest(session: Session, command: V2Command): Promise<LsRefsRequest> {
  const request: LsRefsRequest = { peel: false, symrefs: false, unborn: false, prefixes: undefined };
  const { maxRefPrefixes } = session.limits;
  const unborn = unbornSetting(session.repository.config);
  let prefixLines = 0;
  for await (const payloads of readArguments(session, command))
    for (const payload of payloads) {
      const line = lineText(payload);
      if (line === "peel") request.peel = true;
      else if (line === "symrefs") request.symrefs = true;
      else if (line === "unborn") request.unborn = unborn !== "ignore";
      else if (line.startsWith("ref-prefix ")) {
        prefixLines++;
        if (prefixLines >= maxRefPrefixes) request.prefixes = undefined;
        else {
          request.prefixes ??= new Set();
          request.prefixes.add(line.slice(11));
        }
      } else throw protocolError(`unexpected line: ${quote(line)}`);
    }
  return request;
}
