import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, stat } from "node:fs/promises";
import { systemCode } from "../errors.ts";

/** A name of {@link StoredFiles}. */
export type StoredFileName =
  | { readonly kind: "alternates" | "http-alternates" }
  | { readonly kind: "loose-object"; readonly id: string }
  | { readonly kind: "pack" | "pack-index"; readonly checksum: string };

/** A file below `objects`, open. Fits server-core's port of that name. */
export interface StoredFile {
  /** Unit: bytes. */
  readonly size: number;
  readonly stamp: string;
  /** Unit: milliseconds since 1970. */
  readonly modifiedMs: number;
  readonly read: (range: { readonly start: number; readonly end: number }) => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
}

/** Files below `objects` that clients of dumb transports read. Fits server-core's port of that name. */
export interface StoredFiles {
  readonly packs: () => Promise<readonly string[]>;
  readonly open: (name: StoredFileName) => Promise<StoredFile | undefined>;
}

const CHUNK = 64 * 1024;

/** Hexadecimal in lower case, as long as an id of either kind. */
const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** What there is not, and what is not a plain file in a plain directory. */
const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM"]);

/** The files of one object directory; symbolic links are not followed. Spec: gitrepository-layout, "objects". */
export function createStoredFiles(objectsDirectory: string): StoredFiles {
  return {
    packs: () => listPacks(`${objectsDirectory}/pack`),
    async open(name) {
      const place = placeOf(name);
      return place && openFile(`${objectsDirectory}/${place.directory}`, place.name);
    },
  };
}

/** `undefined` for what is no name: nothing else may become part of a path. */
function placeOf(name: StoredFileName): { readonly directory: string; readonly name: string } | undefined {
  switch (name.kind) {
    case "alternates":
    case "http-alternates":
      return { directory: "info", name: name.kind };
    case "loose-object":
      return ID.test(name.id) ? { directory: name.id.slice(0, 2), name: name.id.slice(2) } : undefined;
    case "pack":
    case "pack-index": {
      const ending = name.kind === "pack" ? "pack" : "idx";
      return ID.test(name.checksum)
        ? { directory: "pack", name: `pack-${name.checksum}.${ending}` }
        : undefined;
    }
  }
}

/** Those that are whole: the index of one is published last. */
async function listPacks(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return [];
  });
  const all = new Set(names);
  const found = await Promise.all(
    names.flatMap((name) => {
      const [, checksum] = /^pack-([0-9a-f]{40}|[0-9a-f]{64})\.pack$/.exec(name) ?? [];
      if (checksum === undefined || !all.has(`pack-${checksum}.idx`)) return [];
      return stat(`${directory}/${name}`).then(
        ({ mtimeMs }) => ({ checksum, mtimeMs }),
        () => undefined, // gone meanwhile
      );
    }),
  );
  const packs = found.filter((pack) => pack !== undefined);
  return packs.sort((a, b) => b.mtimeMs - a.mtimeMs).map(({ checksum }) => checksum);
}

async function openFile(directory: string, name: string): Promise<StoredFile | undefined> {
  let handle: FileHandle | undefined;
  try {
    if (!(await lstat(directory)).isDirectory()) return undefined;
    // A pipe does not hold the caller up.
    handle = await open(
      `${directory}/${name}`,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) {
      await handle.close();
      return undefined;
    }
    return openedFile(handle, {
      size: Number(stats.size),
      stamp: `${stats.ino.toString(16)}-${stats.size.toString(16)}-${stats.mtimeNs.toString(16)}`,
      modifiedMs: Number(stats.mtimeMs),
    });
  } catch (error) {
    await handle?.close();
    if (ABSENT.has(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

function openedFile(
  handle: FileHandle,
  about: Pick<StoredFile, "size" | "stamp" | "modifiedMs">,
): StoredFile {
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await handle.close();
  };
  return {
    ...about,
    close,
    async *read({ start, end }) {
      try {
        for (let at = start; at < end; ) {
          const buffer = new Uint8Array(Math.min(CHUNK, end - at));
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
          // What was promised cannot be kept: whoever reads must not take it for whole.
          if (bytesRead === 0) throw new Error("a file became shorter while it was sent");
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await close();
      }
    },
  };
}
