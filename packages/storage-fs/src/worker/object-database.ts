import { statSync } from "node:fs";
import { ObjectTable, type ZlibCodec } from "@x/pack";
import type { StoreLocation } from "../worker-protocol.ts";
import { findAlternates } from "./alternates.ts";
import { LooseFiles } from "./loose-files.ts";
import { listPacks, type PackFile, type PackFiles } from "./pack-files.ts";

/** A directory that changed less than this before it was read may change again without showing it. Unit: milliseconds. */
const RACY_MS = 50;

/** The objects of a repository as they were when it was asked for. What it holds stays readable until it is released. */
export interface Snapshot {
  readonly objects: ObjectTable;
  release(): void;
}

/** A set of packs in use: by the database while it is the latest, and by snapshots. */
interface Generation {
  readonly objects: ObjectTable;
  readonly packs: ReadonlyMap<string, PackFile>;
  users: number;
}

/**
 * The objects of one repository. Others may add packs and repack at any time: each snapshot begins with a look at the
 * directories.
 */
export class ObjectDatabase {
  readonly #location: StoreLocation;
  readonly #codec: ZlibCodec;
  readonly #files: PackFiles;
  #directories: readonly string[] = [];
  #latest: Generation | undefined;
  #stamp: string | undefined;

  constructor(location: StoreLocation, codec: ZlibCodec, files: PackFiles) {
    this.#location = location;
    this.#codec = codec;
    this.#files = files;
  }

  /** @param rescan look again even where nothing seems to have changed */
  snapshot(rescan = false): Snapshot {
    const stamp = this.#readStamp();
    if (rescan || this.#latest === undefined || stamp === undefined || stamp !== this.#stamp) {
      this.#scan();
      this.#stamp = this.#readStamp();
    }
    const generation = this.#latest as Generation;
    generation.users++;
    let held = true;
    return {
      objects: generation.objects,
      release: () => {
        if (held) letGo(generation);
        held = false;
      },
    };
  }

  /** What the pack directories look like; `undefined` when that cannot be trusted. */
  #readStamp(): string | undefined {
    const now = Date.now();
    const stamps: string[] = [];
    for (const directory of this.#directories) {
      const found = statSync(`${directory}/pack`, { bigint: true, throwIfNoEntry: false });
      if (found !== undefined && now - Number(found.mtimeMs) < RACY_MS) return undefined;
      stamps.push(found === undefined ? "" : `${found.ino}:${found.mtimeNs}`);
    }
    return stamps.join(" ");
  }

  #scan(): void {
    const { objectsDirectory, alternates, format, maxObjectBytes } = this.#location;
    const named = [objectsDirectory, ...alternates];
    this.#directories = [...new Set(named.flatMap((directory) => [directory, ...findAlternates(directory)]))];
    const paths = new Set(this.#directories.flatMap(listPacks));
    const before = this.#latest;
    if (
      before !== undefined &&
      before.packs.size === paths.size &&
      [...paths].every((path) => before.packs.has(path))
    )
      return;
    const packs = new Map<string, PackFile>();
    for (const path of paths) {
      const pack = this.#files.open(path, format, maxObjectBytes);
      if (pack !== undefined) packs.set(path, pack);
    }
    const readers = [...packs.values()].map((pack) => pack.reader);
    const loose = new LooseFiles(this.#directories, this.#codec, maxObjectBytes);
    this.#latest = { objects: new ObjectTable(format, readers, loose), packs, users: 1 };
    if (before !== undefined) letGo(before);
  }

  /** Lets go of everything but what snapshots hold. */
  close(): void {
    if (this.#latest !== undefined) letGo(this.#latest);
    this.#latest = undefined;
  }
}

function letGo(generation: Generation): void {
  if (--generation.users > 0) return;
  for (const pack of generation.packs.values()) pack.release();
}
