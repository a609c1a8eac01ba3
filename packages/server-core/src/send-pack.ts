import { ObjectsError, type PackEvent, type PackRequest, type TagCandidate } from "@x/objects";
import { encodePackets, flush } from "@x/pktline";
import { frameNothing, framePack, frameText, type Sideband } from "./band-writer.ts";
import { ServiceError } from "./errors.ts";
import type { FetchRequest } from "./fetch-request.ts";
import { IDLE, type Idle, withIdle } from "./keepalive.ts";
import type { Session } from "./session.ts";
import type { Boundary } from "./shallow.ts";

/** C git's words; clients and people know them. */
const CORRUPT = "aborting due to possible repository corruption on the remote side.";

/** Makes the pack and sends it, side-band or bare. It is the last thing that is sent. */
export async function* sendPack(
  session: Session,
  request: PackRequest,
  sideband: Sideband,
): AsyncGenerator<Uint8Array, void, undefined> {
  session.channel =
    sideband === undefined ? { kind: "lost" } : { kind: "sideband", maxPacketBytes: sideband };
  const events = session.repository.objects.createPack(request, { signal: session.signal });
  const paced: AsyncIterable<PackEvent | Idle> =
    sideband === undefined ? events : withIdle(events, session.limits.keepaliveMs);
  try {
    for await (const event of paced) {
      if (event === IDLE) {
        if (sideband !== undefined) yield frameNothing(sideband);
      } else if (event.kind === "bytes") yield* framePack(event.bytes, event.headroom ?? 0, sideband);
      else if (event.kind === "progress") {
        if (sideband !== undefined) yield frameText(event.text, sideband);
      } else if (event.kind === "summary") session.stats.objects = event.summary.objects;
    }
  } catch (cause) {
    if (session.signal.aborted || cause instanceof ServiceError) throw cause;
    if (cause instanceof ObjectsError && cause.code === "objects/limit-exceeded") throw cause;
    throw new ServiceError("server-core/internal", CORRUPT, { cause });
  }
  if (sideband !== undefined) yield encodePackets([flush]);
}

/** The store's order for what the client asked and has. */
export async function packRequest(
  session: Session,
  request: FetchRequest,
  boundary: Boundary,
  haves: Iterable<PackRequest["haves"][number]>,
  sideband: Sideband,
): Promise<PackRequest> {
  return {
    wants: boundary.wants,
    haves: [...haves],
    shallow: boundary.shallow,
    thin: request.thinPack,
    ofsDelta: request.ofsDelta,
    tags: request.includeTag ? await tagCandidates(session) : [],
    progress: sideband !== undefined && !request.noProgress,
  };
}

async function tagCandidates(session: Session): Promise<TagCandidate[]> {
  const candidates: TagCandidate[] = [];
  const options = { prefixes: ["refs/tags/"], peel: true, signal: session.signal };
  for await (const batch of session.refs.list(options))
    for (const { id, peeled } of batch) if (peeled !== undefined) candidates.push({ tag: id, peeled });
  return candidates;
}
