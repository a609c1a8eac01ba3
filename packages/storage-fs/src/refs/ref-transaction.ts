import { lstat, open, rename, unlink } from "node:fs/promises";
import type { ObjectId } from "@x/objects";
import {
  formatLooseRef,
  type PackedRefs,
  packedRefsWithout,
  type RefEdit,
  type ReflogEntry,
  type RefOutcome,
  RefsError,
} from "@x/refs";
import { mapBounded } from "../bounded.ts";
import { fromBytePath, parentOf } from "../byte-path.ts";
import { systemCode } from "../errors.ts";
import { type LockFile, lockFile, syncDirectories, writeDurably } from "../lock-file.ts";
import type { PackedRefsFile } from "./packed-refs-file.ts";
import { type LooseState, type RefFiles, removeEmptyTree } from "./ref-files.ts";
import {
  type CurrentRef,
  conflictsAmong,
  conflictsWithPacked,
  currentRef,
  refusalByValue,
  rejected,
} from "./ref-verdict.ts";
import type { Reflogs } from "./reflogs.ts";

/** What a transaction works on. */
export interface RefTransactionContext {
  readonly files: RefFiles;
  readonly packed: PackedRefsFile;
  readonly reflogs: Reflogs;
  /** How long to wait for one ref's lock. Unit: milliseconds; below zero for ever. */
  readonly refLockTimeoutMs: number;
  /** How long to wait for packed-refs.lock. Unit: milliseconds; below zero for ever. */
  readonly packedRefsTimeoutMs: number;
}

/** Files read or written at a time. */
const MAX_OPEN = 8;
/** After so many locks that others held, no more are waited for: a push names thousands of refs. */
const MAX_WAITS = 10;
/** Tries to make a directory that somebody else removes. As C git. */
const MAX_TRIES = 5;

interface Step {
  readonly edit: RefEdit;
  lock?: LockFile;
  loose: LooseState;
  current: CurrentRef;
  outcome?: RefOutcome;
}

/**
 * One round of edits that share their locks: every ref is locked, in byte order, then read, then judged, and only
 * then is the first changed. Deletions go first: out of packed-refs before the loose file, so that no older value
 * comes back to life. {@link RefTransaction.run} ends with everything on disk and no lock left.
 */
export class RefTransaction {
  readonly #context: RefTransactionContext;
  readonly #atomic: boolean;
  readonly #reflog: ReflogEntry | undefined;
  readonly #steps: readonly Step[];
  readonly #changedDirectories = new Set<string>();
  readonly #soundDirectories = new Set<string>();
  #packed: PackedRefs | undefined;
  #packedLock: LockFile | undefined;
  #headTarget: string | undefined;
  #waits = 0;

  constructor(
    context: RefTransactionContext,
    edits: readonly RefEdit[],
    options: { readonly atomic: boolean; readonly reflog?: ReflogEntry | undefined },
  ) {
    this.#context = context;
    this.#atomic = options.atomic;
    this.#reflog = options.reflog;
    const conflicts = conflictsAmong(edits, options.atomic);
    this.#steps = edits.map((edit, index) => {
      const step: Step = { edit, loose: "missing", current: "absent" };
      return conflicts.has(index) ? { ...step, outcome: rejected("name-conflict") } : step;
    });
  }

  /** @returns one outcome per edit, in order @throws RefsError `refs/unavailable` */
  async run(): Promise<RefOutcome[]> {
    try {
      await this.#prepare();
      const refused = this.#steps.some((step) => step.outcome?.status === "rejected");
      if (this.#atomic && refused) this.#abort();
      else await this.#apply();
    } catch (error) {
      if (error instanceof RefsError) throw error;
      throw new RefsError("refs/unavailable", "the refs could not be written", { cause: error });
    } finally {
      await this.#release();
    }
    return this.#steps.map((step) => step.outcome ?? { status: "ok" });
  }

  /** The steps that nothing speaks against yet. */
  #open(): Step[] {
    return this.#steps.filter((step) => step.outcome === undefined);
  }

  #abort(): void {
    for (const step of this.#steps)
      if (step.outcome?.status !== "rejected") step.outcome = rejected("aborted");
  }

  async #prepare(): Promise<void> {
    const sorted = this.#open().sort((a, b) => (a.edit.name < b.edit.name ? -1 : 1));
    for (const step of sorted) await this.#lock(step);
    await mapBounded(this.#open(), MAX_OPEN, (step) => this.#read(step));
    const deletions = this.#open().filter((step) => step.edit.next === "delete");
    if (deletions.length > 0 && !(await this.#lockPacked()))
      for (const step of deletions) step.outcome = rejected("locked");
    // Read after the loose files: what is packed meanwhile is found here, and what is locked cannot go.
    this.#packed = await this.#context.packed.read();
    for (const step of this.#open()) this.#judge(step, this.#packed);
  }

  async #lock(step: Step): Promise<void> {
    const { name, next } = step.edit;
    const { files } = this.#context;
    if (isTooLong(files.pathOf(name))) {
      step.outcome = rejected("locked");
      return;
    }
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      try {
        await this.#checkParents(name);
        const lock = await lockFile(files.pathOf(name), {
          timeoutMs: this.#waits < MAX_WAITS ? this.#context.refLockTimeoutMs : 0,
        });
        if (lock !== undefined) {
          step.lock = lock;
          return;
        }
        // An atomic transaction is lost now: the rest is looked at for its own faults only.
        this.#waits += this.#atomic ? MAX_WAITS : 1;
        break;
      } catch (error) {
        const code = systemCode(error);
        const made = code === "ENOENT" ? await files.makeParents(name) : undefined;
        if (made === undefined && code !== "ENOENT" && code !== "ENOTDIR") throw error;
        for (const directory of made ?? []) this.#changedDirectories.add(directory);
        if (made !== undefined) continue;
        // A ref stands where a directory is needed: nothing can be there to delete.
        if (next !== "delete") step.outcome = rejected("name-conflict");
        else step.outcome = refusalByValue(step.edit, "absent") ? rejected("missing") : { status: "ok" };
        return;
      }
    }
    step.outcome = rejected("locked");
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

  async #read(step: Step): Promise<void> {
    const { files } = this.#context;
    step.loose = await files.read(step.edit.name);
    if (step.loose !== "directory" || step.edit.next === "delete") return;
    // Before packed-refs is read, or a ref that is packed in between would be in neither place.
    if (!(await removeEmptyTree(files.pathOf(step.edit.name)))) step.outcome = rejected("name-conflict");
  }

  async #lockPacked(): Promise<boolean> {
    const { packed, packedRefsTimeoutMs } = this.#context;
    this.#packedLock = await lockFile(packed.path, { timeoutMs: packedRefsTimeoutMs });
    return this.#packedLock !== undefined;
  }

  #judge(step: Step, packed: PackedRefs): void {
    const { name, next } = step.edit;
    step.current = currentRef(name, step.loose, packed);
    const reason = refusalByValue(step.edit, step.current);
    if (reason !== undefined) step.outcome = rejected(reason);
    else if (next !== "delete" && step.current === "absent" && conflictsWithPacked(name, packed))
      step.outcome = rejected("name-conflict");
  }

  async #apply(): Promise<void> {
    const deletions = this.#open().filter((step) => step.edit.next === "delete" && step.current !== "absent");
    const updates = this.#open().filter(changes);
    await mapBounded(updates, MAX_OPEN, async ({ edit, lock }) => {
      await lock?.write([formatLooseRef({ kind: "id", id: edit.next as ObjectId })]);
    });
    if (this.#reflog !== undefined) await this.#readHead();
    if (deletions.length > 0) await this.#delete(deletions);
    for (const step of updates) await this.#update(step);
    await syncDirectories(this.#changedDirectories);
  }

  async #readHead(): Promise<void> {
    const head = await this.#context.files.read("HEAD");
    if (typeof head === "object" && head.kind === "symbolic") this.#headTarget = head.name;
  }

  async #delete(steps: readonly Step[]): Promise<void> {
    const { files, reflogs } = this.#context;
    await this.#removeFromPacked(new Set(steps.map((step) => step.edit.name)));
    for (const step of steps) {
      const { name } = step.edit;
      const path = files.pathOf(name);
      if (step.loose !== "missing" && step.loose !== "directory") await unlink(fromBytePath(path));
      await reflogs.remove(name);
      await this.#logHead(step);
      await step.lock?.release();
      this.#changedDirectories.add(parentOf(path));
      await files.removeEmptyParents(path, files.baseOf(name));
    }
    // Held until now: a `git pack-refs` in between would have packed the loose files again.
    await this.#packedLock?.release();
  }

  /** Under packed-refs.lock, and not by way of it, since that has to stay. As C git. */
  async #removeFromPacked(names: ReadonlySet<string>): Promise<void> {
    const packed = this.#packed;
    if (packed === undefined || ![...names].some((name) => packed.has(name))) return;
    const { path } = this.#context.packed;
    const fresh = fromBytePath(`${path}.new`);
    await unlink(fresh).catch(() => {}); // left by a writer that died
    try {
      await writeDurably(await open(fresh, "wx", 0o666), packedRefsWithout(packed, names));
      await rename(fresh, fromBytePath(path));
    } catch (error) {
      await unlink(fresh).catch(() => {});
      throw error;
    }
    await syncDirectories([parentOf(path)]);
  }

  async #update(step: Step): Promise<void> {
    const { files, reflogs } = this.#context;
    const { name } = step.edit;
    if (this.#reflog !== undefined) await reflogs.append(name, refChange(step), this.#reflog);
    await this.#logHead(step);
    const path = files.pathOf(name);
    try {
      await step.lock?.commit();
    } catch (error) {
      const code = systemCode(error);
      if (code !== "EISDIR" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
      // Somebody made a directory here after we had looked.
      if (await removeEmptyTree(path)) await step.lock?.commit();
      else if (this.#atomic) throw error;
      else step.outcome = rejected("name-conflict");
    }
    this.#changedDirectories.add(parentOf(path));
  }

  async #logHead(step: Step): Promise<void> {
    if (this.#reflog === undefined || step.edit.name !== this.#headTarget) return;
    await this.#context.reflogs.append("HEAD", refChange(step), this.#reflog);
  }

  async #release(): Promise<void> {
    const { files } = this.#context;
    await this.#packedLock?.release().catch(() => {});
    for (const { edit, lock, outcome } of this.#steps) {
      if (lock === undefined) continue;
      await lock.release().catch(() => {});
      if (outcome?.status === "rejected" || edit.next === "delete")
        await files.removeEmptyParents(files.pathOf(edit.name), files.baseOf(edit.name));
    }
  }
}

/** Whether the lock of this path would be longer than file systems take; C git fails to lock it then. */
function isTooLong(path: string): boolean {
  const longest = Math.max(...path.split("/").map((component) => component.length));
  return longest + ".lock".length > 255 || path.length + ".lock".length > 4095;
}

function changes({ edit, current }: Step): boolean {
  if (edit.next === "delete") return false;
  return typeof current === "string" || current.id !== edit.next;
}

function refChange({ edit, current }: Step): { from: ObjectId | undefined; to: ObjectId | undefined } {
  return {
    from: typeof current === "string" ? undefined : current.id,
    to: edit.next === "delete" ? undefined : edit.next,
  };
}
