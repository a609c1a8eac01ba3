import type { ObjectId } from "@x/objects";
import type {
  Ref,
  RefEdit,
  RefOutcome,
  RefRejection,
  RefStore,
  RefTarget,
  StagedRefChange,
  TransactOptions,
} from "@x/refs";

/** A ref store in memory. */
export class MemoryRefs implements RefStore {
  readonly stored: Map<string, RefTarget> = new Map();
  readonly transactions: (readonly RefEdit[])[] = [];
  /** Runs once, between the caller's looking and its writing. */
  beforeTransact: (() => void) | undefined;
  batchSize = 3;

  set(name: string, id: ObjectId): void {
    this.stored.set(name, { kind: "id", id });
  }

  point(name: string, target: string): void {
    this.stored.set(name, { kind: "symbolic", name: target });
  }

  /** The id that a name holds; for tests. */
  id(name: string): ObjectId | undefined {
    const target = this.stored.get(name);
    return target?.kind === "id" ? target.id : undefined;
  }

  async get(name: string): Promise<Ref | undefined> {
    const target = this.stored.get(name);
    return target && { name, target };
  }

  async *list(options: { readonly prefixes?: readonly string[] | undefined } = {}): AsyncGenerator<Ref[]> {
    const { prefixes } = options;
    const names = [...this.stored.keys()]
      .filter((name) => name.startsWith("refs/") && (prefixes?.some((p) => name.startsWith(p)) ?? true))
      .sort((a, b) => (a < b ? -1 : 1));
    const refs = names.map((name): Ref => ({ name, target: this.stored.get(name) as RefTarget }));
    for (let at = 0; at < refs.length; at += this.batchSize) yield refs.slice(at, at + this.batchSize);
  }

  async transact(edits: readonly RefEdit[], options: TransactOptions): Promise<readonly RefOutcome[]> {
    this.beforeTransact?.();
    this.beforeTransact = undefined;
    this.transactions.push(edits);
    const changes = edits.map(staged);
    const callOff = async (error: unknown): Promise<never> => {
      await options.onPhase?.("aborted", changes).catch(() => {});
      throw error;
    };
    await options.onPhase?.("preparing", changes).catch(callOff);
    const before = new Map(this.stored);
    const outcomes: RefOutcome[] = edits.map(() => ({ status: "ok" }));
    const order = [...edits.keys()].sort((a, b) => weight(edits[a]) - weight(edits[b]));
    for (const i of order) {
      const edit = edits[i] as RefEdit;
      const reason = this.#reject(edit, options.atomic ? before.keys() : []);
      if (reason !== undefined) outcomes[i] = { status: "rejected", reason, ...this.#wording(edit, reason) };
      else if (edit.next === "delete") this.stored.delete(edit.name);
      else this.set(edit.name, edit.next);
    }
    const putBack = () => {
      this.stored.clear();
      for (const [name, target] of before) this.stored.set(name, target);
    };
    if (!options.atomic || outcomes.every(({ status }) => status === "ok")) {
      const after = new Map(this.stored);
      putBack(); // nothing has changed while it is only prepared
      await options.onPhase?.("prepared", changes).catch(callOff);
      this.stored.clear();
      for (const [name, target] of after) this.stored.set(name, target);
      await options.onPhase?.("committed", changes).catch(() => {});
      return outcomes;
    }
    putBack();
    return outcomes.map((outcome) =>
      outcome.status === "ok" ? { status: "rejected", reason: "aborted", message: "aborted" } : outcome,
    );
  }

  #wording(edit: RefEdit, reason: RefRejection): { message: string; conflict?: string } {
    const conflict = [...this.stored.keys()].find((name) => clash(name, edit.name));
    if (reason !== "name-conflict" || conflict === undefined) return { message: reason };
    return { message: `'${conflict}' exists; cannot create '${edit.name}'`, conflict };
  }

  /** @param names that an atomic transaction does not make room at */
  #reject(edit: RefEdit, names: Iterable<string>): RefRejection | undefined {
    const current = this.id(edit.name);
    if (edit.expected === "absent" && current !== undefined) return "exists";
    if (edit.expected !== "absent" && edit.expected !== "any") {
      if (current === undefined) return "missing";
      if (current !== edit.expected) return "stale";
    }
    return edit.next !== "delete" && [...this.stored.keys(), ...names].some((name) => clash(name, edit.name))
      ? "name-conflict"
      : undefined;
  }
}

function clash(a: string, b: string): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function staged({ name, expected, next }: RefEdit): StagedRefChange {
  const target = (id: ObjectId | "absent" | "delete") =>
    id === "absent" || id === "delete" ? "absent" : ({ kind: "id", id } as const);
  return { name, from: expected === "any" ? undefined : target(expected), to: target(next) };
}

function weight(edit: RefEdit | undefined): number {
  return edit?.next === "delete" ? 0 : 1;
}
