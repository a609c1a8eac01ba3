import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { type ArchiveSource, makeArchive } from "@x/archive";
import type { ArchiveRef, ObjectId } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import type { ObjectTable } from "@x/pack";
import { fromBytePath } from "../disk/byte-path.ts";
import type { ArchiveArgs, StoreLocation } from "../pool/worker-protocol.ts";
import { findAlternates } from "./alternates.ts";
import type { Job } from "./job.ts";
import { createNodeGzip } from "./node-gzip.ts";

/** A larger file of attributes is passed over. Unit: bytes. */
const MAX_ATTRIBUTES_BYTES = 4 * 1024 * 1024;

/** Short ids have at least so many digits. As in C git. */
const MIN_DIGITS = 7;

/** Makes an archive; its bytes are the job's events. @throws ArchiveError, PackError, Aborted */
export async function createArchive(
  objects: ObjectTable,
  job: Job,
  location: StoreLocation,
  { request, repositoryAttributes, userAttributes }: ArchiveArgs,
): Promise<void> {
  job.limitCpu("maxArchiveCpuMs", request.limits?.maxCpuMs);
  const source: ArchiveSource = {
    format: objects.format,
    read(id) {
      const number = objects.findId(id);
      return number < 0 ? undefined : objects.read(number);
    },
    header(id) {
      const number = objects.findId(id);
      return number < 0 ? undefined : objects.header(number);
    },
    stream: (id) => objects.stream(objects.findId(id)),
    abbreviate: (id, least) => shortLength(objects, location, id, least),
    repositoryAttributes: readText(repositoryAttributes),
    userAttributes: userAttributes === undefined ? undefined : readText(userAttributes),
  };
  const tools = { createHasher: createNodeHasher, createGzip: createNodeGzip, umask: process.umask() };
  const steps = makeArchive(source, request, tools);
  let refs: readonly ArchiveRef[] | undefined;
  for (;;) {
    const step = steps.next(refs);
    if (step.done) return;
    refs = undefined;
    if (step.value?.kind === "refs") {
      await job.emit(step.value);
      refs = JSON.parse(new TextDecoder().decode(await job.nextChunk())) as ArchiveRef[];
    } else if (step.value !== undefined) await job.emit(step.value);
    await job.breathe();
  }
}

/** As many digits as tell the id from all others, packed and loose. Spec: git-config, `core.abbrev`. */
function shortLength(
  objects: ObjectTable,
  { objectsDirectory, alternates }: StoreLocation,
  id: ObjectId,
  least: number | undefined,
): number {
  const named = [objectsDirectory, ...alternates];
  const directories = [...new Set(named.flatMap((directory) => [directory, ...findAlternates(directory)]))];
  const namesIn = (part: string) => directories.flatMap((directory) => looseNames(directory, part));
  let shared = objects.sharedDigits(id);
  for (const name of namesIn(id.slice(0, 2))) {
    if (name === id.slice(2) || name.length !== id.length - 2) continue;
    let at = 0;
    while (name[at] === id[at + 2]) at++;
    shared = Math.max(shared, at + 2);
  }
  return Math.min(Math.max(least ?? usualDigits(objects, namesIn("17").length), shared + 1), id.length);
}

/** Half of the bits that number the objects, in hex digits. @param sample loose objects in one of 256 directories */
function usualDigits(objects: ObjectTable, sample: number): number {
  const count = objects.packedCount + sample * 256;
  const bits = count === 0 ? 1 : Math.floor(Math.log2(count)) + 1;
  return Math.max(Math.ceil(bits / 2), MIN_DIGITS);
}

function looseNames(directory: string, part: string): string[] {
  try {
    return readdirSync(`${directory}/${part}`);
  } catch {
    return []; // none begin with that
  }
}

/** A file with one character for each byte; `undefined` when there is none that can be read. */
function readText(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(fromBytePath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > MAX_ATTRIBUTES_BYTES) return undefined;
    return readFileSync(descriptor, "latin1");
  } finally {
    closeSync(descriptor);
  }
}
