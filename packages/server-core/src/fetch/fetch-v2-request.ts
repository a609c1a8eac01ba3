import type { ObjectId } from "@x/objects";
import { lineText } from "@x/pktline";
import { type FetchFeatures, fetchFeatures } from "../announce/fetch-features.ts";
import { protocolError, quote, refused, type Session } from "../session.ts";
import { FetchBudget, FetchRequest, parseHave, readFetchLine, readFilter } from "./fetch-request.ts";
import { CommonHaves } from "./negotiate.ts";
import { readArguments, type V2Command } from "./v2-command.ts";
import { WantedRefs } from "./want-ref.ts";

/** The arguments of v2's `fetch`. */
export interface FetchV2 {
  readonly request: FetchRequest;
  readonly common: CommonHaves;
  readonly wantedRefs: WantedRefs;
  done: boolean;
  waitForDone: boolean;
  sawHave: boolean;
  sidebandAll: boolean;
  /** The protocols that the client takes packs from elsewhere by. */
  uriProtocols: readonly string[];
}

/**
 * Reads them to the end. Once the client has asked for `sideband-all`, errors are told there.
 * @throws ServiceError `server-core/protocol`, `server-core/refused`, `server-core/limit-exceeded`
 * Spec: gitprotocol-v2, "fetch".
 */
export async function readFetchV2(session: Session, command: V2Command): Promise<FetchV2> {
  const request = new FetchRequest();
  const common = new CommonHaves(session, request.wants);
  const budget = new FetchBudget(session);
  const features = fetchFeatures(session.repository.config);
  const asked: FetchV2 = {
    request,
    common,
    wantedRefs: new WantedRefs(),
    done: false,
    waitForDone: false,
    sawHave: false,
    sidebandAll: false,
    uriProtocols: [],
  };
  for await (const payloads of readArguments(session, command)) {
    const haves: ObjectId[] = [];
    for (const payload of payloads) {
      const line = lineText(payload);
      const have = parseHave(session, line);
      if (have !== undefined) haves.push(have);
      else if (
        !readFlag(asked, line) &&
        !readFetchLine(session, request, line) &&
        !readFeature(session, features, asked, line)
      )
        throw protocolError(`unexpected line: ${quote(line)}`);
    }
    await asked.wantedRefs.resolve(session, request);
    await budget.spend(payloads, request);
    if (haves.length > 0) asked.sawHave = true;
    await common.add(haves);
  }
  // Without side-band there would be no room for the section.
  if (!asked.sidebandAll) asked.uriProtocols = [];
  return asked;
}

function readFlag(asked: FetchV2, line: string): boolean {
  const { request } = asked;
  if (line === "done") asked.done = true;
  else if (line === "wait-for-done") asked.waitForDone = true;
  else if (line === "thin-pack") request.thinPack = true;
  else if (line === "ofs-delta") request.ofsDelta = true;
  else if (line === "include-tag") request.includeTag = true;
  else if (line === "no-progress") request.noProgress = true;
  else if (line === "deepen-relative") request.deepenRelative = true;
  else return false;
  return true;
}

/** Lines that mean something only where a setting has switched them on. */
function readFeature(session: Session, features: FetchFeatures, asked: FetchV2, line: string): boolean {
  if (features.filter && line.startsWith("filter ")) readFilter(session, asked.request, line.slice(7));
  else if (features.refInWant && line.startsWith("want-ref ")) asked.wantedRefs.add(line.slice(9));
  else if (features.sidebandAll && line === "sideband-all") {
    asked.sidebandAll = true;
    session.channel = { kind: "sideband", maxPacketBytes: 65520 };
  } else if (features.packfileUris && line.startsWith("packfile-uris ")) {
    if (asked.uriProtocols.length > 0) throw refused("multiple packfile-uris lines forbidden");
    asked.uriProtocols = line.slice(14).split(",");
  } else return false;
  return true;
}
