import type { ObjectId } from "@x/objects";
import { type Ref, type ResolvedRef, resolveRef } from "@x/refs";
import type { Repository } from "./ports.ts";

/** A ref that a session may know of, symbolic refs followed. */
export interface VisibleRef {
  readonly name: string;
  readonly id: ObjectId;
  /** What the tag it holds peels to. Only where {@link ListOptions.peel} was asked for. */
  readonly peeled?: ObjectId | undefined;
  /** The last ref on the way, where this one is symbolic. */
  readonly symrefTarget?: string | undefined;
}

/** What to list, and how. */
export interface ListOptions {
  readonly prefixes?: readonly string[] | undefined;
  readonly peel?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Where HEAD leads: to an id, to a ref, or to a ref that does not exist yet. */
export interface Head {
  readonly target?: string | undefined;
  readonly ref?: VisibleRef | undefined;
}

/** Up to this many names are looked up one by one; for more, one walk over all refs is cheaper. */
const MAX_LOOKUPS = 256;

interface Resolved {
  readonly ref: Ref;
  readonly id: ObjectId;
  readonly symrefTarget?: string | undefined;
}

/**
 * The one gate: which refs a session may see. Every service asks here, nothing else reads the ref store for a
 * client. Refs that lead to nothing stored are passed over.
 */
export class VisibleRefs {
  readonly #repository: Repository;
  readonly #isVisible: (name: string) => boolean;
  readonly #onBroken: (name: string) => void;

  constructor(
    repository: Repository,
    options: {
      readonly isVisible?: (name: string) => boolean;
      readonly onBroken?: (name: string) => void;
    } = {},
  ) {
    this.#repository = repository;
    this.#isVisible = options.isVisible ?? (() => true);
    this.#onBroken = options.onBroken ?? (() => {});
  }

  /** HEAD; empty when it cannot be seen, or leads astray. */
  async head(options: ListOptions = {}): Promise<Head> {
    if (!this.#isVisible("HEAD")) return {};
    const resolved = await resolveRef(this.#repository.refs, "HEAD");
    if (resolved === undefined) return {};
    if (resolved.status === "broken") {
      this.#onBroken("HEAD");
      return {};
    }
    const target = resolved.name === "HEAD" ? undefined : resolved.name;
    if (target !== undefined && !this.#isVisible(target)) return {};
    if (resolved.status === "unborn") return { target };
    const stored = { ref: { ...resolved.ref, name: "HEAD" }, id: resolved.id, symrefTarget: target };
    const [ref] = await this.#stored([stored], options);
    return { target, ref };
  }

  /** The ref that HEAD stands for, whether it exists or not; `undefined` when HEAD is detached or cannot be seen. */
  async headTarget(): Promise<string | undefined> {
    if (!this.#isVisible("HEAD")) return undefined;
    const resolved = await resolveRef(this.#repository.refs, "HEAD");
    if (resolved === undefined || resolved.status === "broken" || resolved.name === "HEAD") return undefined;
    return resolved.name;
  }

  /** Refs below `refs/`, in byte order of names, in batches. */
  async *list(options: ListOptions = {}): AsyncGenerator<readonly VisibleRef[], void, undefined> {
    for await (const batch of this.#resolved(options)) yield await this.#stored(batch, options);
  }

  /** Every id that a visible ref or HEAD holds, whether it is stored or not. */
  async tips(signal?: AbortSignal): Promise<Set<ObjectId>> {
    const tips = new Set<ObjectId>();
    await this.#eachTip((id) => tips.add(id), signal);
    return tips;
  }

  /** Those of `ids` that no visible ref holds. */
  async withoutTips(ids: Iterable<ObjectId>, signal?: AbortSignal): Promise<Set<ObjectId>> {
    const left = new Set(ids);
    if (left.size > 0) await this.#eachTip((id) => left.delete(id) && left.size === 0, signal);
    return left;
  }

  /** How many refs can be seen. */
  async count(signal?: AbortSignal): Promise<number> {
    let count = 0;
    for await (const batch of this.#resolved({ signal })) count += batch.length;
    return count;
  }

  /** What one full name holds; `undefined` for a hidden ref as for a missing one. */
  async resolve(name: string): Promise<{ readonly name: string; readonly id: ObjectId } | undefined> {
    if (!this.#isVisible(name)) return undefined;
    const resolved = await resolveRef(this.#repository.refs, name);
    if (resolved?.status !== "found" || !this.#isVisible(resolved.name)) return undefined;
    return { name: resolved.name, id: resolved.id };
  }

  /** Those of `names` that are symbolic, and where they lead. */
  async symbolic(names: readonly string[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const { refs } = this.#repository;
    const symbolic: string[] = [];
    if (names.length <= MAX_LOOKUPS) {
      const found = await Promise.all(names.map((name) => refs.get(name)));
      for (const ref of found) if (ref?.target.kind === "symbolic") symbolic.push(ref.name);
    } else {
      const wanted = new Set(names);
      for await (const batch of refs.list())
        for (const { name, target } of batch)
          if (target.kind === "symbolic" && wanted.has(name)) symbolic.push(name);
    }
    const resolved = new Map<string, ResolvedRef>();
    for (const name of symbolic) {
      const ref = await resolveRef(refs, name);
      if (ref !== undefined) resolved.set(name, ref);
    }
    return resolved;
  }

  /** Calls `visit` with each tip until it returns true. */
  async #eachTip(visit: (id: ObjectId) => unknown, signal: AbortSignal | undefined): Promise<void> {
    for await (const batch of this.#resolved({ signal }))
      for (const { id } of batch) if (visit(id) === true) return;
    const head = await this.resolve("HEAD");
    if (head !== undefined) visit(head.id);
  }

  async *#resolved(options: ListOptions): AsyncGenerator<readonly Resolved[], void, undefined> {
    const { refs } = this.#repository;
    for await (const batch of refs.list({ prefixes: options.prefixes, signal: options.signal })) {
      const resolved: Resolved[] = [];
      for (const ref of batch) {
        if (!this.#isVisible(ref.name)) continue;
        if (ref.target.kind === "id") {
          resolved.push({ ref, id: ref.target.id });
          continue;
        }
        const found = await resolveRef(refs, ref.name);
        if (found?.status !== "found") this.#onBroken(ref.name);
        else if (this.#isVisible(found.name))
          resolved.push({ ref: { ...found.ref, name: ref.name }, id: found.id, symrefTarget: found.name });
      }
      yield resolved;
    }
  }

  /** Leaves out what is not stored, and peels. One question to the store for each kind, whatever the batch's size. */
  async #stored(batch: readonly Resolved[], options: ListOptions): Promise<VisibleRef[]> {
    const { objects } = this.#repository;
    const toPeel = options.peel === true ? batch.filter(({ ref }) => ref.peeled === undefined) : [];
    const toFind = toPeel.length === 0 ? batch : batch.filter(({ ref }) => ref.peeled !== undefined);
    const ids = (list: readonly Resolved[]) => list.map(({ id }) => id);
    const [peeled, found] = await Promise.all([
      toPeel.length === 0 ? [] : objects.peel(ids(toPeel), options),
      toFind.length === 0 ? [] : objects.has(ids(toFind), options),
    ]);
    const visible: VisibleRef[] = [];
    let peelAt = 0;
    let findAt = 0;
    for (const { ref, id, symrefTarget } of batch) {
      let peeledId: ObjectId | undefined;
      let exists: boolean;
      if (toPeel.length > 0 && ref.peeled === undefined) {
        const object = peeled[peelAt++];
        exists = object !== undefined;
        if (object?.id !== id) peeledId = object?.id;
      } else {
        exists = found[findAt++] === true;
        peeledId = ref.peeled ?? undefined;
      }
      if (exists) visible.push({ name: ref.name, id, peeled: peeledId, symrefTarget });
      else this.#onBroken(ref.name);
    }
    return visible;
  }
}
