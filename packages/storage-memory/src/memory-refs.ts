import type { ObjectId } from "@x/objects";
import {
  CalledOff,
  type CurrentRef,
  checkEdits,
  compareNames,
  conflicting,
  conflictsAmong,
  inRounds,
  isStorableRefName,
  isSymbolicTarget,
  lowerBound,
  parentRefNames,
  type Ref,
  type RefEdit,
  type RefOutcome,
  RefPhases,
  type RefStore,
  RefsError,
  type RefTarget,
  refusalByValue,
  rejected,
  rejectedByValue,
  type SortedNames,
  selectPrefixes,
  stagedChange,
  type TransactOptions,
} from "@x/refs";

/** Refs in one batch of a listing. */
const BATCH = 1000;

/** Refs in memory. There is no reflog. */
export class MemoryRefs implements RefStore {
  readonly #targets = new Map<string, RefTarget>();
  readonly #onWarning: (message: string) => void;
  /** What is below `refs/`, in order; `undefined` after a change. */
  #listing: readonly Ref[] | undefined;
  #changes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param head what `HEAD` stands for */
  constructor(head: string, onWarning: (message: string) => void) {
    this.#targets.set("HEAD", { kind: "symbolic", name: head });
    this.#onWarning = onWarning;
  }

  async get(name: string): Promise<Ref | undefined> {
    const target = this.#targets.get(name);
    return target && { name, target };
  }

  async *list({
    prefixes,
    signal,
  }: Parameters<RefStore["list"]>[0] = {}): AsyncGenerator<readonly Ref[], void, undefined> {
    const listing = this.#sorted();
    for (const { start, end } of selectPrefixes(namesOf(listing), prefixes))
      for (let at = start; at < end; at += BATCH) {
        signal?.throwIfAborted();
        yield listing.slice(at, Math.min(end, at + BATCH));
      }
  }

  async state(): Promise<string> {
    return `${this.#changes}`;
  }

  async transact(edits: readonly RefEdit[], options: TransactOptions): Promise<readonly RefOutcome[]> {
    checkEdits(edits);
    return this.#inTurn(() => inRounds(edits, options, (round) => this.#run(round, options)));
  }

  /**
   * Makes `name` stand for another ref, whatever it was before.
   * @throws RefsError `refs/bad-name` when one of the names cannot be that of a ref, or of one beside those there are
   */
  async setSymbolic(name: string, target: string): Promise<void> {
    if (!isStorableRefName(name) || !isSymbolicTarget(target))
      throw new RefsError("refs/bad-name", `not a symbolic ref: ${name} for ${target}`);
    await this.#inTurn(async () => {
      const other = this.#targets.has(name) ? undefined : this.#inTheWayOf(name);
      if (other !== undefined) throw new RefsError("refs/bad-name", `${name} cannot be beside ${other}`);
      this.#set(name, { kind: "symbolic", name: target });
    });
  }

  /** One after the other: what is judged holds until it is changed. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #run(edits: readonly RefEdit[], { atomic, onPhase }: TransactOptions): Promise<RefOutcome[]> {
    const phases = new RefPhases(onPhase, edits.map(stagedChange), this.#onWarning);
    try {
      await phases.preparing();
      const refusals = this.#judge(edits, atomic);
      if (atomic && refusals.size > 0)
        return edits.map((_, index) => refusals.get(index) ?? rejected("aborted"));
      await phases.prepared();
      for (const [index, { name, next }] of edits.entries())
        if (!refusals.has(index)) this.#set(name, next === "delete" ? undefined : { kind: "id", id: next });
      await phases.committed();
      return edits.map((_, index) => refusals.get(index) ?? { status: "ok" });
    } catch (error) {
      throw error instanceof CalledOff ? error.cause : error;
    }
  }

  #judge(edits: readonly RefEdit[], atomic: boolean): Map<number, RefOutcome> {
    const refusals = conflictsAmong(edits, atomic);
    for (const [index, edit] of edits.entries()) {
      if (refusals.has(index)) continue;
      const current = this.#current(edit.name);
      const reason = refusalByValue(edit, current);
      if (reason !== undefined) refusals.set(index, rejectedByValue(edit, reason, current));
      else if (edit.next !== "delete" && current === "absent") {
        const other = this.#inTheWayOf(edit.name);
        if (other !== undefined) refusals.set(index, conflicting(edit.name, other));
      }
    }
    return refusals;
  }

  #current(name: string): CurrentRef {
    const target = this.#targets.get(name);
    return target === undefined ? "absent" : target.kind === "id" ? target : "special";
  }

  #inTheWayOf(name: string): string | undefined {
    const parent = parentRefNames(name).find((above) => this.#targets.has(above));
    if (parent !== undefined) return parent;
    const listing = this.#sorted();
    const below = listing[lowerBound(namesOf(listing), `${name}/`)]?.name;
    return below?.startsWith(`${name}/`) ? below : undefined;
  }

  #set(name: string, target: RefTarget | undefined): void {
    const before = this.#targets.get(name);
    if (isSame(before, target)) return;
    if (target === undefined) this.#targets.delete(name);
    else this.#targets.set(name, target);
    this.#listing = undefined;
    this.#changes++;
  }

  #sorted(): readonly Ref[] {
    if (this.#listing === undefined) {
      const names = [...this.#targets.keys()].filter((name) => name.startsWith("refs/")).sort(compareNames);
      this.#listing = names.map((name) => ({ name, target: this.#targets.get(name) as RefTarget }));
    }
    return this.#listing;
  }
}

function namesOf(refs: readonly Ref[]): SortedNames {
  return { length: refs.length, nameAt: (index) => (refs[index] as Ref).name };
}

function isSame(a: RefTarget | undefined, b: RefTarget | undefined): boolean {
  const text = (target: RefTarget | undefined): ObjectId | string | undefined =>
    target?.kind === "id" ? target.id : target?.name;
  return a?.kind === b?.kind && text(a) === text(b);
}
