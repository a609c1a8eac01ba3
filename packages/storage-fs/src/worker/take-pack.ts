import { closeSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { createNodeHasher } from "@x/objects/node";
import {
  type ByteSource,
  compareExisting,
  cpuAllowance,
  DeltaBaseCache,
  FsckWatch,
  type IndexedPack,
  listReceived,
  type PackIndex,
  PackIndexer,
  PackReader,
  type ReceivedPack,
  SpillRoom,
  type ZlibCodec,
} from "@x/pack";
import { nodeCrc32, nodeHashInto } from "@x/pack/node";
import { syncsOf } from "../disk/durability.ts";
import type { HeldFiles, Operations, StoreLocation } from "../pool/worker-protocol.ts";
import { encodeReceived } from "../quarantine/received-objects.ts";
import { ArrivingTips } from "./arriving-tips.ts";
import { GrowingPack, heldSource } from "./growing-pack.ts";
import type { HeldPack } from "./held-packs.ts";
import type { Job } from "./job.ts";
import type { Snapshot } from "./object-database.ts";
import { PackFileSink, syncFile, writeNewFile } from "./pack-file-sink.ts";
import { PercentMeter } from "./percent-meter.ts";
import { readSkipLists } from "./skip-lists.ts";
import { SpillFiles } from "./spill-files.ts";
import { ThinBases } from "./thin-bases.ts";

/** What taking a pack in works with. */
export interface TakePackWork {
  /** The quarantine: the pack goes there, bases of a thin pack come from its alternates. */
  readonly location: StoreLocation;
  readonly codec: ZlibCodec;
  readonly job: Job;
  /**
   * What the store has, and the quarantine so far.
   * @param rescan look again even where nothing seems to have changed
   */
  snapshot(rescan?: boolean): Snapshot;
  /** Opens a pack that lies in memory. */
  openHeld(source: ByteSource, index: PackIndex): PackReader;
  /** Keeps a pack that came in until it is published. */
  hold(pack: HeldPack): void;
}

/** Of larger packs nobody is told beforehand what is in them. */
const MAX_TOLD_OBJECTS = 1000;

/** Delta bases kept while objects are compared with stored ones. Unit: bytes. */
const COMPARE_CACHE_BYTES = 16 * 1024 * 1024;

/**
 * Takes a pack in while it arrives, and makes its index files. A small one stays in memory; others are written to disk,
 * and all of it synced before it is named.
 * @throws PackError, Aborted, or what the file system says; what was written is the quarantine's to clear away
 */
export async function takePack(
  work: TakePackWork,
  { limits, progress, fsck, mayBeThin, tips, known }: Operations["takePack"]["args"],
): Promise<Operations["takePack"]["result"]> {
  const { location, codec, job } = work;
  const arriving = new ArrivingTips(job, tips, known);
  const directory = `${location.objectsDirectory}/pack`;
  const temporary = `${directory}/tmp_pack_incoming`;
  const watch = fsck && openWatch(fsck, location);
  const file = new GrowingPack(() => {
    if (!existsSync(directory)) {
      mkdirSync(location.objectsDirectory, { recursive: true, mode: 0o700 });
      mkdirSync(directory, { recursive: true });
    }
    return new PackFileSink(temporary);
  });
  const spills = new SpillFiles(location.objectsDirectory);
  const room = new SpillRoom(spills, { maxBytes: limits.maxSpillBytes });
  try {
    const indexer = new PackIndexer({
      format: location.format,
      codec,
      limits,
      sink: file,
      source: file,
      createHasher: createNodeHasher,
      hashInto: nodeHashInto,
      crc32: nodeCrc32,
      gatherReferences: true,
      ...(limits.maxTreeDepth === undefined ? {} : { maxTreeDepth: limits.maxTreeDepth }),
      inspect: watch?.inspect,
      checkpoint: () => job.checkCpu(),
      room,
    });
    job.limitCpu("receive.maxCpuMs", cpuAllowance(limits, indexer));
    await receive(indexer, work, watch, progress);
    await arriving.packIn();
    const { pack, connects } = await finish(indexer, work, watch, {
      file,
      room,
      progress,
      mayBeThin,
      arriving,
    });
    const { receivedObjects: objects, receivedBytes: bytes, trailingBytes } = indexer;
    const receipt = { objects, bytes, trailingBytes, connects };
    // An empty pack says that nothing was missing. There is nothing to keep of it.
    if (pack.objects === 0) return { receipt, pack: undefined, held: undefined };
    const held = file.held && hold(work, pack, file.held, objects);
    if (file.file !== undefined)
      await store(pack, file.file, directory, temporary, syncsOf(location.durability ?? "full").packs);
    return { receipt, pack: describe(pack, objects), held };
  } finally {
    file.close();
    room.close();
    spills.close();
    await tell(watch, job);
  }
}

/** @throws ObjectsError `objects/bad-setting` when a skip list cannot be read */
function openWatch(
  { severities, maxPathnameBytes, skipLists }: NonNullable<Operations["takePack"]["args"]["fsck"]>,
  location: StoreLocation,
): FsckWatch {
  const skip = readSkipLists(skipLists, location);
  return new FsckWatch({ format: location.format, severities, maxPathnameBytes, skip });
}

/** Tells the user what was found so far. */
async function tell(watch: FsckWatch | undefined, job: Job): Promise<void> {
  for (const text of watch?.takeLines() ?? []) await job.emit({ kind: "message", text });
}

async function receive(
  indexer: PackIndexer,
  { job }: TakePackWork,
  watch: FsckWatch | undefined,
  progress: boolean,
): Promise<void> {
  const meter = new PercentMeter(job, progress, "Receiving objects");
  for (;;) {
    const chunk = await job.nextChunk();
    if (chunk === undefined || indexer.feed(chunk)) break;
    await tell(watch, job);
    await meter.show(indexer.receivedObjects, indexer.declaredObjects);
    await job.breathe();
  }
}

interface Finish extends Pick<Operations["takePack"]["args"], "progress" | "mayBeThin"> {
  readonly arriving: ArrivingTips;
  readonly file: GrowingPack;
  readonly room: SpillRoom;
}

/** Resolves the deltas and looks at what only the whole pack shows. */
async function finish(
  indexer: PackIndexer,
  work: TakePackWork,
  watch: FsckWatch | undefined,
  { file, room, progress, mayBeThin, arriving }: Finish,
): Promise<{ readonly pack: IndexedPack; readonly connects?: boolean | undefined }> {
  const { job, codec, location } = work;
  const { objects, release } = work.snapshot();
  const bases = new ThinBases(objects, () => work.snapshot(true), room);
  try {
    const pack = await resolve(indexer, mayBeThin ? bases : undefined, job, watch, progress);
    if (pack.objects === 0) return { pack };
    const { index, receivedEnd } = pack;
    let reader: PackReader | undefined;
    // Mostly nobody asks, and its cache takes long to make.
    const openPack = (): PackReader => {
      if (reader !== undefined) return reader;
      const cache = new DeltaBaseCache(COMPARE_CACHE_BYTES);
      reader = new PackReader(file, index, { codec, cache, maxObjectBytes: location.maxObjectBytes });
      return reader;
    };
    await job.run(compareExisting({ index, openPack, receivedEnd, stored: objects, room }));
    await watch?.finish({ index, openPack, room }, objects, job);
    return { pack, connects: await arriving.connect(pack, objects, location) };
  } finally {
    bases.release();
    release();
  }
}

/** @param bases where bases are looked for that the pack lacks */
async function resolve(
  indexer: PackIndexer,
  bases: ThinBases | undefined,
  job: Job,
  watch: FsckWatch | undefined,
  progress: boolean,
): Promise<IndexedPack> {
  const meter = new PercentMeter(job, progress, "Resolving deltas");
  const steps = indexer.finishSteps((rawId) => bases?.find(rawId));
  for (;;) {
    const step = steps.next();
    if (step.done) {
      if (indexer.deltas > 0) await meter.done(indexer.resolvedDeltas, indexer.deltas);
      return step.value;
    }
    await tell(watch, job);
    await meter.show(indexer.resolvedDeltas, indexer.deltas);
    await job.breathe();
  }
}

/** @param count objects that came */
function hold(work: TakePackWork, pack: IndexedPack, packBytes: Uint8Array, count: number): HeldFiles {
  const { index, indexBytes, reverseIndexBytes } = pack;
  const files = {
    name: `pack-${hex(pack.packChecksum)}`,
    packBytes: new Uint8Array(packBytes), // less than what it grew in
    indexBytes,
    reverseIndexBytes,
  };
  const reader = work.openHeld(heldSource(files.packBytes), index);
  work.hold({ ...files, reader });
  const [rows] =
    count > MAX_TOLD_OBJECTS ? [] : listReceived({ packs: [reader] }, hex(pack.packChecksum), count);
  return { ...files, objects: rows && encodeReceived(rows, index.format) };
}

function describe(pack: IndexedPack, count: number): ReceivedPack {
  const { receivedEnd, outerReferences } = pack;
  return {
    packChecksum: hex(pack.packChecksum),
    count,
    receivedEnd,
    outerReferences: outerReferences?.rows,
  };
}

/** Waits for the disk once for all three files: they go in one journal commit, not one after the other. */
async function store(
  pack: IndexedPack,
  file: PackFileSink,
  directory: string,
  temporary: string,
  sync: boolean,
): Promise<void> {
  const name = `${directory}/pack-${hex(pack.packChecksum)}`;
  const written = await Promise.allSettled([
    sync ? file.sync() : undefined,
    writeNew(`${name}.rev`, pack.reverseIndexBytes, sync),
    writeNew(`${name}.idx`, pack.indexBytes, sync),
  ]);
  for (const result of written) if (result.status === "rejected") throw result.reason;
  renameSync(temporary, `${name}.pack`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

async function writeNew(path: string, bytes: Uint8Array, sync: boolean): Promise<void> {
  const descriptor = writeNewFile(path, bytes);
  try {
    if (sync) await syncFile(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
