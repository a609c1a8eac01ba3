import { type ObjectId, zeroId } from "@x/objects";
import { encodePackets, flush, PacketBatch } from "@x/pktline";
import type { Session } from "../session.ts";
import type { ShownIds } from "../visible/shown-ids.ts";
import type { ShownTips } from "../visible/shown-tips.ts";
import { HAVE } from "../visible/visibility.ts";
import { alternateTips } from "./alternate-tips.ts";
import {
  type Announced,
  receivePackCapabilities,
  uploadPackCapabilities,
  v2Capabilities,
} from "./capabilities.ts";

/*
 * v0: <id> SP <name> NUL <capabilities> LF, then <id> SP <name> LF for each ref, `shallow <id>` LF for each commit
 * that the server's history ends at, flush. Spec: gitprotocol-pack, "Reference Discovery".
 */

/** The refs, as either service of v0 and v1 announces them. */
export async function* advertiseRefs(session: Session): AsyncGenerator<Uint8Array, void, undefined> {
  const { call, repository, refs, signal } = session;
  const announced = announcedBy(session);
  const forPush = call.service === "git-receive-pack";
  const head = forPush ? {} : await refs.head({ peel: true, signal });
  const capabilities = forPush
    ? receivePackCapabilities(announced, session.certNonce)
    : uploadPackCapabilities(announced, {
        noDone: call.mode !== "duplex",
        headTarget: head.ref && head.target,
      });

  const batch = new PacketBatch();
  if (call.version === 1) batch.add("version 1\n");
  let count = 0;
  const line = (id: string, name: string): Uint8Array | undefined =>
    batch.add(count++ === 0 ? `${id} ${name}\0${capabilities}\n` : `${id} ${name}\n`);
  if (head.ref !== undefined) {
    line(head.ref.id, "HEAD");
    if (head.ref.peeled !== undefined) line(head.ref.peeled, "HEAD^{}");
    if (head.isLost !== true) remember(session, head.ref.id);
  }
  const lent = new Set<ObjectId>();
  const alternate = forPush ? await alternateTips(session) : new Set<ObjectId>();
  for await (const some of refs.list({ peel: !forPush, haves: forPush, signal }))
    for (const ref of some) {
      if (forPush && repository.namespace !== undefined) {
        // What another ref has said already, a nameless one need not.
        if (ref.name === HAVE && lent.has(ref.id)) continue;
        lent.add(ref.id);
      }
      let full = line(ref.id, ref.name);
      if (full !== undefined) yield full;
      if (ref.peeled !== undefined && !forPush) {
        full = line(ref.peeled, `${ref.name}^{}`);
        if (full !== undefined) yield full;
      }
      alternate.delete(ref.id);
      remember(session, ref.id);
    }
  for (const id of alternate) {
    const full = line(id, HAVE);
    if (full !== undefined) yield full;
  }
  session.stats.refs = count;
  if (count === 0) line(zeroId(repository.objectFormat), "capabilities^{}");
  for (const id of await repository.objects.shallow({ signal })) {
    const full = batch.add(`shallow ${id}\n`);
    if (full !== undefined) yield full;
  }
  const full = batch.add(flush);
  if (full !== undefined) yield full;
  const last = batch.take();
  if (last !== undefined) yield last;
}

/** What v2 announces. Spec: gitprotocol-v2, "Capability Advertisement". */
export function advertiseV2(session: Session): Uint8Array {
  return encodePackets(["version 2\n", ...v2Capabilities(announcedBy(session)), flush]);
}

function announcedBy({ repository, agent, sessionId }: Session): Announced {
  return { objectFormat: repository.objectFormat, agent, config: repository.config, sessionId };
}

/** What a client was shown, and is stored, it may want, though the ref may have moved on when it does. */
export function remember(session: Session, id: ObjectId): void {
  shownTo(session)?.add(id);
}

/** As {@link remember}, for ids that do not change any more. */
export function rememberAll(session: Session, ids: ReadonlySet<ObjectId>): void {
  shownTo(session)?.addAll(ids);
}

function shownTo({ call, shown, memory }: Session): ShownIds | ShownTips | undefined {
  if (call.service !== "git-upload-pack") return undefined;
  return call.mode === "duplex" ? shown : memory.shown;
}
