import type { ObjectId } from "@x/objects";
import {
  CalledOff,
  conflicting,
  conflictsAmong,
  fitsReftable,
  getFromReftables,
  listReftables,
  MAX_REFTABLE_NAME_BYTES,
  parentRefNames,
  type RefEdit,
  type ReflogEntry,
  type RefOutcome,
  RefPhases,
  RefsError,
  type ReftableTable,
  refPlace,
  refusalByValue,
  rejected,
  rejectedByValue,
  stagedChange,
  type TransactOptions,
} from "@x/refs";
import { isDeletion, isUpdate, type RefStep, refChange } from "../refs/ref-step.ts";
import type { ReflogPolicy } from "../refs/reflogs.ts";
import { compactReftables } from "./compact-reftables.ts";
import type { ReftableFiles } from "./reftable-files.ts";
import { LockedStack, type ReftableChangeContext } from "./reftable-lock.ts";
import { ReftableLogs } from "./reftable-logs.ts";

/** What tags peel to; an object that is no tag peels to itself, a missing one to nothing. */
export type PeelObjects = (
  ids: readonly ObjectId[],
) => Promise<readonly ({ readonly id: ObjectId } | undefined)[]>;

/** What a transaction works on. */
export interface ReftableTransactionContext extends ReftableChangeContext {
  /** Of what all work trees share. */
  readonly shared: ReftableFiles;
  /** Of what the work tree has for itself; the same in the main one. */
  readonly own: ReftableFiles;
  readonly policy: ReflogPolicy;
  readonly peel: PeelObjects | undefined;
}

/** One stack's part in a transaction. */
interface Share {
  readonly stack: ReftableFiles;
  readonly steps: RefStep[];
  locked?: LockedStack;
}

/**
 * One round of edits: the stacks are locked, every ref is read and judged, and what is to change becomes one table of a
 * stack, so that all of it is there at once or not at all. Only a round that changes both what work trees share and what
 * one has for itself is two changes.
 */
export class ReftableTransaction {
  readonly #context: ReftableTransactionContext;
  readonly #atomic: boolean;
  readonly #reflog: ReflogEntry | undefined;
  readonly #phases: RefPhases;
  readonly #steps: readonly RefStep[];
  readonly #shares: readonly Share[];
  readonly #changed: ReftableFiles[] = [];

  constructor(context: ReftableTransactionContext, edits: readonly RefEdit[], options: TransactOptions) {
    this.#context = context;
    this.#atomic = options.atomic;
    this.#reflog = options.reflog;
    this.#phases = new RefPhases(options.onPhase, edits.map(stagedChange), context.warn);
    const conflicts = conflictsAmong(edits, options.atomic);
    const { shape } = context.settings;
    this.#steps = edits.map((edit, index) => {
      const step: RefStep = { edit, loose: "missing", current: "absent" };
      const conflict = conflicts.get(index);
      if (conflict !== undefined) step.outcome = conflict;
      else if (!fitsReftable(edit.name, shape) || edit.name.length > MAX_REFTABLE_NAME_BYTES)
        step.outcome = rejected("locked");
      return step;
    });
    const { own, shared } = context;
    const isOwn = ({ edit }: RefStep) => own === shared || refPlace(edit.name).kind === "own";
    this.#shares = (own === shared ? [shared] : [shared, own])
      .map((stack) => ({ stack, steps: this.#steps.filter((step) => isOwn(step) === (stack === own)) }))
      .filter(({ steps }) => steps.length > 0);
  }

  /** @returns one outcome per edit, in order @throws RefsError `refs/unavailable`, or what a phase was called off with */
  async run(): Promise<RefOutcome[]> {
    try {
      await this.#phases.preparing();
      if (await this.#lockAndChange()) await this.#phases.committed();
      for (const stack of this.#changed) await compactReftables(stack, this.#context);
    } catch (error) {
      if (error instanceof CalledOff) throw error.cause;
      if (error instanceof RefsError) throw error;
      throw new RefsError("refs/unavailable", "the refs could not be written", { cause: error });
    }
    return this.#steps.map((step) => step.outcome ?? { status: "ok" });
  }

  /** @returns whether there was nothing that spoke against all of it */
  async #lockAndChange(): Promise<boolean> {
    const shares = await this.#withHead();
    try {
      for (const share of shares) await this.#prepare(share);
      if (this.#atomic && this.#steps.some((step) => step.outcome?.status === "rejected")) {
        for (const step of this.#steps)
          if (step.outcome?.status !== "rejected") step.outcome = rejected("aborted");
        return false;
      }
      await this.#phases.prepared();
      await this.#change(shares);
      return true;
    } finally {
      for (const { locked } of shares) await locked?.release().catch(() => {});
    }
  }

  /** The stack that HEAD's log is in takes part when HEAD stands for a ref that changes. */
  async #withHead(): Promise<readonly Share[]> {
    const { own } = this.#context;
    if (this.#reflog === undefined || this.#shares.some(({ stack }) => stack === own)) return this.#shares;
    const snapshot = await own.snapshot();
    try {
      const name = await headTarget(snapshot.tables);
      const isNamed = this.#steps.some(({ edit }) => edit.name === name);
      return isNamed ? [...this.#shares, { stack: own, steps: [] }] : this.#shares;
    } finally {
      await snapshot.release();
    }
  }

  async #prepare(share: Share): Promise<void> {
    const locked = await LockedStack.lock(share.stack, this.#context);
    if (locked === undefined) {
      for (const step of share.steps) step.outcome ??= rejected("locked");
      if (share.steps.length === 0)
        this.#context.warn("unable to append to the reflog of HEAD: it is locked");
      return;
    }
    share.locked = locked;
    const { tables } = locked.snapshot;
    const neighbours = new Neighbours(tables);
    for (const step of share.steps) {
      if (step.outcome !== undefined) continue;
      const { edit } = step;
      const ref = await getFromReftables(tables, edit.name);
      step.current = ref === undefined ? "absent" : ref.target.kind === "id" ? ref.target : "special";
      const reason = refusalByValue(edit, step.current);
      if (reason !== undefined) {
        step.outcome = rejectedByValue(edit, reason, step.current);
      } else if (edit.next !== "delete" && ref === undefined) {
        const other = await neighbours.inTheWayOf(edit.name);
        if (other !== undefined) step.outcome = conflicting(edit.name, other);
      }
    }
  }

  async #change(shares: readonly Share[]): Promise<void> {
    const peeled = await this.#peel();
    const head = await this.#headSteps(shares);
    for (const { stack, steps, locked } of shares) {
      if (locked === undefined) continue;
      const changed = steps.filter(
        (step) => step.outcome === undefined && (isUpdate(step) || isDeletion(step)),
      );
      const { tables } = locked.snapshot;
      const context = { ...this.#context, shape: this.#context.settings.shape };
      const logs = new ReftableLogs(context, tables, locked.nextUpdateIndex);
      for (const step of changed) {
        if (isDeletion(step)) await logs.remove(step.edit.name);
        else if (this.#reflog !== undefined) await logs.append(step.edit.name, refChange(step), this.#reflog);
      }
      if (stack === this.#context.own && this.#reflog !== undefined)
        for (const step of head) await logs.append("HEAD", refChange(step), this.#reflog);
      changed.sort((a, b) => (a.edit.name < b.edit.name ? -1 : 1));
      const isNew = await locked.add((writer) => {
        const index = locked.nextUpdateIndex;
        for (const { edit } of changed) {
          const { name, next } = edit;
          const target = { kind: "id", id: next as ObjectId } as const;
          const ref = next === "delete" ? undefined : { name, target, peeled: peeled.get(next) };
          writer.addRef({ name, ref }, index);
        }
        for (const log of logs.all) writer.addLog(log);
      });
      if (isNew) this.#changed.push(stack);
    }
  }

  /** The change of the ref that HEAD stands for, if there is one. */
  async #headSteps(shares: readonly Share[]): Promise<readonly RefStep[]> {
    const own = shares.find(({ stack }) => stack === this.#context.own)?.locked;
    const name = own && (await headTarget(own.snapshot.tables));
    // What changes HEAD itself has its entry already.
    if (name === undefined || this.#steps.some(({ edit }) => edit.name === "HEAD")) return [];
    return this.#steps.filter(
      (step) => step.edit.name === name && step.outcome === undefined && (isUpdate(step) || isDeletion(step)),
    );
  }

  /** What the new values peel to. Branches hold commits, which are not asked for. */
  async #peel(): Promise<ReadonlyMap<ObjectId, ObjectId>> {
    const ids = new Set<ObjectId>();
    for (const { edit, outcome } of this.#steps)
      if (outcome === undefined && edit.next !== "delete" && !edit.name.startsWith("refs/heads/"))
        ids.add(edit.next);
    const wanted = [...ids];
    const found = wanted.length === 0 ? undefined : await this.#context.peel?.(wanted);
    const peeled = new Map<ObjectId, ObjectId>();
    for (const [i, id] of wanted.entries()) {
      const target = found?.[i]?.id;
      if (target !== undefined && target !== id) peeled.set(id, target);
    }
    return peeled;
  }
}

async function headTarget(tables: readonly ReftableTable[]): Promise<string | undefined> {
  const target = (await getFromReftables(tables, "HEAD"))?.target;
  return target?.kind === "symbolic" ? target.name : undefined;
}

/** Tells which names cannot be beside those of a stack. */
class Neighbours {
  readonly #tables: readonly ReftableTable[];
  readonly #parents = new Map<string, boolean>();

  constructor(tables: readonly ReftableTable[]) {
    this.#tables = tables;
  }

  async inTheWayOf(name: string): Promise<string | undefined> {
    for (const parent of parentRefNames(name)) if (await this.#isRef(parent)) return parent;
    for await (const [below] of listReftables(this.#tables, { prefixes: [`${name}/`] }))
      if (below !== undefined) return below.name;
    return undefined;
  }

  /** Many refs have the same parents. */
  async #isRef(parent: string): Promise<boolean> {
    const known = this.#parents.get(parent);
    if (known !== undefined) return known;
    const found = (await getFromReftables(this.#tables, parent)) !== undefined;
    this.#parents.set(parent, found);
    return found;
  }
}
