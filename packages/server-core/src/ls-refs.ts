import { flush, lineText, PacketBatch } from "@x/pktline";
import { remember } from "./advertise.ts";
import { unbornSetting } from "./fetch-features.ts";
import { protocolError, quote, type Session } from "./session.ts";
import { readArguments, type V2Command } from "./v2-command.ts";
import type { VisibleRef } from "./visibility.ts";

interface LsRefsRequest {
  peel: boolean;
  symrefs: boolean;
  unborn: boolean;
  /** `undefined`: all refs. */
  prefixes: Set<string> | undefined;
}

/** The v2 command that lists refs. Spec: gitprotocol-v2, "ls-refs". */
export async function* lsRefs(
  session: Session,
  command: V2Command,
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = await readRequest(session, command);
  const { refs, signal } = session;
  const wanted = request.prefixes && [...request.prefixes];
  const batch = new PacketBatch();
  let count = 0;
  if (wanted === undefined || wanted.some((prefix) => "HEAD".startsWith(prefix))) {
    const head = await refs.head({ peel: request.peel, signal });
    if (head.ref !== undefined) {
      batch.add(formatRef(head.ref, request));
      remember(session, head.ref.id);
      count++;
    } else if (head.target !== undefined && request.unborn && request.symrefs)
      batch.add(`unborn HEAD symref-target:${head.target}\n`);
  }
  const prefixes = wanted?.filter((prefix) => prefix.startsWith("refs/") || "refs/".startsWith(prefix));
  if (prefixes === undefined || prefixes.length > 0)
    for await (const some of refs.list({ prefixes, peel: request.peel, signal }))
      for (const ref of some) {
        const full = batch.add(formatRef(ref, request));
        if (full !== undefined) yield full;
        remember(session, ref.id);
        count++;
      }
  session.stats.refs = count;
  const full = batch.add(flush);
  if (full !== undefined) yield full;
  const last = batch.take();
  if (last !== undefined) yield last;
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
