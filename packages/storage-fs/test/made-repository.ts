import { readFileSync } from "node:fs";
import { join } from "node:path";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, ObjectStore, PackEvent } from "@x/objects";
import { createFileObjectStore, type StoreLocation, type WorkerPool } from "../src/index.ts";

/** A bare repository with a history of `count` commits, each of which changes a file or two. */
export interface MadeRepository {
  readonly directory: string;
  readonly format: ObjectFormat;
  /** Oldest first; each has the one before it as a parent, every tenth one that of five before as well. */
  readonly commits: readonly ObjectId[];
  /** Annotated: of the tip, and of that tag. */
  readonly tags: readonly ObjectId[];
  git(...args: string[]): Promise<string>;
}

export const START_TIME = 1_600_000_000;

export async function makeRepository(
  format: ObjectFormat,
  count: number,
  options: { readonly blobBytes?: number } = {},
): Promise<MadeRepository> {
  const directory = temporaryDirectory("made");
  await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
  const marks = join(directory, "marks");
  const commands = Array.from({ length: count }, (_, i) => commitCommand(i, options.blobBytes ?? 200));
  await git(["fast-import", "--quiet", `--export-marks=${marks}`], {
    cwd: directory,
    input: commands.join(""),
  });
  const ids = new Map(
    readFileSync(marks, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.slice(1).split(" ") as [string, ObjectId])
      .map(([mark, id]) => [Number(mark), id]),
  );
  const run = (...args: string[]) => git(args, { cwd: directory });
  await run("tag", "-a", "-m", "one", "v1", "main");
  await run("tag", "-a", "-m", "two", "v2", "v1");
  const tags = (await run("rev-parse", "v1", "v2")).split("\n") as ObjectId[];
  const commits = Array.from({ length: count }, (_, i) => ids.get(i + 1) as ObjectId);
  return { directory, format, commits, tags, git: run };
}

function commitCommand(i: number, blobBytes: number): string {
  const data = digits(i, blobBytes);
  const parents = i === 0 ? "" : `from :${i}\n${i % 10 === 9 && i > 5 ? `merge :${i - 5}\n` : ""}`;
  return `commit refs/heads/main
mark :${i + 1}
committer C <c@example.com> ${START_TIME + i * 60} +0000
data 2
x
${parents}M 100644 inline dir${i % 5}/file${i % 13}
data ${data.length}
${data}
`;
}

/** Text that shrinks to no less than half. */
function digits(seed: number, length: number): string {
  let state = seed + 1;
  let text = `file ${seed}\n`;
  while (text.length < length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += `${state.toString(16)}\n`;
  }
  return text;
}

export function locationOf(
  directory: string,
  format: ObjectFormat,
  more: Partial<StoreLocation> = {},
): StoreLocation {
  return {
    format,
    objectsDirectory: join(directory, "objects"),
    alternates: [],
    shallowFile: join(directory, "shallow"),
    maxObjectBytes: 1 << 28,
    ...more,
  };
}

export function storeOf(
  pool: WorkerPool,
  { directory, format }: Pick<MadeRepository, "directory" | "format">,
): ObjectStore {
  return createFileObjectStore(pool, locationOf(directory, format));
}

/** The bytes of a pack that is being made. */
export async function bytesOf(events: AsyncIterable<PackEvent>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const event of events) if (event.kind === "bytes") chunks.push(event.bytes);
  return Buffer.concat(chunks);
}

/** A pack that git makes. */
export async function gitPack(
  directory: string,
  revisions: readonly string[],
  ...flags: readonly string[]
): Promise<Uint8Array> {
  const { status, stdout, stderr } = await tryGit(["pack-objects", "-q", "--revs", "--stdout", ...flags], {
    cwd: directory,
    input: `${revisions.join("\n")}\n`,
  });
  if (status !== 0) throw new Error(stderr);
  return Buffer.from(stdout, "latin1");
}

/** An empty bare repository. */
export async function emptyRepository(
  format: ObjectFormat,
): Promise<Pick<MadeRepository, "directory" | "format" | "git">> {
  const directory = temporaryDirectory("empty");
  await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
  return { directory, format, git: (...args) => git(args, { cwd: directory }) };
}

/** `bytes` in pieces of `size`. */
export async function* inPieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}
