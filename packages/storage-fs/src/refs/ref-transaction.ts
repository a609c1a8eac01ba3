import type { ObjectFormat } from "@x/objects";
import {
  CalledOff,
  conflicting,
  conflictsAmong,
  type PackedRefs,
  type RefEdit,
  type ReflogEntry,
  type RefOutcome,
  RefPhases,
  RefsError,
  refusalByValue,
  rejected,
  rejectedByValue,
  stagedChange,
  type TransactOptions,
} from "@x/refs";
import { mapBounded } from "../bounded.ts";
import { type LockFile, lockFile, syncDirectories } from "../disk/lock-file.ts";
import type { Intent } from "../journal/journal.ts";
import type { PackedRefsFile } from "./packed-refs-file.ts";
import { type RefChangeContext, RefChanges } from "./ref-changes.ts";
import { removeEmptyTree } from "./ref-files.ts";
import { formatRefIntent } from "./ref-intent.ts";
import { type RefLockContext, RefLocks } from "./ref-locks.ts";
import { contentOf, isDeletion, isUpdate, type RefStep } from "./ref-step.ts";
import { conflictingFile, currentRef, packedConflict } from "./ref-verdict.ts";
import { takeTurn } from "./take-turn.ts";

/** What a transaction works on. */
export interface RefTransactionContext extends RefLockContext, RefChangeContext {
  readonly format: ObjectFormat;
  readonly packed: PackedRefsFile;
  /** How long to wait for packed-refs.lock. Unit: milliseconds; below zero for ever. */
  readonly packedRefsTimeoutMs: number;
  /** Hears of what went wrong without consequences. */
  readonly warn: (message: string) => void;
}

/** Files read or written at a time. */
const MAX_OPEN = 8;
/** From so many edits on, those whose refs have other values are found out before anything is locked or written. */
const MANY_EDITS = 64;

/**
 * One round of edits that share their locks: every ref is locked, in byte order, then read, then judged, and only
 * then is the first changed. Deletions come last, out of packed-refs before the loose file, so that no older value comes
 * back to life. {@link RefTransaction.run} ends with everything on disk and no lock left; should the process die, those
 * of an atomic round are finished by {@link "./ref-recovery.ts"}.
 */
export class RefTransaction {
  readonly #context: RefTransactionContext;
  readonly #atomic: boolean;
  readonly #reflog: ReflogEntry | undefined;
  readonly #phases: RefPhases;
  readonly #steps: readonly RefStep[];
  readonly #locks: RefLocks;
  readonly #changes: RefChanges;
  #packed: PackedRefs | undefined;
  #packedLock: LockFile | undefined;
  #endPackedTurn: () => void = () => {};

  constructor(context: RefTransactionContext, edits: readonly RefEdit[], options: TransactOptions) {
    this.#context = context;
    this.#atomic = options.atomic;
    this.#reflog = options.reflog;
    this.#phases = new RefPhases(options.onPhase, edits.map(stagedChange), context.warn);
    this.#locks = new RefLocks(context, options.atomic);
    this.#changes = new RefChanges(context, options.atomic, options.reflog);
    const conflicts = conflictsAmong(edits, options.atomic);
    this.#steps = edits.map((edit, index) => {
      const step: RefStep = { edit, loose: "missing", current: "absent" };
      const outcome = conflicts.get(index);
      return outcome === undefined ? step : { ...step, outcome };
    });
  }

  /** @returns one outcome per edit, in order @throws RefsError `refs/unavailable`, or what a phase was called off with */
  async run(): Promise<RefOutcome[]> {
    try {
      await this.#phases.preparing();
      if (await this.#lockAndChange()) await this.#phases.committed();
    } catch (error) {
      if (error instanceof CalledOff) throw error.cause;
      if (error instanceof RefsError) throw error;
      throw new RefsError("refs/unavailable", "the refs could not be written", { cause: error });
    }
    return this.#steps.map((step) => step.outcome ?? { status: "ok" });
  }

  /** @returns whether there was nothing that spoke against all of it */
  async #lockAndChange(): Promise<boolean> {
    try {
      await this.#prepare();
      if (this.#atomic && this.#steps.some((step) => step.outcome?.status === "rejected")) {
        for (const step of this.#steps)
          if (step.outcome?.status !== "rejected") step.outcome = rejected("aborted");
        return false;
      }
      await this.#phases.prepared();
      await this.#change();
      return true;
    } finally {
      await this.#release();
    }
  }

  /** The steps that nothing speaks against yet. */
  #open(): RefStep[] {
    return this.#steps.filter((step) => step.outcome === undefined);
  }

  /** Judges by the values that refs have just now. What passes is judged again under its lock. */
  async #lookFirst(): Promise<void> {
    const { files, packed } = this.#context;
    const open = this.#open();
    await mapBounded(open, MAX_OPEN, async (step) => {
      step.loose = await files.read(step.edit.name).catch(() => "broken" as const);
    });
    const known = await packed.read();
    for (const step of open) {
      const current = currentRef(step.edit.name, step.loose, known);
      const reason = current === "special" ? undefined : refusalByValue(step.edit, current);
      if (reason !== undefined) step.outcome = rejected(reason);
    }
  }

  async #prepare(): Promise<void> {
    if (this.#steps.length >= MANY_EDITS) {
      await this.#lookFirst();
      if (this.#atomic && this.#steps.some((step) => step.outcome?.status === "rejected")) return;
    }
    await this.#locks.lockAll(this.#open());
    await mapBounded(this.#open(), MAX_OPEN, (step) => this.#read(step));
    const deletions = () =>
      this.#steps.filter(({ edit, outcome }) => edit.next === "delete" && outcome?.status !== "rejected");
    if (deletions().length > 0 && !(await this.#lockPacked()))
      for (const step of deletions()) step.outcome = rejected("locked");
    // Read after the loose files: what is packed meanwhile is found here, and what is locked cannot go.
    const packed = await this.#context.packed.read();
    this.#packed = packed;
    for (const step of this.#open()) this.#judge(step, packed);
    const names = deletions().map(({ edit }) => edit.name);
    const isRefused = this.#atomic && this.#steps.some((step) => step.outcome?.status === "rejected");
    if (names.length > 0 && !isRefused)
      await this.#phases.packedLocked(
        names,
        names.some((name) => packed.has(name)),
      );
  }

  async #read(step: RefStep): Promise<void> {
    const { files } = this.#context;
    step.loose = await files.read(step.edit.name);
    if (step.loose !== "directory" || step.edit.next === "delete") return;
    // Before packed-refs is read, or a ref that is packed in between would be in neither place.
    const { name } = step.edit;
    if (!(await removeEmptyTree(files.pathOf(name))))
      step.outcome = conflictingFile(name, await files.firstBelow(name));
  }

  async #lockPacked(): Promise<boolean> {
    const { packed, packedRefsTimeoutMs, journal, sync } = this.#context;
    this.#endPackedTurn = await takeTurn(packed);
    const draft = await journal.draft(packed.path, new Uint8Array());
    this.#packedLock = await lockFile(packed.path, {
      timeoutMs: packedRefsTimeoutMs,
      draft,
      sync,
      access: this.#context.files.access,
    });
    return this.#packedLock !== undefined;
  }

  #judge(step: RefStep, packed: PackedRefs): void {
    const { name, next } = step.edit;
    step.current = currentRef(name, step.loose, packed);
    const reason = refusalByValue(step.edit, step.current);
    if (reason !== undefined) {
      step.outcome = rejectedByValue(step.edit, reason, step.current);
    } else if (next !== "delete" && step.current === "absent") {
      const other = packedConflict(name, packed);
      if (other !== undefined) step.outcome = conflicting(name, other);
    }
  }

  async #change(): Promise<void> {
    const updates = this.#open().filter(isUpdate);
    const deletions = this.#open().filter(isDeletion);
    await mapBounded(updates, MAX_OPEN, async ({ edit, lock }) => {
      if (!lock?.written) await lock?.write([contentOf(edit)]);
    });
    const isPacked = await this.#preparePacked(deletions);
    const intent = await this.#intend([...updates, ...deletions]);
    const made: RefStep[] = [];
    try {
      await this.#changes.start();
      for (const step of updates) {
        made.push(step);
        await this.#changes.update(step);
      }
      if (deletions.length > 0) await this.#delete(deletions, made, isPacked);
      await this.#syncNames();
      await intent?.drop();
    } catch (error) {
      await this.#takeBack(made, intent);
      throw error;
    }
  }

  /** So that all or nothing holds also if this process dies on the way. */
  async #intend(steps: readonly RefStep[]): Promise<Intent | undefined> {
    if (!this.#atomic || steps.length < 2) return undefined;
    return this.#context.journal.intend(formatRefIntent(steps, this.#reflog));
  }

  /** @returns whether any of the refs is in packed-refs */
  async #preparePacked(steps: readonly RefStep[]): Promise<boolean> {
    const packed = this.#packed as PackedRefs;
    const names = new Set(steps.map(({ edit }) => edit.name).filter((name) => packed.has(name)));
    if (names.size > 0) await this.#changes.preparePacked(this.#context.packed.path, packed, names);
    return names.size > 0;
  }

  async #delete(steps: readonly RefStep[], made: RefStep[], isPacked: boolean): Promise<void> {
    made.push(...steps); // the first step may concern all of them
    if (isPacked) {
      await this.#changes.commitPacked();
      await this.#phases.packedCommitted();
    }
    for (const step of steps) await this.#changes.remove(step);
    // Held until now: a `git pack-refs` in between would have packed the loose files again.
    await this.#packedLock?.release();
  }

  async #syncNames(): Promise<void> {
    if (!this.#context.sync) return;
    await syncDirectories([...this.#locks.changedDirectories, ...this.#changes.changedDirectories]);
  }

  /** A disk that failed in the middle of an atomic round: what is made of it is unmade, or else left to a later start. */
  async #takeBack(made: readonly RefStep[], intent: Intent | undefined): Promise<void> {
    if (intent === undefined) return;
    try {
      await this.#release();
      const back = made.flatMap(({ edit, current }): RefEdit[] => {
        if (current === "special") return [];
        const expected = edit.next === "delete" ? "absent" : edit.next;
        return [{ name: edit.name, expected, next: current === "absent" ? "delete" : current.id }];
      });
      const options = { atomic: false, reflog: this.#reflog };
      const outcomes = back.length === 0 ? [] : await new RefTransaction(this.#context, back, options).run();
      // What was not made yet, or was changed by somebody since, is as it should be.
      const isLeft = outcomes.some((outcome) => outcome.status === "rejected" && outcome.reason === "locked");
      if (!isLeft) return await intent.drop();
    } catch (error) {
      this.#context.warn(`refs could not be put back: ${error instanceof Error ? error.message : error}`);
    }
    await intent.abandon().catch(() => {});
  }

  /** Harmless a second time. */
  async #release(): Promise<void> {
    const { files } = this.#context;
    await this.#changes.dropPacked();
    await this.#packedLock?.release().catch(() => {});
    this.#endPackedTurn();
    for (const { edit, lock, outcome } of this.#steps) {
      if (lock === undefined) continue;
      await lock.release().catch(() => {});
      if (outcome?.status === "rejected" || edit.next === "delete")
        await files.removeEmptyParents(files.pathOf(edit.name), files.baseOf(edit.name));
    }
  }
}
