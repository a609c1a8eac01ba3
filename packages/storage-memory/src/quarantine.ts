import { type ObjectId, objectIdFromBytes, type Quarantine, type ReceivedObject } from "@x/objects";
import { askRead, askUnconnected, listReceived, type ReceivedPack } from "@x/pack";
import { createReader } from "./object-reader.ts";
import { ObjectShelf } from "./object-shelf.ts";
import { portError, throughPort } from "./port-errors.ts";
import { SharedThread } from "./shared-thread.ts";
import { takePack } from "./take-pack.ts";

/** A push that inflates to more stays a pack. Unit: bytes. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

/** Opens a place for incoming objects in front of `store`. */
export function createQuarantine(store: ObjectShelf, shallow: () => readonly ObjectId[]): Quarantine {
  const { format, limits } = store;
  let own = new ObjectShelf(store);
  const packs: ReceivedPack[] = [];
  let maxTreeDepth: number | undefined;
  let unpackBelow = 0;
  let isPublished = false;
  const table = () => store.table(own);

  async function* received(signal?: AbortSignal): AsyncGenerator<readonly ReceivedObject[], void> {
    const pace = new SharedThread(signal);
    try {
      for (const { packChecksum, count } of packs)
        for (const rows of listReceived(table(), packChecksum, count)) {
          yield rows.map(({ rawId, type, size }) => ({ id: objectIdFromBytes(rawId, format), type, size }));
          await pace.breathe();
        }
    } catch (error) {
      throw portError(error, "reading", signal);
    }
  }

  /** @returns what came in, object by object, if that is little */
  const unpacked = async (): Promise<ObjectShelf | undefined> => {
    const ids: ObjectId[] = [];
    let bytes = 0;
    for await (const batch of received()) {
      for (const { size } of batch) bytes += size;
      ids.push(...batch.map(({ id }) => id));
      if (ids.length >= unpackBelow || bytes > MAX_UNPACKED_BYTES) return undefined;
    }
    const shelf = new ObjectShelf(store);
    const objects = table();
    for (const id of [...own.loose.keys(), ...ids]) {
      const object = askRead(objects, id);
      if (object === undefined) return undefined;
      shelf.add(object.type, object.data, store.bytes);
    }
    return shelf;
  };

  return {
    ...createReader({ table, shallow, limits }),
    takePack: (chunks, options) =>
      throughPort(
        async () => {
          maxTreeDepth = options.limits.maxTreeDepth;
          unpackBelow = options.unpackBelow ?? 0;
          const { receipt, pack } = await takePack(own, table, store.bytes, chunks, options);
          if (pack !== undefined) packs.push(pack);
          return receipt;
        },
        options,
        "taking",
      ),
    received: (options) => received(options?.signal),
    writeObject: (type, data) => throughPort(() => own.add(type, data.slice(), store.bytes), undefined),
    unconnected: (tips, known, options) =>
      throughPort(() => {
        const pace = new SharedThread(options?.signal, { name: "maxCheckMs", maxMs: limits.maxCheckMs });
        const clientShallow = options?.clientShallow ?? [];
        return askUnconnected(
          { objects: table(), pace, shallow: shallow() },
          { tips, known, clientShallow, packs, maxTreeDepth },
        );
      }, options),
    publish: () =>
      throughPort(async () => {
        const few = unpackBelow > 0 && packs.length > 0 ? await unpacked() : undefined;
        store.absorb(few ?? own);
        isPublished = true;
        own = new ObjectShelf(store);
      }, undefined),
    async discard() {
      if (!isPublished) own = new ObjectShelf(store);
    },
  };
}
