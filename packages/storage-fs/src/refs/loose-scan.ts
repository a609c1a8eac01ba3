import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import type { ObjectFormat } from "@x/objects";
import {
  compareNames,
  isSafeRefName,
  isSymbolicTarget,
  isValidRefName,
  parseLooseRef,
  prefixesReach,
  RefsError,
  startsWithAny,
} from "@x/refs";
import { fromBytePath } from "../disk/byte-path.ts";
import { systemCode } from "../errors.ts";
import { MAX_LOOSE_REF_BYTES, PER_WORKTREE } from "./ref-files.ts";

/** Where loose refs are looked for; byte paths. */
export interface LooseScanRequest {
  readonly gitDirectory: string;
  readonly commonDirectory: string;
  readonly format: ObjectFormat;
  /** As `minimalPrefixes` gives them. */
  readonly prefixes: readonly string[];
  /** The {@link LooseScan.serial} of the last answer to the same request. */
  readonly known: string | undefined;
}

/** The loose refs at one time. */
export interface LooseScan {
  /** The same as before: nothing has changed. */
  readonly serial: string;
  /**
   * A line `<id> <name>`, `ref: <target> <name>` or, for what is broken, `broken <name>`, in byte order of names; absent
   * when nothing has changed.
   */
  readonly lines: string | undefined;
  /** Files and directories that were looked at. */
  readonly looks: number;
  /** What was passed over, and why. */
  readonly warnings: readonly string[];
}

/** A change this shortly before a file was read may be followed by one that its times do not show. Unit: milliseconds. */
const RACY_MS = 2000;
/** Files that are remembered, all repositories together; of further ones every listing reads the bytes. */
const MAX_KNOWN_FILES = 200_000;
/** Answers that are remembered. */
const MAX_ANSWERS = 32;
const MAX_WARNINGS = 1000;
/** Directories in directories. A name has few; the file system may be made to have many. */
const MAX_DEPTH = 1024;

interface KnownFile {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** What its line starts with; `undefined` when it is no ref. */
  readonly value: string | undefined;
}

/**
 * Reads loose refs, and remembers files that have not changed by their times, as far as these prove it: then a listing
 * costs one look at each file. For a thread that may wait for a disk.
 */
export class LooseScanner {
  readonly #files = new Map<string, KnownFile>();
  readonly #answers = new Map<string, { readonly serial: string; readonly lines: string }>();
  readonly #epoch: string = Math.random().toString(36).slice(2);
  readonly #buffer = Buffer.allocUnsafe(MAX_LOOSE_REF_BYTES + 1);
  #count = 0;

  /** @param breathe is called for every file @throws RefsError `refs/malformed`, or what the system says */
  async scan(request: LooseScanRequest, breathe: () => Promise<void> | undefined): Promise<LooseScan> {
    let looks = 0;
    const found: { name: string; value: string }[] = [];
    const warnings: string[] = [];
    const warn = (text: string) => {
      if (warnings.length < MAX_WARNINGS) warnings.push(text);
    };
    const { prefixes, gitDirectory, commonDirectory } = request;
    const directories = ["refs/"];
    if (gitDirectory !== commonDirectory) directories.push(...PER_WORKTREE);
    for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
      const isOwn = PER_WORKTREE.some((prefix) => directory?.startsWith(prefix));
      const base = `${isOwn ? gitDirectory : commonDirectory}/`;
      for (const entry of entriesOf(base + directory)) {
        if (entry.startsWith(".") || entry.endsWith(".lock")) continue;
        const name = directory + entry;
        const below = prefixesReach(prefixes, `${name}/`);
        if (!below && !startsWithAny(prefixes, name)) continue;
        const pause = breathe();
        if (pause !== undefined) await pause;
        looks++;
        const stats = lstatSync(fromBytePath(base + name), { throwIfNoEntry: false });
        if (stats === undefined) continue;
        if (stats.isDirectory()) {
          const isElsewhere =
            gitDirectory !== commonDirectory && PER_WORKTREE.some((own) => own === `${name}/`);
          if (below && !isElsewhere && name.split("/").length < MAX_DEPTH) directories.push(`${name}/`);
        } else if (startsWithAny(prefixes, name) && (stats.isFile() || stats.isSymbolicLink())) {
          if (!isValidRefName(name)) {
            if (!isSafeRefName(name)) throw new RefsError("refs/malformed", `refname is dangerous: ${name}`);
            warn(`ignoring ref with broken name ${name}`);
            continue;
          }
          const value = this.#valueOf(base + name, stats, request.format);
          if (value === "gone") continue;
          if (value === undefined) warn(`ignoring broken ref ${name}`);
          found.push({ name, value: value ?? "broken" });
        }
      }
    }
    found.sort((a, b) => compareNames(a.name, b.name));
    const lines = found.map(({ name, value }) => `${value} ${name}\n`).join("");
    return { ...this.#answer(request, lines), looks, warnings };
  }

  #answer(request: LooseScanRequest, lines: string): Pick<LooseScan, "serial" | "lines"> {
    const { gitDirectory, commonDirectory, prefixes } = request;
    const key = JSON.stringify([gitDirectory, commonDirectory, prefixes]);
    const before = this.#answers.get(key);
    const serial = before?.lines === lines ? before.serial : `${this.#epoch}-${this.#count++}`;
    this.#answers.delete(key);
    this.#answers.set(key, { serial, lines });
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_ANSWERS) break;
      this.#answers.delete(oldest);
    }
    return { serial, lines: serial === request.known ? undefined : lines };
  }

  #valueOf(path: string, stats: Stats, format: ObjectFormat): string | undefined | "gone" {
    const known = this.#files.get(path);
    if (
      known?.ino === stats.ino &&
      known.size === stats.size &&
      known.mtimeMs === stats.mtimeMs &&
      known.ctimeMs === stats.ctimeMs
    )
      return known.value;
    this.#files.delete(path);
    const now = Date.now();
    const value = stats.isSymbolicLink() ? linkValue(path) : this.#fileValue(path, format);
    const isRacy = Math.max(stats.mtimeMs, stats.ctimeMs) >= now - RACY_MS;
    if (isRacy || value === "gone") return value;
    // Anything that has changed since the look at its times would be taken for what those times stand for.
    const after = lstatSync(fromBytePath(path), { throwIfNoEntry: false });
    if (after?.ino !== stats.ino || after.mtimeMs !== stats.mtimeMs || after.ctimeMs !== stats.ctimeMs)
      return value;
    if (this.#files.size >= MAX_KNOWN_FILES) this.#files.clear();
    const { ino, size, mtimeMs, ctimeMs } = stats;
    this.#files.set(path, { ino, size, mtimeMs, ctimeMs, value });
    return value;
  }

  #fileValue(path: string, format: ObjectFormat): string | undefined | "gone" {
    let fd: number;
    try {
      fd = openSync(fromBytePath(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return "gone";
      if (code === "ELOOP" || code === "EMLINK") return linkValue(path);
      throw error;
    }
    let length = 0;
    try {
      for (let read = -1; read !== 0 && length < this.#buffer.length; length += read)
        read = readSync(fd, this.#buffer, length, this.#buffer.length - length, null);
    } catch (error) {
      if (systemCode(error) === "EISDIR") return "gone";
      throw error;
    } finally {
      closeSync(fd);
    }
    if (length > MAX_LOOSE_REF_BYTES) return undefined;
    const target = parseLooseRef(this.#buffer.subarray(0, length), format);
    return target && (target.kind === "id" ? target.id : `ref: ${target.name}`);
  }
}

/** A symlink is a symbolic ref when its target is a ref name, and never followed. */
function linkValue(path: string): string | undefined {
  const target = readlinkSync(fromBytePath(path), { encoding: "latin1" });
  return isSymbolicTarget(target) ? `ref: ${target}` : undefined;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(fromBytePath(directory), { encoding: "latin1" });
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
