import { delim, encodeInChunks, flush, type Writable } from "@x/pktline";
import { enterPackGate } from "../admission/enter-gate.ts";
import { advertiseV2 } from "../announce/advertise.ts";
import { acceptsPromisor } from "../announce/promisor-remotes.ts";
import { onBandOne } from "../band-writer.ts";
import { startPhase } from "../metrics.ts";
import type { Session } from "../session.ts";
import { bundleUri } from "./bundle-uri.ts";
import { openFetch } from "./fetch-hooks.ts";
import { readFetchV2 } from "./fetch-v2-request.ts";
import { checkFilterVisible } from "./filter-policy.ts";
import { lsRefs } from "./ls-refs.ts";
import { objectInfo } from "./object-info.ts";
import { PackfileUris } from "./packfile-uris.ts";
import { type PackHeading, packRequest, sendPack } from "./send-pack.ts";
import { resolveBoundary } from "./shallow.ts";
import { readCommand, type V2Command, type V2CommandName } from "./v2-command.ts";
import { checkWants } from "./wants.ts";

/** Protocol v2: one command after another, each complete in itself but for what a client says of itself. Spec: gitprotocol-v2. */
export async function* uploadPackV2(session: Session): AsyncGenerator<Uint8Array, void, undefined> {
  const { mode } = session.call;
  if (mode !== "rpc") yield advertiseV2(session);
  if (mode === "advertise") return;
  let acceptedPromisors: string | undefined;
  do {
    const command = await readCommand(session);
    if (command === undefined) return;
    // Git's client says it once for a connection.
    acceptedPromisors = command.acceptedPromisors ?? acceptedPromisors;
    yield* COMMANDS[command.name](session, { ...command, acceptedPromisors });
    session.channel = { kind: "packet" };
  } while (mode === "duplex");
}

const COMMANDS: Readonly<
  Record<V2CommandName, (session: Session, command: V2Command) => AsyncIterable<Uint8Array>>
> = { "ls-refs": lsRefs, fetch, "object-info": objectInfo, "bundle-uri": bundleUri };

/** The v2 command that fetches. Sections come in the documented order. Spec: gitprotocol-v2, "fetch". */
async function* fetch(session: Session, command: V2Command): AsyncGenerator<Uint8Array, void, undefined> {
  const endNegotiation = startPhase(session.metrics, "negotiate");
  const asked = await readFetchV2(session, command);
  const { request, common, sidebandAll } = asked;
  // Whoever wants nothing gets nothing, not even a flush.
  if (request.wants.size === 0 && !asked.waitForDone) return;
  await checkWants(session, request, common.ids);
  if (request.filter !== undefined) await checkFilterVisible(session, request.filter);
  const { serverOptions } = command;
  const watch = await openFetch(session, request, { haves: common.ids, serverOptions });
  const send = (packets: Iterable<Writable>) => encodeInChunks(sidebandAll ? onBandOne(packets) : packets);

  const head: Writable[] = [];
  if (asked.sawHave && !asked.done) {
    const acks = [...common.ids].map((id) => `ACK ${id}\n`);
    head.push("acknowledgments\n", ...(acks.length > 0 ? acks : ["NAK\n"]));
    if (asked.waitForDone || !(await common.satisfied())) {
      endNegotiation();
      yield* send([...head, flush]);
      return;
    }
    head.push("ready\n", delim);
  }
  if (request.wants.size === 0) return;

  const boundary = await resolveBoundary(session, request, { tellServerBoundary: true });
  if (boundary.lines !== undefined) head.push("shallow-info\n", ...boundary.lines, delim);
  const wantedRefs = asked.wantedRefs.lines();
  if (wantedRefs.length > 0) head.push(...wantedRefs, delim);
  const { repository, logger } = session;
  const allowMissing = acceptsPromisor(repository.config, command.acceptedPromisors);
  const order = {
    ...(await packRequest(session, request, boundary, common.ids, 65520)),
    ...(allowMissing ? { allowMissing } : {}),
  };
  endNegotiation();
  const place = await enterPackGate(session, order);
  try {
    yield* send(head);
    const uris = new PackfileUris(repository.config, repository.objectFormat, asked.uriProtocols, logger);
    if (uris.objects.length === 0) {
      yield* send(["packfile\n"]);
      yield* watch.over(sendPack(session, order, 65520, place));
      return;
    }
    const heading: PackHeading = (leftOut) => {
      const lines = uris.lines(leftOut);
      return send([...(lines.length > 0 ? ["packfile-uris\n", ...lines, delim] : []), "packfile\n"]);
    };
    yield* watch.over(sendPack(session, { ...order, elsewhere: uris.objects }, 65520, place, heading));
  } finally {
    place.leave();
  }
}
