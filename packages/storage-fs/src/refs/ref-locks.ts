import { refusalByValue, rejected, rejectedByValue } from "@x/refs";
import { mapBounded } from "../bounded.ts";
import { fromBytePath } from "../disk/byte-path.ts";
import { type LockFile, lockFile } from "../disk/lock-file.ts";
import { lstat } from "../disk/quick-files.ts";
import { systemCode } from "../errors.ts";
import type { Draft } from "../journal/draft.ts";
import type { Journal } from "../journal/journal.ts";
import type { RefFiles } from "./ref-files.ts";
import { contentOf, type RefStep } from "./ref-step.ts";
import { conflictingFile } from "./ref-verdict.ts";

/** What locks are made with. */
export interface RefLockContext {
  readonly files: RefFiles;
  readonly journal: Journal;
  /** Wait until what is written has reached the disk. */
  readonly sync: boolean;
  /** How long to wait for one ref's lock. Unit: milliseconds; below zero for ever. */
  readonly refLockTimeoutMs: number;
}

/** Files written at a time. */
const MAX_OPEN = 8;
/** After so many locks that others held, no more are waited for: a push names thousands of refs. */
const MAX_WAITS = 10;
/** Tries to make a directory that others remove. More than C git's: we may be many in one process. */
const MAX_TRIES = 20;

/** Locks refs one by one, with what they shall hold written beforehand. */
export class RefLocks {
  /** Directories that got a new entry. Byte paths. */
  readonly changedDirectories: Set<string> = new Set();
  readonly #context: RefLockContext;
  readonly #atomic: boolean;
  readonly #soundDirectories = new Set<string>();
  #waits = 0;

  constructor(context: RefLockContext, atomic: boolean) {
    this.#context = context;
    this.#atomic = atomic;
  }

  /** Locks the refs of `steps`, in byte order; one that cannot be locked has its outcome then. */
  async lockAll(steps: readonly RefStep[]): Promise<void> {
    const { files } = this.#context;
    const sorted: RefStep[] = [];
    for (const step of steps) {
      if (isTooLong(files.pathOf(step.edit.name))) step.outcome = rejected("locked");
      else sorted.push(step);
    }
    sorted.sort((a, b) => (a.edit.name < b.edit.name ? -1 : 1));
    const drafts = new Map<RefStep, Draft>();
    try {
      await mapBounded(sorted, MAX_OPEN, async (step) => {
        const draft = await this.#draft(step);
        if (draft !== undefined) drafts.set(step, draft);
      });
      for (const step of sorted) {
        await this.#lock(step, drafts.get(step));
        drafts.delete(step);
      }
    } finally {
      for (const draft of drafts.values()) await draft.drop();
    }
  }

  #draft({ edit }: RefStep): Promise<Draft | undefined> {
    return this.#context.journal.draft(this.#context.files.pathOf(edit.name), contentOf(edit));
  }

  async #lock(step: RefStep, prepared: Draft | undefined): Promise<void> {
    const { name, next } = step.edit;
    const { files } = this.#context;
    let draft = prepared;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      try {
        await this.#checkParents(name);
        const written = draft;
        draft = undefined; // used up, whatever happens
        const lock = await this.#tryLock(name, written);
        if (lock !== undefined) {
          step.lock = lock;
          return;
        }
        // An atomic transaction is lost now: the rest is looked at for its own faults only.
        this.#waits += this.#atomic ? MAX_WAITS : 1;
        break;
      } catch (error) {
        const code = systemCode(error);
        // Before the directories, which others may remove while it is written.
        if (code === "ENOENT") draft ??= await this.#draft(step);
        const made = code === "ENOENT" ? await files.makeParents(name) : undefined;
        if (made === undefined && code !== "ENOENT" && code !== "ENOTDIR") throw error;
        for (const directory of made ?? []) this.changedDirectories.add(directory);
        if (made !== undefined) continue;
        await draft?.drop();
        // A ref stands where a directory is needed: nothing can be there to delete.
        const reason = refusalByValue(step.edit, "absent");
        if (next !== "delete") step.outcome = conflictingFile(name, await files.firstAbove(name));
        else step.outcome = reason ? rejectedByValue(step.edit, reason, "absent") : { status: "ok" };
        return;
      }
    }
    await draft?.drop();
    step.outcome = rejected("locked");
  }

  async #tryLock(name: string, draft: Draft | undefined): Promise<LockFile | undefined> {
    const { files, sync, refLockTimeoutMs } = this.#context;
    const timeoutMs = this.#waits < MAX_WAITS ? refLockTimeoutMs : 0;
    return lockFile(files.pathOf(name), { timeoutMs, draft, sync, access: files.access });
  }

  /** A symlink among the directories could lead out of the repository. */
  async #checkParents(name: string): Promise<void> {
    const base = this.#context.files.baseOf(name);
    const first = name.indexOf("/");
    for (let at = name.indexOf("/", first + 1); first >= 0 && at >= 0; at = name.indexOf("/", at + 1)) {
      const directory = `${base}/${name.slice(0, at)}`;
      if (this.#soundDirectories.has(directory)) continue;
      const found = await lstat(fromBytePath(directory));
      if (!found.isDirectory()) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
      this.#soundDirectories.add(directory);
    }
  }
}

/** Whether the lock of this path would be longer than file systems take; C git fails to lock it then. */
function isTooLong(path: string): boolean {
  const longest = Math.max(...path.split("/").map((component) => component.length));
  return longest + ".lock".length > 255 || path.length + ".lock".length > 4095;
}
