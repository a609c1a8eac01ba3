import { statSync } from "node:fs";
import { ObjectTable, type ZlibCodec } from "@x/pack";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import { findAlternates } from "./alternates.ts";
import { CommitGraphs } from "./commit-graphs.ts";
import { type Generation, letGo } from "./generation.ts";
import { LooseFiles } from "./loose-files.ts";
import { listPacks, type PackFile, type PackFiles } from "./pack-files.ts";
import { RepackedObjects } from "./repacked-objects.ts";

/** A directory that changed less than this before it was read may change again without showing it. Unit: milliseconds. */
const RACY_MS = 50;

/** So long after a look at directories another one shows the same, or what came so late that it may as well be missed. Unit: milliseconds. */
const FRESH_MS = 5;

/**
 * So long after this thread has brought packs in, they are all listed again, whether a change shows or not. Longer than
 * {@link RACY_MS}. Unit: milliseconds.
 */
const SETTLE_MS = 500;

/** How often packs are listed anew when some of those listed are gone by the time they are opened. */
const MAX_SCANS = 5;

/** The objects of a repository as they were when it was asked for. What it holds stays readable until it is released. */
export interface Snapshot {
  readonly objects: ObjectTable;
  release(): void;
}

/**
 * The objects of one repository. Others may add packs and repack at any time: each snapshot begins with a look at the
 * directories, and what a snapshot misses is looked for in the packs that came later.
 */
export class ObjectDatabase {
  readonly #location: StoreLocation;
  readonly #codec: ZlibCodec;
  readonly #files: PackFiles;
  readonly #commitGraphs: CommitGraphs;
  #directories: readonly string[] = [];
  #latest: Generation | undefined;
  #stamp: string | undefined;
  /** A change after the look would show in the stamp. */
  #isProven = false;
  #scannedAt = Number.NEGATIVE_INFINITY;
  #settling: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param warn hears of what is broken but can be done without */
  constructor(
    location: StoreLocation,
    codec: ZlibCodec,
    files: PackFiles,
    warn: (message: string) => void = () => {},
  ) {
    this.#commitGraphs = new CommitGraphs(location, warn);
    this.#location = location;
    this.#codec = codec;
    this.#files = files;
  }

  /** @param rescan look again even where nothing seems to have changed */
  snapshot(rescan = false): Snapshot {
    const generation = this.#hold(rescan);
    const repacked = new RepackedObjects(generation, (isMissed) =>
      this.#hold(isMissed && this.#isTakenOnTrust()),
    );
    let held = true;
    return {
      objects: generation.packed.withLoose(repacked, () => this.#commitGraphs.open(this.#directories)),
      release: () => {
        if (!held) return;
        held = false;
        repacked.release();
        letGo(generation);
      },
    };
  }

  /** The packs there are now, to be {@link letGo}. */
  #hold(rescan: boolean): Generation {
    if (rescan || this.#latest === undefined || !this.#isCurrent()) this.#scan();
    const generation = this.#latest as Generation;
    generation.users++;
    if (this.#closed) this.close();
    return generation;
  }

  #isCurrent(): boolean {
    const isSound = this.#isProven || this.#isFresh() || this.#settling !== undefined;
    return isSound && this.#readStamp().stamp === this.#stamp;
  }

  #isFresh(): boolean {
    return performance.now() - this.#scannedAt < FRESH_MS;
  }

  /** Whether something may have come beside what this thread has put there. */
  #isTakenOnTrust(): boolean {
    return this.#settling !== undefined && !this.#isFresh();
  }

  /**
   * Prepares for a pack that this thread is about to bring into the store: when nothing else has come meanwhile, that
   * need not be found out from a list of all that is there. What others bring in the midst of it is seen a little
   * later, or when it is missed.
   * @returns to be called with the path of the pack, without suffix, when it is there; never throws
   */
  expectPack(): (path: string) => void {
    const before = this.#latest;
    if (before === undefined || this.#readStamp().stamp !== this.#stamp) return () => {};
    return (path) => {
      if (this.#closed || this.#latest !== before) return;
      try {
        const { stamp } = this.#readStamp();
        if (!before.paths.has(path) && !this.#add([path])) return;
        this.#stamp = stamp;
        this.#isProven = false;
        this.#settle();
      } catch {
        // A disk that fails: whoever asks next looks again, and hears of it.
      }
    };
  }

  /** This process has changed a directory, but no pack has come: shortly after {@link expectPack} that is not looked into. */
  overlookChange(): void {
    if (this.#settling === undefined) return;
    try {
      this.#stamp = this.#readStamp().stamp;
    } catch {
      this.#stamp = undefined;
    }
  }

  /** Until a change would show, what there is counts as known; then it is listed. */
  #settle(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      try {
        this.#scan();
        if (!this.#isProven) this.#settle();
      } catch {
        // Whoever asks next looks again, and hears of it.
      }
    }, SETTLE_MS).unref();
  }

  /** What the pack directories look like, and whether all later changes will show. */
  #readStamp(): { readonly stamp: string; readonly isProven: boolean } {
    const now = Date.now();
    let isProven = true;
    const stamps: string[] = [];
    for (const directory of this.#directories) {
      const found = statSync(`${directory}/pack`, { bigint: true, throwIfNoEntry: false });
      if (found !== undefined && now - Number(found.mtimeMs) < RACY_MS) isProven = false;
      stamps.push(found === undefined ? "" : `${found.ino}:${found.mtimeNs}`);
    }
    return { stamp: stamps.join(" "), isProven };
  }

  #scan(): void {
    const { objectsDirectory, alternates } = this.#location;
    const named = [objectsDirectory, ...alternates];
    this.#directories = [...new Set(named.flatMap((directory) => [directory, ...findAlternates(directory)]))];
    for (let scans = 1; ; scans++) {
      // Before the look: what changes after it has to show.
      const { stamp, isProven } = this.#readStamp();
      this.#stamp = stamp;
      this.#isProven = isProven;
      this.#scannedAt = performance.now();
      const paths = new Set(this.#directories.flatMap(listPacks));
      const before = this.#latest;
      if (before !== undefined && isSame(before.directories, this.#directories)) {
        const fresh = added(before.paths, paths);
        if (fresh !== undefined && (fresh.length === 0 || this.#add(fresh))) return;
      }
      const isWhole = this.#open(paths);
      if (before !== undefined) letGo(before);
      // A repack that took packs away had put others in their place before.
      if (isWhole || scans === MAX_SCANS) return;
    }
  }

  /** Opens packs beside the latest ones. @returns whether that went well; if not, nothing has changed */
  #add(paths: readonly string[]): boolean {
    const before = this.#latest as Generation;
    const { format, maxObjectBytes } = this.#location;
    // What snapshots look into stays as it is.
    if (before.users > 1) return false;
    const packs = new Map<string, PackFile>();
    let isWhole = false;
    try {
      const opened = paths.map((path) => {
        const pack = this.#files.open(path, format, maxObjectBytes);
        if (typeof pack === "object") packs.set(path, pack);
        return pack;
      });
      isWhole = !opened.includes("gone");
    } finally {
      if (!isWhole) for (const pack of packs.values()) pack.release();
    }
    if (!isWhole) return false;
    for (const path of paths) before.paths.add(path);
    for (const [path, pack] of packs) before.packs.set(path, pack);
    const readers = [...packs.values()].map(({ reader }) => reader);
    this.#latest = { ...before, packed: before.packed.grown(readers) };
    return true;
  }

  /** @returns whether all packs were still there */
  #open(paths: ReadonlySet<string>): boolean {
    const { format, maxObjectBytes } = this.#location;
    const packs = new Map<string, PackFile>();
    const present = new Set<string>();
    try {
      for (const path of paths) {
        const pack = this.#files.open(path, format, maxObjectBytes);
        if (pack !== "gone") present.add(path);
        if (typeof pack === "object") packs.set(path, pack);
      }
    } catch (error) {
      for (const pack of packs.values()) pack.release();
      throw error;
    }
    const readers = [...packs.values()].map((pack) => pack.reader);
    const loose = new LooseFiles(this.#directories, this.#codec, maxObjectBytes);
    const packed = new ObjectTable(format, readers, loose);
    const directories = this.#directories;
    this.#latest = { packed, packs, paths: present, directories, loose, users: 1 };
    return present.size === paths.size;
  }

  /** Opens the packs there are now, which then stay open for others that look into them as well. */
  keepOpen(): void {
    this.snapshot().release();
  }

  /** Lets go of everything but what snapshots hold. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#settling);
    if (this.#latest !== undefined) letGo(this.#latest);
    this.#latest = undefined;
  }
}

/** Those of `paths` that are not among `before`; `undefined` when some of these are gone. */
function added(before: ReadonlySet<string>, paths: ReadonlySet<string>): string[] | undefined {
  const fresh: string[] = [];
  for (const path of paths) if (!before.has(path)) fresh.push(path);
  return paths.size - fresh.length === before.size ? fresh : undefined;
}

function isSame(some: Iterable<string>, others: Iterable<string>): boolean {
  const left = new Set(others);
  for (const item of some) if (!left.delete(item)) return false;
  return left.size === 0;
}
