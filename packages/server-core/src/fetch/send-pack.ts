import { type ObjectId, ObjectsError, type PackEvent, type PackRequest, type TagCandidate } from "@x/objects";
import { encodePackets, flush } from "@x/pktline";
import type { PackPlace } from "../admission/pack-gate.ts";
import { frameNothing, framePack, frameText, type Sideband } from "../band-writer.ts";
import { configKeepaliveMs } from "../config-value.ts";
import { ServiceError } from "../errors.ts";
import { IDLE, type Idle, startSilence, withIdle } from "../keepalive.ts";
import { startPhase } from "../metrics.ts";
import type { Session } from "../session.ts";
import type { FetchRequest } from "./fetch-request.ts";
import type { Boundary } from "./shallow.ts";

/** C git's words; clients and people know them. */
const CORRUPT = "aborting due to possible repository corruption on the remote side.";

/** What stands before the pack once it is known which of {@link PackRequest.elsewhere} were left out of it. */
export type PackHeading = (leftOut: readonly ObjectId[]) => Iterable<Uint8Array>;

/**
 * Makes the pack and sends it, side-band or bare. It is the last thing that is sent.
 * @param place is left once the pack's first bytes are there: what follows goes at its reader's pace
 * @param heading only with `sideband-all`: texts for the user may come before it
 */
export async function* sendPack(
  session: Session,
  request: PackRequest,
  sideband: Sideband,
  place: PackPlace,
  heading?: PackHeading,
): AsyncGenerator<Uint8Array, void, undefined> {
  session.channel =
    sideband === undefined ? { kind: "lost" } : { kind: "sideband", maxPacketBytes: sideband };
  const idleMs =
    sideband === undefined
      ? undefined
      : configKeepaliveMs(session.repository.config, "uploadpack.keepAlive", session.limits.keepaliveMs);
  const endCount = () => {
    endPhase();
    place.leave();
  };
  let endPhase = () => {};
  let leftOut: readonly ObjectId[] = [];
  let pending = heading;
  let isCounted = false;
  // Before the heading an empty packet of band 1 would be taken for an empty line of it.
  const nothing = () =>
    sideband === undefined ? undefined : frameNothing(sideband, pending === undefined ? 1 : 2);
  try {
    const { mayBeGone, lend } = session.call;
    const silence = idleMs === undefined ? undefined : startSilence(idleMs, mayBeGone);
    while (!(await place.wait(silence?.stepMs))) if (silence?.isDue() === true) yield* some(nothing());
    endPhase = startPhase(session.metrics, "count");
    const events = session.repository.objects.createPack(request, { signal: session.signal, lend });
    const paced: AsyncIterable<PackEvent | Idle> =
      idleMs === undefined ? events : withIdle(events, idleMs, mayBeGone);
    for await (const event of paced) {
      if (event === IDLE) yield* some(nothing());
      else if (event.kind === "bytes") {
        if (!isCounted) {
          isCounted = true;
          endCount();
          endPhase = startPhase(session.metrics, "send");
        }
        if (pending !== undefined) yield* pending(leftOut);
        pending = undefined;
        yield* framePack(event.bytes, event.headroom ?? 0, sideband);
      } else if (event.kind === "elsewhere") leftOut = event.ids;
      else if (event.kind === "progress") {
        if (sideband !== undefined) yield frameText(event.text, sideband);
      } else if (event.kind === "summary") {
        session.stats.objects = event.summary.objects;
        session.metrics.packSent(event.summary);
      }
    }
  } catch (cause) {
    if (session.signal.aborted || cause instanceof ServiceError) throw cause;
    if (cause instanceof ObjectsError && cause.code === "objects/limit-exceeded") throw cause;
    throw new ServiceError("server-core/internal", CORRUPT, { cause });
  } finally {
    endCount();
  }
  if (sideband !== undefined) yield encodePackets([flush]);
}

function* some(frame: Uint8Array | undefined): Generator<Uint8Array, void, undefined> {
  if (frame !== undefined) yield frame;
}

/** The store's order for what the client asked and has. */
export async function packRequest(
  session: Session,
  request: FetchRequest,
  boundary: Boundary,
  haves: Iterable<PackRequest["haves"][number]>,
  sideband: Sideband,
): Promise<PackRequest> {
  const had = new Set([...haves, ...boundary.unshallow]);
  // Without a new object there is none that a tag could ride along with.
  const brings = boundary.wants.some((id) => !had.has(id));
  return {
    wants: boundary.wants,
    haves: [...had],
    shallow: boundary.shallow,
    thin: request.thinPack,
    ofsDelta: request.ofsDelta,
    tags: request.includeTag && brings ? await tagCandidates(session) : [],
    progress: sideband !== undefined && !request.noProgress,
    filter: request.filter,
    limits: {
      maxTreeVisits: session.limits.maxTreeVisits,
      maxCpuMs: session.limits.maxPackCpuMs,
      maxPackBytes: session.limits.maxPackBytes,
    },
  };
}

async function tagCandidates(session: Session): Promise<TagCandidate[]> {
  const candidates: TagCandidate[] = [];
  const options = { prefixes: ["refs/tags/"], peel: true, signal: session.signal };
  for await (const batch of session.refs.list(options))
    for (const { id, peeled } of batch) if (peeled !== undefined) candidates.push({ tag: id, peeled });
  return candidates;
}
