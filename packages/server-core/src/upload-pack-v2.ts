import type { ObjectId } from "@x/objects";
import { delim, encodeInChunks, encodePackets, flush, lineText, type Writable } from "@x/pktline";
import { advertiseV2 } from "./advertise.ts";
import { FetchBudget, FetchRequest, parseHave, readFetchLine } from "./fetch-request.ts";
import { lsRefs } from "./ls-refs.ts";
import { CommonHaves } from "./negotiate.ts";
import { packRequest, sendPack } from "./send-pack.ts";
import { protocolError, quote, type Session } from "./session.ts";
import { resolveBoundary } from "./shallow.ts";
import { readArguments, readCommand, type V2Command } from "./v2-command.ts";
import { checkWants } from "./wants.ts";

/** Protocol v2: one command after another, each complete in itself. Spec: gitprotocol-v2. */
export async function* uploadPackV2(session: Session): AsyncGenerator<Uint8Array, void, undefined> {
  const { mode } = session.call;
  if (mode !== "rpc") yield advertiseV2(session);
  if (mode === "advertise") return;
  do {
    const command = await readCommand(session);
    if (command === undefined) return;
    yield* command.name === "ls-refs" ? lsRefs(session, command) : fetch(session, command);
    session.channel = { kind: "packet" };
  } while (mode === "duplex");
}

interface FetchV2 {
  readonly request: FetchRequest;
  readonly common: CommonHaves;
  done: boolean;
  waitForDone: boolean;
  sawHave: boolean;
}

/** The v2 command that fetches. Spec: gitprotocol-v2, "fetch". */
async function* fetch(session: Session, command: V2Command): AsyncGenerator<Uint8Array, void, undefined> {
  const asked = await readFetch(session, command);
  const { request, common } = asked;
  // Whoever wants nothing gets nothing, not even a flush.
  if (request.wants.size === 0 && !asked.waitForDone) return;
  await checkWants(session, request);

  const head: Writable[] = [];
  if (asked.sawHave && !asked.done) {
    const acks = [...common.ids].map((id) => `ACK ${id}\n`);
    head.push("acknowledgments\n", ...(acks.length > 0 ? acks : ["NAK\n"]));
    if (asked.waitForDone || !(await common.satisfied())) {
      yield* encodeInChunks([...head, flush]);
      return;
    }
    head.push("ready\n", delim);
  }
  if (request.wants.size === 0) return;

  const boundary = await resolveBoundary(session, request, { tellServerBoundary: true });
  if (boundary.lines !== undefined) head.push("shallow-info\n", ...boundary.lines, delim);
  yield* encodeInChunks(head);
  const order = await packRequest(session, request, boundary, common.ids, 65520);
  yield encodePackets(["packfile\n"]);
  yield* sendPack(session, order, 65520);
}

async function readFetch(session: Session, command: V2Command): Promise<FetchV2> {
  const request = new FetchRequest();
  const common = new CommonHaves(session, request.wants);
  const budget = new FetchBudget(session);
  const asked: FetchV2 = { request, common, done: false, waitForDone: false, sawHave: false };
  for await (const payloads of readArguments(session, command)) {
    const haves: ObjectId[] = [];
    for (const payload of payloads) {
      const line = lineText(payload);
      const have = parseHave(session, line);
      if (have !== undefined) haves.push(have);
      else if (!readFlag(asked, line) && !readFetchLine(session, request, line))
        throw protocolError(`unexpected line: ${quote(line)}`);
    }
    await budget.spend(payloads, request);
    if (haves.length > 0) asked.sawHave = true;
    await common.add(haves);
  }
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
