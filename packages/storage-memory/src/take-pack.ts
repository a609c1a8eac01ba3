import { ObjectsError, type PackReceipt, type TakePackOptions } from "@x/objects";
import {
  askRead,
  compareExisting,
  cpuAllowance,
  FsckWatch,
  hexOf,
  type IndexedPack,
  type ObjectTable,
  PackIndexer,
  type PackReader,
  type ReceivedPack,
} from "@x/pack";
import { GrowingBytes } from "./growing-bytes.ts";
import type { ObjectShelf } from "./object-shelf.ts";
import { PercentMeter } from "./percent-meter.ts";
import { SharedThread } from "./shared-thread.ts";

/** Delta bases and what is made of them lie nowhere but in memory here. Unit: bytes. */
const MAX_DELTA_OBJECT_BYTES = 128 * 1024 * 1024;

/** What came in, and what is known of it. */
export interface TakenPack {
  readonly receipt: PackReceipt;
  /** `undefined` for an empty pack: there is nothing to keep of it. */
  readonly pack: ReceivedPack | undefined;
}

/**
 * Takes one pack in while it arrives and puts it on `shelf`.
 * @param stored what is there already, on the store's own shelf and on this one
 * @param others what else takes up the room. Unit: bytes.
 * @throws PackError, ObjectsError; the reason of the signal
 */
export async function takePack(
  shelf: ObjectShelf,
  stored: () => ObjectTable,
  others: number,
  chunks: AsyncIterable<Uint8Array>,
  options: TakePackOptions,
): Promise<TakenPack> {
  const { fsck, mayBeThin = true, onMessage, onProgress, signal } = options;
  const { maxDeltaObjectBytes = MAX_DELTA_OBJECT_BYTES } = options.limits;
  const limits = {
    ...options.limits,
    maxDeltaObjectBytes: Math.min(maxDeltaObjectBytes, MAX_DELTA_OBJECT_BYTES),
  };
  const { format, tools } = shelf;
  if (fsck !== undefined && fsck.skipLists.length > 0)
    throw new ObjectsError("objects/bad-setting", `could not open object name list: ${fsck.skipLists[0]}`);
  const watch = fsck && new FsckWatch({ format, ...fsck, skip: undefined });
  const tell = (): void => {
    for (const text of watch?.takeLines() ?? []) onMessage?.(text);
  };
  const bytes = new GrowingBytes(shelf.limits.maxRepositoryBytes - shelf.bytes - others);
  const pace = new SharedThread(signal);
  const indexer = new PackIndexer({
    format,
    codec: tools.codec,
    limits,
    sink: bytes,
    source: bytes,
    createHasher: tools.createHasher,
    hashInto: tools.hashInto,
    crc32: tools.crc32,
    gatherReferences: true,
    ...(limits.maxTreeDepth === undefined ? {} : { maxTreeDepth: limits.maxTreeDepth }),
    inspect: watch?.inspect,
    checkpoint: () => pace.pause(),
  });
  pace.limit("receive.maxCpuMs", cpuAllowance(limits, indexer));
  try {
    await receive(indexer, chunks, {
      pace,
      tell,
      signal,
      meter: new PercentMeter("Receiving objects", onProgress),
    });
    const objects = stored();
    const meter = new PercentMeter("Resolving deltas", onProgress);
    const pack = await resolve(indexer, mayBeThin ? objects : undefined, { pace, tell, meter });
    const { receivedObjects, receivedBytes, trailingBytes } = indexer;
    const receipt = { objects: receivedObjects, bytes: receivedBytes, trailingBytes };
    if (pack.objects === 0) return { receipt, pack: undefined };
    bytes.trim();
    const { index, receivedEnd, outerReferences } = pack;
    let reader: PackReader | undefined;
    const openPack = (): PackReader => {
      reader ??= shelf.openPack(bytes, index);
      return reader;
    };
    await pace.run(compareExisting({ index, openPack, receivedEnd, stored: objects }));
    await watch?.finish({ index, openPack }, objects, pace);
    shelf.addPack(bytes, index, others);
    const packChecksum = hexOf(pack.packChecksum);
    const rows = outerReferences?.rows;
    return { receipt, pack: { packChecksum, count: receivedObjects, receivedEnd, outerReferences: rows } };
  } finally {
    tell();
  }
}

interface Company {
  readonly pace: SharedThread;
  readonly tell: () => void;
  readonly meter: PercentMeter;
}

async function receive(
  indexer: PackIndexer,
  chunks: AsyncIterable<Uint8Array>,
  { pace, tell, meter, signal }: Company & { readonly signal: AbortSignal | undefined },
): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    pace.pause();
    const step = await unlessAborted(iterator.next(), signal);
    pace.resume();
    // What is beyond the pack's end is not ours: the iteration is left as it is.
    if (step.done || indexer.feed(step.value)) return;
    tell();
    meter.show(indexer.receivedObjects, indexer.declaredObjects);
    await pace.breathe();
  }
}

/** @throws the reason of the signal, though what is waited for never comes */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** @param objects where bases are looked for that the pack lacks */
async function resolve(
  indexer: PackIndexer,
  objects: ObjectTable | undefined,
  { pace, tell, meter }: Company,
): Promise<IndexedPack> {
  const steps = indexer.finishSteps((rawId) => {
    const number = objects?.find(rawId, 0) ?? -1;
    return objects === undefined || number < 0 ? undefined : askRead(objects, objects.id(number));
  });
  for (;;) {
    const step = steps.next();
    if (step.done) {
      if (indexer.deltas > 0) meter.done(indexer.resolvedDeltas, indexer.deltas);
      return step.value;
    }
    tell();
    meter.show(indexer.resolvedDeltas, indexer.deltas);
    await pace.breathe();
  }
}
