import type { PathLike } from "node:fs";
import { lstat, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { fromBytePath } from "../disk/byte-path.ts";
import { syncDirectories, writeWhole } from "../disk/lock-file.ts";
import { readdir } from "../disk/quick-files.ts";
import { type SharedAccess, share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import { type Draft, writeDraft } from "./draft.ts";
import { formatEntry, type JournalEntry, NOBODY, newTag, parseEntry } from "./journal-entry.ts";
import { isDead, ownProcessName } from "./process-name.ts";

/** Where the journal lies in the common directory. C git looks at no directory of that name, nor do copies of `objects` take it along. */
const JOURNAL_DIRECTORY = "xgit-journal";

/** What systems say where no journal can be. */
const CLOSED: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR"]);

/** A record of what is to be done as a whole. */
export interface Intent {
  readonly text: string;
  /** It is done, or will never be. Waits until that has reached the disk, if the journal does. */
  drop(): Promise<void>;
  /** Leaves it to whoever looks next. */
  abandon(): Promise<void>;
}

/**
 * What this process has begun in a repository, for those who come after it should it die: which locks are its own, and
 * which refs are to change together. A lock is made as a second name of a file here, so that it is told from any other
 * lock by being that file; it is removed only when the process that made it has surely ended.
 */
export class Journal {
  readonly #commonDirectory: string;
  readonly #directory: string;
  readonly #sync: boolean;
  readonly #access: SharedAccess | undefined;
  #isClosed = false;

  /**
   * @param commonDirectory a byte path
   * @param sync wait until what is written has reached the disk
   * @param access what others may do with what is made, locks too
   */
  constructor(commonDirectory: string, sync: boolean, access?: SharedAccess) {
    this.#access = access;
    this.#commonDirectory = commonDirectory;
    this.#directory = `${commonDirectory}/${JOURNAL_DIRECTORY}`;
    this.#sync = sync;
  }

  /** Writes what shall become the lock of `path`; `undefined` where there can be no journal. */
  async draft(path: string, content: Uint8Array): Promise<Draft | undefined> {
    const base = `${this.#commonDirectory}/`;
    if (!path.startsWith(base)) return undefined;
    const relative = path.slice(base.length);
    const owner = await ownProcessName();
    const tag = newTag();
    const name = formatEntry(owner, tag, "hold", relative);
    return this.#writing(async () => {
      const how = { sync: this.#sync, access: this.#access };
      if (name !== undefined) return writeDraft(`${this.#directory}/${name}`, content, how);
      const beside = `${this.#directory}/${formatEntry(owner, tag, "path")}`;
      await writeWhole(
        await open(fromBytePath(beside), "wx", 0o666),
        [Buffer.from(relative, "latin1")],
        false,
      );
      const plain = `${this.#directory}/${formatEntry(owner, tag, "hold")}`;
      await share(fromBytePath(beside), this.#access);
      return writeDraft(plain, content, { ...how, beside });
    });
  }

  /** Records `text`; it is safe when this returns. `undefined` where there can be no journal. */
  async intend(text: string): Promise<Intent | undefined> {
    const name = formatEntry(await ownProcessName(), newTag(), "intent") as string;
    return this.#writing(async () => {
      const file = await open(this.#at(name), "wx", 0o666);
      try {
        await writeWhole(file, [Buffer.from(text, "latin1")], this.#sync);
        await share(this.#at(name), this.#access);
        await this.#syncNames();
      } catch (error) {
        await unlink(this.#at(name)).catch(() => {});
        throw error;
      }
      return this.#intent(name, text);
    });
  }

  /**
   * Takes over what processes left that have died: their locks are removed.
   * @returns what they wanted to do as a whole, perhaps in part done
   */
  async takeOver(): Promise<Intent[]> {
    const entries = await this.#abandoned();
    if (entries.length === 0) return [];
    const intents: Intent[] = [];
    for (const entry of entries) {
      if (entry.kind === "path") continue;
      const path = entry.path ?? (await this.#pathBeside(entry, entries));
      const own = await this.#claim(entry);
      if (own === undefined) continue;
      if (entry.kind === "intent") intents.push(this.#intent(own.name, await this.#read(own.name)));
      else await this.#releaseLock(own, path);
    }
    for (const entry of entries)
      if (entry.kind === "path") await unlink(this.#at(entry.name)).catch(() => {});
    return intents;
  }

  async #writing<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#isClosed) return undefined;
    try {
      return await work();
    } catch (error) {
      const code = systemCode(error) ?? "";
      if (CLOSED.has(code)) this.#isClosed = true;
      else if (code !== "ENOENT") throw error;
    }
    if (this.#isClosed || !(await this.#make())) return undefined;
    return work();
  }

  async #make(): Promise<boolean> {
    try {
      await mkdir(fromBytePath(this.#directory));
      await share(fromBytePath(this.#directory), this.#access);
      if (this.#sync) await syncDirectories([this.#commonDirectory]);
      return true;
    } catch (error) {
      const code = systemCode(error) ?? "";
      if (code === "EEXIST") return true;
      if (!CLOSED.has(code)) throw error;
      this.#isClosed = true;
      return false;
    }
  }

  /** What is there of processes that have died. */
  async #abandoned(): Promise<JournalEntry[]> {
    let names: string[];
    try {
      names = await readdir(fromBytePath(this.#directory));
    } catch (error) {
      const code = systemCode(error) ?? "";
      if (code === "ENOENT" || CLOSED.has(code)) return [];
      throw error;
    }
    if (names.length === 0) return [];
    const own = await ownProcessName();
    const dead = new Map<string, boolean>([
      [own, false],
      [NOBODY, true],
    ]);
    const found: JournalEntry[] = [];
    for (const name of names) {
      const entry = parseEntry(name);
      if (entry === undefined) continue;
      if (!dead.has(entry.process)) dead.set(entry.process, await isDead(entry.process));
      if (dead.get(entry.process)) found.push(entry);
    }
    return found;
  }

  /** Of several who want an entry one gets it. */
  async #claim(entry: JournalEntry): Promise<JournalEntry | undefined> {
    const own = await ownProcessName();
    const name = formatEntry(own, entry.tag, entry.kind, entry.path) ?? entry.name;
    try {
      await rename(this.#at(entry.name), this.#at(name));
      return { ...entry, name, process: own };
    } catch (error) {
      const code = systemCode(error) ?? "";
      if (code === "ENOENT" || CLOSED.has(code)) return undefined;
      throw error;
    }
  }

  async #releaseLock(entry: JournalEntry, relative: string | undefined): Promise<void> {
    if (relative !== undefined) {
      const path = `${this.#commonDirectory}/${relative}`;
      const [mine, lock] = await Promise.all([
        lstat(this.#at(entry.name), { bigint: true }),
        lstat(fromBytePath(`${path}.lock`), { bigint: true }).catch(() => undefined),
      ]);
      if (lock?.ino === mine.ino && lock.dev === mine.dev) {
        // Its holder may have been about to replace packed-refs by it.
        if (relative === "packed-refs") await unlink(fromBytePath(`${path}.new`)).catch(() => {});
        await unlink(fromBytePath(`${path}.lock`));
      }
    }
    await unlink(this.#at(entry.name));
  }

  async #pathBeside(entry: JournalEntry, all: readonly JournalEntry[]): Promise<string | undefined> {
    const beside = all.find(({ kind, tag }) => kind === "path" && tag === entry.tag);
    return beside && ((await this.#read(beside.name)) || undefined);
  }

  #at(name: string): PathLike {
    return fromBytePath(`${this.#directory}/${name}`);
  }

  async #read(name: string): Promise<string> {
    return readFile(this.#at(name), "latin1").catch(() => "");
  }

  #intent(name: string, text: string): Intent {
    return {
      text,
      drop: async () => {
        await unlink(this.#at(name));
        await this.#syncNames();
      },
      abandon: async () => {
        await rename(this.#at(name), this.#at(formatEntry(NOBODY, newTag(), "intent") as string));
      },
    };
  }

  async #syncNames(): Promise<void> {
    if (this.#sync) await syncDirectories([this.#directory]);
  }
}
