import { existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import type { ObjectFormat } from "@x/objects";
import { type ByteSource, DeltaBaseCache, PackError, PackIndex, PackReader, type ZlibCodec } from "@x/pack";
import { systemCode } from "../errors.ts";
import { isIncoming } from "../journal/sweep-objects.ts";
import { closeQuietly } from "./close-quietly.ts";
import { DiskBitmapFile } from "./disk-bitmap-file.ts";
import { fileSource } from "./file-source.ts";

/** Delta bases that one worker keeps in memory. Unit: bytes. */
const DELTA_CACHE_BYTES = 32 * 1024 * 1024;

/** A pack and its open file, which stays readable when C git has deleted it meanwhile. Each `open` asks for one `release`. */
export interface PackFile {
  readonly reader: PackReader;
  release(): void;
}

/**
 * How long a pack that nobody uses stays open: each push begins and ends with a look at all packs. Unit: milliseconds.
 */
const IDLE_MS = 5000;
/** Packs that stay open so. */
const MAX_IDLE_PACKS = 256;
/** No larger index is kept for that. Unit: bytes. */
const MAX_IDLE_INDEX_BYTES = 256 * 1024;

interface SharedPack {
  readonly indexBytes: number;
  readonly reader: PackReader;
  readonly descriptor: number;
  readonly bitmapFile: DiskBitmapFile;
  users: number;
}

/** The packs that a worker has open, each once, however many repositories and quarantines look into it. */
export class PackFiles {
  readonly #codec: ZlibCodec;
  readonly #cache = new DeltaBaseCache(DELTA_CACHE_BYTES);
  readonly #open: Map<string, SharedPack> = new Map();
  readonly #warn: (message: string) => void;
  /** Those that nobody uses, the latest last, and since when. */
  readonly #idle: Map<string, number> = new Map();
  #timer: NodeJS.Timeout | undefined;

  /** @param warn hears of what is broken but can be done without */
  constructor(codec: ZlibCodec, warn: (message: string) => void = () => {}) {
    this.#codec = codec;
    this.#warn = warn;
  }

  /**
   * Opens the pack at `path` (without suffix).
   * @param maxObjectBytes no larger object is put together. Unit: bytes.
   * @returns `"gone"` when somebody took it away, `"broken"` when it is none: what it alone holds is then missing
   * @throws what the system says, for example when too many files are open
   */
  open(path: string, format: ObjectFormat, maxObjectBytes: number): PackFile | "gone" | "broken" {
    let pack: SharedPack | undefined;
    try {
      pack = this.#open.get(path) ?? this.#read(path, format, maxObjectBytes);
    } catch (error) {
      if (error instanceof PackError) return "broken";
      const code = systemCode(error);
      if (code === "ENOENT" || code === "ESTALE") return "gone";
      throw error;
    }
    const shared = pack;
    shared.users++;
    this.#idle.delete(path);
    this.#open.set(path, shared);
    return { reader: shared.reader, release: () => this.#release(path, shared) };
  }

  /** Opens a pack that lies elsewhere, to be read as long as anybody likes. @throws PackError */
  openApart(source: ByteSource, index: PackIndex, maxObjectBytes: number): PackReader {
    return new PackReader(source, index, {
      codec: this.#codec,
      cache: this.#cache,
      maxObjectBytes,
      maxWindows: 4,
    });
  }

  #read(path: string, format: ObjectFormat, maxObjectBytes: number): SharedPack {
    const indexFile = readFileSync(`${path}.idx`);
    const index = new PackIndex(indexFile, format);
    const descriptor = openSync(`${path}.pack`, "r");
    try {
      const bitmapFile = new DiskBitmapFile(path, this.#warn);
      const options = { codec: this.#codec, cache: this.#cache, maxObjectBytes, bitmapFile };
      const reader = new PackReader(fileSource(descriptor), index, options);
      return { reader, descriptor, bitmapFile, users: 0, indexBytes: indexFile.length };
    } catch (error) {
      closeQuietly(descriptor);
      throw error;
    }
  }

  #release(path: string, pack: SharedPack): void {
    if (--pack.users > 0) return;
    const isToStay =
      pack.indexBytes <= MAX_IDLE_INDEX_BYTES &&
      this.#open.get(path) === pack &&
      !isIncoming(path) &&
      existsSync(`${path}.pack`);
    if (!isToStay) {
      this.#close(path, pack);
      return;
    }
    this.#idle.set(path, performance.now());
    for (const oldest of this.#idle.keys()) {
      if (this.#idle.size <= MAX_IDLE_PACKS) break;
      this.#closeIdle(oldest);
    }
    this.#timer ??= setTimeout(() => this.#closeLongIdle(), IDLE_MS).unref();
  }

  #closeLongIdle(): void {
    this.#timer = undefined;
    const until = performance.now() - IDLE_MS;
    for (const [path, since] of this.#idle) {
      if (since > until) {
        this.#timer = setTimeout(() => this.#closeLongIdle(), since - until).unref();
        return;
      }
      this.#closeIdle(path);
    }
  }

  #closeIdle(path: string): void {
    this.#idle.delete(path);
    const pack = this.#open.get(path);
    if (pack !== undefined) this.#close(path, pack);
  }

  #close(path: string, pack: SharedPack): void {
    closeQuietly(pack.descriptor);
    pack.bitmapFile.close();
    if (this.#open.get(path) === pack) this.#open.delete(path);
  }

  /** Closes what nobody uses. */
  close(): void {
    clearTimeout(this.#timer);
    for (const path of [...this.#idle.keys()]) this.#closeIdle(path);
  }
}

/** The paths, without suffix, of the packs in an object directory that have their index beside them. */
export function listPacks(objectsDirectory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(`${objectsDirectory}/pack`);
  } catch {
    return []; // no directory, no packs
  }
  const present = new Set(names);
  return names
    .filter((name) => name.startsWith("pack-") && name.endsWith(".idx"))
    .map((name) => name.slice(0, -".idx".length))
    .filter((name) => present.has(`${name}.pack`))
    .map((name) => `${objectsDirectory}/pack/${name}`);
}
