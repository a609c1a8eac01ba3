import type { ObjectId } from "@x/objects";
import {
  type Capabilities,
  encodeInChunks,
  encodePackets,
  flush,
  lineText,
  parseCapabilities,
  splitFirstLine,
  splitWantLine,
} from "@x/pktline";
import { enterPackGate } from "../admission/enter-gate.ts";
import { advertiseRefs } from "../announce/advertise.ts";
import { noteClientSession } from "../announce/client-session.ts";
import { fetchFeatures } from "../announce/fetch-features.ts";
import { sidebandOf } from "../band-writer.ts";
import { startPhase } from "../metrics.ts";
import { hungUp, limitExceeded, protocolError, quote, refused, type Session } from "../session.ts";
import { openFetch } from "./fetch-hooks.ts";
import { FetchBudget, FetchRequest, parseHave, readFetchLine, readFilter } from "./fetch-request.ts";
import { checkFilterVisible } from "./filter-policy.ts";
import { CommonHaves, Negotiation } from "./negotiate.ts";
import { packRequest, sendPack } from "./send-pack.ts";
import { resolveBoundary } from "./shallow.ts";
import { checkWants } from "./wants.ts";

/** Lines that are looked at between two awaits. */
const BATCH = 1024;

interface RequestV0 {
  readonly request: FetchRequest;
  readonly capabilities: Capabilities;
}

const ID_WORDS = "object ID";

/** Fetch in protocol v0 and v1. Spec: gitprotocol-pack, "Fetching Data From a Server". */
export async function* uploadPackV0(session: Session): AsyncGenerator<Uint8Array, void, undefined> {
  const { mode } = session.call;
  if (mode !== "rpc") yield* advertiseRefs(session);
  if (mode === "advertise") return;

  const budget = new FetchBudget(session);
  const asked = await readRequest(session, budget);
  if (asked === undefined) return;
  const { request, capabilities } = asked;
  const endNegotiation = startPhase(session.metrics, "negotiate");
  await checkWants(session, request);
  if (request.filter !== undefined) await checkFilterVisible(session, request.filter);
  const watch = await openFetch(session, request, { haves: [], serverOptions: [] });

  const boundary = await resolveBoundary(session, request, { tellServerBoundary: false });
  if (boundary.lines !== undefined) yield* encodeInChunks([...boundary.lines, flush]);

  const common = new CommonHaves(session, request.wants);
  const agreed = yield* negotiate(session, new Negotiation(common, capabilities), request, budget);
  if (!agreed) return;
  const sideband = sidebandOf(capabilities);
  // From here on the client takes what comes for the pack.
  session.channel =
    sideband === undefined ? { kind: "lost" } : { kind: "sideband", maxPacketBytes: sideband };
  const order = await packRequest(session, request, boundary, common.ids, sideband);
  endNegotiation();
  const place = await enterPackGate(session, order);
  try {
    yield* watch.over(sendPack(session, order, sideband, place));
  } finally {
    place.leave();
  }
}

/** The wants, up to the flush packet. @returns `undefined` when nothing is wanted: the client only looked */
async function readRequest(session: Session, budget: FetchBudget): Promise<RequestV0 | undefined> {
  const request = new FetchRequest();
  const words = new CapabilityText(session);
  const mayFilter = fetchFeatures(session.repository.config).filter;
  for (;;) {
    const { payloads, end } = await session.input.readBatch(BATCH);
    for (const payload of payloads) {
      // Nothing that is read here stands behind a NUL.
      const line = splitFirstLine(lineText(payload)).text;
      const want = splitWantLine(line);
      if (want !== undefined) words.add(want.capabilities);
      if (line.startsWith("filter ")) {
        if (!mayFilter || !words.has("filter"))
          throw refused("git upload-pack: filtering capability not negotiated");
        readFilter(session, request, line.slice(7));
      } else if (!readFetchLine(session, request, want === undefined ? line : `want ${want.id}`, ID_WORDS))
        throw protocolError(
          `git upload-pack: protocol error, expected to get ${ID_WORDS}, not ${quote(line)}`,
        );
    }
    await budget.spend(payloads, request);
    if (end === undefined) continue;
    if (end === "delim" || end === "response-end") throw protocolError(`unexpected ${end} packet`);
    // Whoever saw the refs may leave; a request says that it ends.
    if (end === "eof" && (request.wants.size > 0 || session.call.mode === "rpc")) throw hungUp();
    if (request.wants.size === 0) return undefined;
    const capabilities = parseCapabilities(words.text);
    applyCapabilities(session, request, capabilities);
    return { request, capabilities };
  }
}

function applyCapabilities(session: Session, request: FetchRequest, capabilities: Capabilities): void {
  const format = capabilities.get("object-format")?.[0];
  if (format !== undefined && format !== session.repository.objectFormat)
    throw refused(`unsupported object format ${quote(format)}`);
  noteClientSession(session, capabilities.get("session-id")?.[0]);
  request.thinPack = capabilities.has("thin-pack");
  request.ofsDelta = capabilities.has("ofs-delta");
  request.includeTag = capabilities.has("include-tag");
  request.noProgress = capabilities.has("no-progress");
  request.deepenRelative = capabilities.has("deepen-relative");
}

/** Capabilities may stand on every want line; a million times the same is the same. */
class CapabilityText {
  readonly #maxBytes: number;
  readonly #seen = new Set<string>();
  text = "";

  constructor(session: Session) {
    this.#maxBytes = session.limits.maxCapabilityBytes;
  }

  add(text: string): void {
    if (text === "" || this.#seen.has(text)) return;
    this.text += ` ${text}`;
    if (this.text.length > this.#maxBytes) throw limitExceeded("maxCapabilityBytes", this.#maxBytes);
    this.#seen.add(text);
  }

  has(word: string): boolean {
    return ` ${this.text} `.includes(` ${word} `);
  }
}

/** @returns whether the pack follows; if not, the client comes back with another request, or not at all */
async function* negotiate(
  session: Session,
  negotiation: Negotiation,
  request: FetchRequest,
  budget: FetchBudget,
): AsyncGenerator<Uint8Array, boolean, undefined> {
  const stateless = session.call.mode === "rpc";
  let rounds = 0;
  let quiet = true;
  for (;;) {
    const { payloads, end } = await session.input.readBatch(BATCH);
    await budget.spend(payloads, request);
    const haves: ObjectId[] = [];
    let done = false;
    for (const payload of payloads) {
      const line = lineText(payload);
      const have = parseHave(session, line);
      if (have !== undefined) haves.push(have);
      else if (line === "done") {
        done = true;
        break;
      } else throw protocolError(`git upload-pack: expected SHA1 list, got ${quote(line)}`);
    }
    const lines = await negotiation.haves(haves);
    if (done) lines.push(...negotiation.done());
    let over = done;
    if (!done && end === "flush") {
      if (++rounds > session.limits.maxNegotiationRounds)
        throw limitExceeded("maxNegotiationRounds", session.limits.maxNegotiationRounds);
      const answer = await negotiation.flush();
      lines.push(...answer.lines);
      over = answer.over;
    }
    if (lines.length > 0) yield encodePackets(lines);
    if (over) return true;
    if (end === "eof") {
      // A stateless client may ask for the boundary alone, before it looks for what is common.
      if (stateless && quiet && payloads.length === 0) return false;
      throw hungUp();
    }
    if (end === "flush") {
      if (stateless) return false;
    } else if (end !== undefined) throw protocolError(`unexpected ${end} packet`);
    quiet = false;
  }
}
