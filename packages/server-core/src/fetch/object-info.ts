import { type ObjectId, parseObjectId } from "@x/objects";
import { flush, lineText, PacketBatch } from "@x/pktline";
import { limitExceeded, protocolError, quote, type Session } from "../session.ts";
import { readArguments, type V2Command } from "./v2-command.ts";
import { forbiddenObjects } from "./wants.ts";

interface Questions {
  readonly ids: readonly ObjectId[];
  readonly size: boolean;
}

/**
 * The v2 command that tells the size of objects without sending them. An object that the client could not fetch is
 * unknown to it. Spec: gitprotocol-v2, "object-info".
 */
export async function* objectInfo(
  session: Session,
  command: V2Command,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { ids, size } = await readQuestions(session, command);
  const batch = new PacketBatch();
  if (ids.length > 0) {
    if (size) batch.add("size");
    const sizes = await visibleSizes(session, ids);
    for (const id of ids) {
      const known = sizes.get(id);
      const full = batch.add(known === undefined ? `${id} ` : size ? `${id} ${known}` : id);
      if (full !== undefined) yield full;
    }
  }
  const full = batch.add(flush);
  if (full !== undefined) yield full;
  const last = batch.take();
  if (last !== undefined) yield last;
}

async function visibleSizes(session: Session, ids: readonly ObjectId[]): Promise<Map<ObjectId, number>> {
  const distinct = [...new Set(ids)];
  const headers = await session.repository.objects.headers(distinct, { signal: session.signal });
  const forbidden = await forbiddenObjects(session, distinct);
  const sizes = new Map<ObjectId, number>();
  for (const [i, id] of distinct.entries()) {
    const header = headers[i];
    if (header !== undefined && !forbidden.has(id)) sizes.set(id, header.size);
  }
  return sizes;
}

async function readQuestions(session: Session, command: V2Command): Promise<Questions> {
  const { repository, limits } = session;
  const ids: ObjectId[] = [];
  let size = false;
  for await (const payloads of readArguments(session, command))
    for (const payload of payloads) {
      const line = lineText(payload);
      if (line === "size") size = true;
      else if (line.startsWith("oid ")) {
        const id = parseObjectId(line.slice(4), repository.objectFormat);
        if (id === undefined)
          throw protocolError(
            `object-info: protocol error, expected to get oid, not ${quote(line.slice(4))}`,
          );
        if (ids.push(id) > limits.maxObjectInfos)
          throw limitExceeded("maxObjectInfos", limits.maxObjectInfos);
      } else throw protocolError(`object-info: unexpected line: ${quote(line)}`);
    }
  return { ids, size };
}
