import { type BigIntStats, statSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { setImmediate as letOthersRun } from "node:timers/promises";
import type { ObjectFormat } from "@x/objects";
import { emptyPackedRefs, type PackedRefs, parsePackedRefsInSteps, RefsError } from "@x/refs";
import { fromBytePath } from "../disk/byte-path.ts";
import { QuickLook } from "../disk/quick-look.ts";
import { systemCode } from "../errors.ts";
import type { MemoryBudget } from "../memory-budget.ts";

/** The longest string V8 makes, less a little: about eight million refs. Unit: bytes. */
const MAX_PACKED_REFS_BYTES = 500_000_000;

/**
 * A file changed this shortly before it was read may change again without its times showing it: file systems count
 * in steps of up to two seconds. Unit: milliseconds.
 */
const RACY_MS = 2000;

interface Loaded {
  readonly stats: BigIntStats;
  readonly refs: PackedRefs;
  /** Kept while the times prove nothing, to compare instead of parsing again. */
  readonly racyBytes: Buffer | undefined;
}

/** A repository's packed-refs file, parsed again only when it has changed. */
export class PackedRefsFile {
  readonly path: string;
  readonly #format: ObjectFormat;
  readonly #warn: (message: string) => void;
  readonly #memory: MemoryBudget | undefined;
  readonly #none: PackedRefs;
  #loaded: Loaded | undefined;
  #last: PackedRefs | undefined;
  #serial = 0;
  readonly #quick = new QuickLook();

  /** `path` is a byte path; what is read is kept as long as `memory` has room, or for good. */
  constructor(path: string, format: ObjectFormat, warn: (message: string) => void, memory?: MemoryBudget) {
    this.path = path;
    this.#memory = memory;
    this.#none = emptyPackedRefs(format);
    this.#format = format;
    this.#warn = warn;
  }

  /** Changes with what {@link read} gives. @throws RefsError `refs/malformed` */
  async serial(): Promise<number> {
    const refs = await this.read();
    if (refs !== this.#last) {
      this.#last = refs;
      this.#serial++;
    }
    return this.#serial;
  }

  /** What the file says now, or said at some time after the call. @throws RefsError `refs/malformed` */
  async read(): Promise<PackedRefs> {
    const known = this.#loaded;
    if (known === undefined || known.racyBytes === undefined) {
      const path = fromBytePath(this.path);
      const stats = await this.#quick.look(
        () => statSync(path, { bigint: true, throwIfNoEntry: false }),
        () => stat(path, { bigint: true }).catch(absent),
      );
      if (stats === undefined) return this.#forget();
      if (known !== undefined && isSameFile(stats, known.stats)) {
        this.#memory?.touch(this);
        return known.refs;
      }
    }
    const file = await open(fromBytePath(this.path), "r").catch(absent);
    if (file === undefined) return this.#forget();
    try {
      const loaded = await this.#load(file, known);
      this.#loaded = loaded;
      this.#memory?.keep(this, Number(loaded.stats.size), () => {
        this.#loaded = undefined;
        this.#last = undefined;
      });
      return loaded.refs;
    } finally {
      await file.close();
    }
  }

  #forget(): PackedRefs {
    this.#loaded = undefined;
    this.#memory?.release(this);
    return this.#none;
  }

  async #load(file: FileHandle, known: Loaded | undefined): Promise<Loaded> {
    const racySince = Date.now() - RACY_MS;
    const stats = await file.stat({ bigint: true });
    if (stats.size > MAX_PACKED_REFS_BYTES)
      throw new RefsError("refs/malformed", `packed-refs is larger than ${MAX_PACKED_REFS_BYTES} bytes`);
    const bytes = await file.readFile();
    const racyBytes = Number(stats.mtimeMs) >= racySince ? bytes : undefined;
    if (known?.racyBytes?.equals(bytes)) return { stats, refs: known.refs, racyBytes };
    const steps = parsePackedRefsInSteps(bytes, this.#format);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) {
        for (const name of step.value.badNames()) this.#warn(`ignoring ref with broken name ${name}`);
        return { stats, refs: step.value, racyBytes };
      }
      await letOthersRun();
    }
  }
}

function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}

function absent(error: unknown): undefined {
  if (systemCode(error) === "ENOENT") return undefined;
  throw error;
}
