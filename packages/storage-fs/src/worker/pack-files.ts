import { openSync, readdirSync, readFileSync } from "node:fs";
import type { ObjectFormat } from "@x/objects";
import { DeltaBaseCache, PackError, PackIndex, PackReader, type ZlibCodec } from "@x/pack";
import { systemCode } from "../errors.ts";
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

interface SharedPack {
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
    this.#open.set(path, shared);
    return { reader: shared.reader, release: () => this.#release(path, shared) };
  }

  #read(path: string, format: ObjectFormat, maxObjectBytes: number): SharedPack {
    const index = new PackIndex(readFileSync(`${path}.idx`), format);
    const descriptor = openSync(`${path}.pack`, "r");
    try {
      const bitmapFile = new DiskBitmapFile(path, this.#warn);
      const options = { codec: this.#codec, cache: this.#cache, maxObjectBytes, bitmapFile };
      const reader = new PackReader(fileSource(descriptor), index, options);
      return { reader, descriptor, bitmapFile, users: 0 };
    } catch (error) {
      closeQuietly(descriptor);
      throw error;
    }
  }

  #release(path: string, pack: SharedPack): void {
    if (--pack.users > 0) return;
    closeQuietly(pack.descriptor);
    pack.bitmapFile.close();
    if (this.#open.get(path) === pack) this.#open.delete(path);
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
