import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { createNodeHasher } from "@x/objects/node";
import { type IndexedPack, type ObjectTable, PackIndexer, type ZlibCodec } from "@x/pack";
import { nodeCrc32, nodeHashInto } from "@x/pack/node";
import { syncsOf } from "../durability.ts";
import type { Operations, ReceivedPack, StoreLocation } from "../pool/worker-protocol.ts";
import { readFully } from "./file-source.ts";
import type { Job } from "./job.ts";
import type { ObjectDatabase } from "./object-database.ts";

/** What taking a pack in works with. */
export interface TakePackWork {
  /** The quarantine: the pack goes there, bases of a thin pack come from its alternates. */
  readonly location: StoreLocation;
  readonly database: ObjectDatabase;
  readonly codec: ZlibCodec;
  readonly job: Job;
}

/** Progress texts, at most so often. Unit: milliseconds. */
const PROGRESS_MS = 500;

/**
 * Writes a pack to disk while it arrives, then makes its index files, all of it synced before it is named.
 * @throws PackError, Aborted, or what the file system says; what was written is the quarantine's to clear away
 */
export async function takePack(
  work: TakePackWork,
  { limits, progress }: Operations["takePack"]["args"],
): Promise<Operations["takePack"]["result"]> {
  const { location, codec, job } = work;
  const directory = `${location.objectsDirectory}/pack`;
  const temporary = `${directory}/tmp_pack_incoming`;
  const file = new PackFileSink(temporary);
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
    });
    await receive(indexer, job, progress);
    const pack = await resolve(indexer, work, progress);
    // An empty pack says that nothing was missing. There is nothing to keep of it.
    if (pack.objects > 0)
      store(pack, file, directory, temporary, syncsOf(location.durability ?? "full").packs);
    const { receivedObjects: objects, receivedBytes: bytes, trailingBytes } = indexer;
    return { receipt: { objects, bytes, trailingBytes }, pack: describe(pack, objects) };
  } finally {
    file.close();
  }
}

async function receive(indexer: PackIndexer, job: Job, progress: boolean): Promise<void> {
  const meter = new Meter(job, progress, "Receiving objects");
  for (;;) {
    const chunk = await job.nextChunk();
    if (chunk === undefined || indexer.feed(chunk)) break;
    await meter.show(indexer.receivedObjects, indexer.declaredObjects);
    await job.breathe();
  }
}

async function resolve(indexer: PackIndexer, work: TakePackWork, progress: boolean): Promise<IndexedPack> {
  const snapshot = work.database.snapshot(true);
  const meter = new Meter(work.job, progress, "Resolving deltas");
  try {
    const steps = indexer.finishSteps((rawId) => findBase(snapshot.objects, rawId));
    for (;;) {
      const step = steps.next();
      if (step.done) {
        if (indexer.deltas > 0) await meter.done(indexer.resolvedDeltas, indexer.deltas);
        return step.value;
      }
      await meter.show(indexer.resolvedDeltas, indexer.deltas);
      await work.job.breathe();
    }
  } finally {
    snapshot.release();
  }
}

function findBase(objects: ObjectTable, rawId: Uint8Array): ReturnType<ObjectTable["read"]> | undefined {
  const number = objects.find(rawId, 0);
  if (number < 0) return undefined;
  const { type, data } = objects.read(number);
  return { type, data: data.slice() }; // the original holds until the next read only
}

function describe(pack: IndexedPack, count: number): ReceivedPack | undefined {
  if (pack.objects === 0) return undefined;
  const { receivedEnd, outerReferences } = pack;
  return {
    packChecksum: hex(pack.packChecksum),
    count,
    receivedEnd,
    outerReferences: outerReferences?.rows,
  };
}

function store(
  pack: IndexedPack,
  file: PackFileSink,
  directory: string,
  temporary: string,
  sync: boolean,
): void {
  const name = `${directory}/pack-${hex(pack.packChecksum)}`;
  if (sync) file.sync();
  writeNew(`${name}.rev`, pack.reverseIndexBytes, sync);
  writeNew(`${name}.idx`, pack.indexBytes, sync);
  renameSync(temporary, `${name}.pack`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function writeNew(path: string, bytes: Uint8Array, sync: boolean): void {
  const descriptor = openSync(path, "wx", 0o444);
  try {
    writeFully(descriptor, bytes, 0);
    if (sync) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeFully(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(descriptor, bytes, at, bytes.length - at, position + at);
}

/** The pack as it grows on disk, written and read back. */
class PackFileSink {
  readonly #descriptor: number;
  #open = true;
  size = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, "wx+", 0o444);
  }

  append(bytes: Uint8Array): void {
    writeFully(this.#descriptor, bytes, this.size);
    this.size += bytes.length;
  }

  patch(offset: number, bytes: Uint8Array): void {
    writeFully(this.#descriptor, bytes, offset);
  }

  read(offset: number, into: Uint8Array): number {
    return readFully(this.#descriptor, offset, into);
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }
}

/** Shows a percentage in C git's words. */
class Meter {
  readonly #job: Job;
  readonly #wanted: boolean;
  readonly #title: string;
  #shownAt = performance.now();

  constructor(job: Job, wanted: boolean, title: string) {
    this.#job = job;
    this.#wanted = wanted;
    this.#title = title;
  }

  async show(count: number, total: number): Promise<void> {
    const now = performance.now();
    if (!this.#wanted || now - this.#shownAt < PROGRESS_MS) return;
    this.#shownAt = now;
    await this.#say(count, total, "\r");
  }

  async done(count: number, total: number): Promise<void> {
    if (this.#wanted) await this.#say(count, total, ", done.\n");
  }

  async #say(count: number, total: number, end: string): Promise<void> {
    const percent = total === 0 ? 100 : Math.floor((count * 100) / total);
    const text = `${this.#title}: ${String(percent).padStart(3)}% (${count}/${total})${end}`;
    await this.#job.emit({ kind: "progress", text });
  }
}
