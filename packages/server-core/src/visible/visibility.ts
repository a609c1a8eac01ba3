import type { ObjectId } from "@x/objects";
import { isValidRefName, type Ref, type ResolvedRef, resolveRef } from "@x/refs";
import type { Repository } from "../ports.ts";
import type { RefScope } from "./ref-scope.ts";

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
  /** Hidden refs too: for questions about objects, never to be shown. */
  readonly hidden?: boolean;
  /**
   * What a pusher is told: refs outside of the namespace too, by the name `.have`, for what need not be sent; and refs whose
   * object is not stored, which can be deleted then.
   */
  readonly haves?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Where HEAD leads: to an id, to a ref, or to a ref that does not exist yet. */
export interface Head {
  readonly target?: string | undefined;
  readonly ref?: VisibleRef | undefined;
  /** What {@link ref} holds is not stored. */
  readonly isLost?: boolean;
}

/** Up to this many names are looked up one by one; for more, one walk over all refs is cheaper. */
const MAX_LOOKUPS = 256;

/** What a ref outside of the namespace is called in an announcement. Spec: gitprotocol-pack, "Reference Discovery". */
export const HAVE = ".have";

interface Resolved {
  readonly name: string;
  readonly ref: Ref;
  readonly id: ObjectId;
  readonly symrefTarget?: string | undefined;
}

/** What became of a batch of the store's, which does not change any more. */
interface ResolvedBatch {
  readonly hidden: boolean | undefined;
  readonly haves: boolean | undefined;
  readonly batch: readonly Ref[];
  readonly resolved: readonly Resolved[];
}

/**
 * The one gate: which refs a session may see, by names as it sees them. Every service asks here, nothing else reads
 * the ref store for a client. Refs that lead to nothing stored are passed over, and so are symbolic refs that lead
 * to what is hidden, or out of the namespace.
 */
export class VisibleRefs {
  readonly #repository: Repository;
  readonly #scope: RefScope;
  readonly #onBroken: (name: string) => void;
  #brokenSeen = 0;
  /** A push lists the same refs twice. */
  #last: ResolvedBatch | undefined;

  constructor(
    repository: Repository,
    options: {
      readonly scope: RefScope;
      readonly onBroken?: (name: string) => void;
    },
  ) {
    this.#repository = repository;
    this.#scope = options.scope;
    this.#onBroken = (name) => {
      this.#brokenSeen++;
      options.onBroken?.(name);
    };
  }

  /** How often a ref was passed over so far because it leads nowhere. */
  get brokenSeen(): number {
    return this.#brokenSeen;
  }

  /** HEAD; empty when it cannot be seen, or leads astray. */
  async head(options: ListOptions = {}): Promise<Head> {
    const scope = this.#scope;
    const resolved = await resolveRef(this.#repository.refs, scope.fullName("HEAD"));
    if (resolved === undefined || !(options.hidden === true || scope.isVisible("HEAD"))) return {};
    if (resolved.status === "broken") {
      this.#onBroken("HEAD");
      return {};
    }
    const name = this.#seen(resolved.name, options);
    if (name === undefined) return {};
    const target = name === "HEAD" ? undefined : name;
    if (resolved.status === "unborn") return { target };
    const stored = { name: "HEAD", ref: resolved.ref, id: resolved.id, symrefTarget: target };
    const [ref] = await this.#stored([stored], options);
    // Announced even if its object is lost, as in C git: a client must not take damage for an empty repository.
    return {
      target,
      ref: ref ?? { name: "HEAD", id: resolved.id, symrefTarget: target },
      isLost: ref === undefined,
    };
  }

  /**
   * The branch that the repository's own HEAD stands for, whether it exists or not, by its full name. What may be
   * pushed depends on it however little of it the pusher sees.
   */
  async currentBranch(): Promise<string | undefined> {
    const resolved = await resolveRef(this.#repository.refs, "HEAD");
    return resolved === undefined || resolved.status === "broken" || resolved.name === "HEAD"
      ? undefined
      : resolved.name;
  }

  /** A name as the store knows it. */
  fullName(name: string): string {
    return this.#scope.fullName(name);
  }

  isVisible(name: string): boolean {
    return this.#scope.isVisible(name);
  }

  /** Refs below `refs/`, in byte order of full names, in batches. */
  async *list(options: ListOptions = {}): AsyncGenerator<readonly VisibleRef[], void, undefined> {
    for await (const batch of this.#resolved(options))
      yield options.haves === true
        ? await this.#withoutLostHaves(batch, options)
        : await this.#stored(batch, options);
  }

  /** Every id that a visible ref or HEAD holds, whether it is stored or not. */
  async tips(
    signal?: AbortSignal,
    options: Pick<ListOptions, "hidden" | "haves"> = {},
  ): Promise<Set<ObjectId>> {
    const tips = new Set<ObjectId>();
    await this.#eachTip((id) => tips.add(id), { ...options, signal });
    return tips;
  }

  /** Those of `ids` that no visible ref holds. */
  async withoutTips(
    ids: Iterable<ObjectId>,
    signal?: AbortSignal,
    options: Pick<ListOptions, "hidden"> = {},
  ): Promise<Set<ObjectId>> {
    const left = new Set(ids);
    if (left.size > 0)
      await this.#eachTip((id) => left.delete(id) && left.size === 0, { ...options, signal });
    return left;
  }

  /** How many refs can be seen. */
  async count(signal?: AbortSignal): Promise<number> {
    let count = 0;
    for await (const batch of this.#resolved({ signal })) count += batch.length;
    return count;
  }

  /** What one full name holds; `undefined` for a hidden ref as for a missing one, and for what is no name. */
  async resolve(
    name: string,
    options: ListOptions = {},
  ): Promise<{ readonly name: string; readonly id: ObjectId } | undefined> {
    if (name !== "HEAD" && !(name.startsWith("refs/") && isValidRefName(name))) return undefined;
    // Looked up before it is judged: what is hidden takes as long as what is missing.
    const resolved = await resolveRef(this.#repository.refs, this.#scope.fullName(name));
    if (!(options.hidden === true || this.#scope.isVisible(name)) || resolved?.status !== "found")
      return undefined;
    const last = this.#seen(resolved.name, options);
    return last === undefined ? undefined : { name: last, id: resolved.id };
  }

  /** What each of `names` holds, less those that {@link resolve} would not tell of. */
  async resolveAll(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, ObjectId>> {
    const found = new Map<string, ObjectId>();
    const few = names.length <= MAX_LOOKUPS;
    const single = few ? names : names.filter((name) => name === "HEAD");
    const looked = await Promise.all(single.map((name) => this.resolve(name)));
    for (const [i, ref] of looked.entries()) if (ref !== undefined) found.set(single[i] as string, ref.id);
    if (few) return found;
    const wanted = new Set(names);
    for await (const batch of this.#resolved({ signal }))
      for (const { name, id } of batch) if (wanted.has(name)) found.set(name, id);
    return found;
  }

  /** Those of `names` that are symbolic, and where they lead; out of the namespace counts as broken. */
  async symbolic(names: readonly string[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const { refs } = this.#repository;
    const scope = this.#scope;
    const symbolic: string[] = [];
    if (names.length <= MAX_LOOKUPS) {
      const found = await Promise.all(names.map((name) => refs.get(scope.fullName(name))));
      for (const [i, ref] of found.entries())
        if (ref?.target.kind === "symbolic") symbolic.push(names[i] as string);
    } else {
      const wanted = new Map(names.map((name) => [scope.fullName(name), name]));
      for await (const batch of refs.list())
        for (const { name, target } of batch) {
          const asked = wanted.get(name);
          if (target.kind === "symbolic" && asked !== undefined) symbolic.push(asked);
        }
    }
    const resolved = new Map<string, ResolvedRef>();
    for (const name of symbolic) {
      const ref = await resolveRef(refs, scope.fullName(name));
      if (ref === undefined) continue;
      const last = scope.nameOf(ref.name);
      resolved.set(name, last === undefined ? { status: "broken", name } : { ...ref, name: last });
    }
    return resolved;
  }

  /** Calls `visit` with each tip until it returns true. */
  async #eachTip(visit: (id: ObjectId) => unknown, options: ListOptions): Promise<void> {
    for await (const batch of this.#resolved(options))
      for (const { id } of batch) if (visit(id) === true) return;
    const head = await this.resolve("HEAD", options);
    if (head !== undefined) visit(head.id);
  }

  /** A stored name as the session sees it; `undefined` when it does not. */
  #seen(fullName: string, options: ListOptions): string | undefined {
    const name = this.#scope.nameOf(fullName);
    return name !== undefined && (options.hidden === true || this.#scope.isVisible(name)) ? name : undefined;
  }

  /** What a stored ref is called in this listing, if it belongs there. */
  #listedName(fullName: string, options: ListOptions): string | undefined {
    const name = this.#scope.nameOf(fullName);
    if (name === undefined) return options.haves === true && this.#scope.mayLend(fullName) ? HAVE : undefined;
    // The HEAD of a namespace lies among the refs, and C git's receive-pack lists it with them.
    const isListed = name.startsWith("refs/") || (options.haves === true && name === "HEAD");
    return isListed ? this.#seen(fullName, options) : undefined;
  }

  async *#resolved(options: ListOptions): AsyncGenerator<readonly Resolved[], void, undefined> {
    const { signal } = options;
    const prefixes = options.haves === true ? undefined : this.#prefixes(options.prefixes);
    for await (const batch of this.#repository.refs.list({ prefixes, signal })) {
      const { hidden, haves } = options;
      const last = this.#last;
      if (last?.batch === batch && last.hidden === hidden && last.haves === haves) yield last.resolved;
      else {
        const resolved = await this.#resolveBatch(batch, options);
        const isFixed = batch.every(({ target }) => target.kind === "id");
        this.#last = isFixed ? { batch, resolved, hidden, haves } : undefined;
        yield resolved;
      }
    }
  }

  async #resolveBatch(batch: readonly Ref[], options: ListOptions): Promise<Resolved[]> {
    const { refs } = this.#repository;
    const resolved: Resolved[] = [];
    for (const ref of batch) {
      const name = this.#listedName(ref.name, options);
      if (name === undefined) continue;
      if (ref.target.kind === "id") {
        resolved.push({ name, ref, id: ref.target.id });
        continue;
      }
      const found = await resolveRef(refs, ref.name);
      if (found?.status !== "found") this.#onBroken(name);
      else if (name === HAVE) resolved.push({ name, ref: found.ref, id: found.id });
      else {
        const target = this.#seen(found.name, options);
        if (target !== undefined) resolved.push({ name, ref: found.ref, id: found.id, symrefTarget: target });
      }
    }
    return resolved;
  }

  #prefixes(prefixes: readonly string[] | undefined): readonly string[] | undefined {
    if (!this.#scope.isNarrow) return prefixes;
    return (prefixes ?? ["refs/"]).map((prefix) => this.#scope.fullName(prefix));
  }

  /** What is not stored cannot be built upon, so it is no `.have`. */
  async #withoutLostHaves(batch: readonly Resolved[], options: ListOptions): Promise<VisibleRef[]> {
    const lent = batch.filter(({ name }) => name === HAVE).map(({ id }) => id);
    const answers = lent.length === 0 ? [] : await this.#repository.objects.has(lent, options);
    const lost = new Set(lent.filter((_, i) => answers[i] !== true));
    return batch.filter(({ name, id }) => name !== HAVE || !lost.has(id));
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
    for (const { name, ref, id, symrefTarget } of batch) {
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
      if (exists) visible.push({ name, id, peeled: peeledId, symrefTarget });
      else this.#onBroken(name);
    }
    return visible;
  }
}
