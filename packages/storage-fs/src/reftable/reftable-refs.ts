import { setImmediate as letOthersRun } from "node:timers/promises";
import type { ObjectFormat } from "@x/objects";
import {
  checkEdits,
  getFromReftables,
  inRounds,
  isStorableRefName,
  listReftables,
  type Ref,
  type RefStore,
  type ReftableTable,
  refPlace,
} from "@x/refs";
import type { FileConfig } from "../config/repository-config.ts";
import { toBytePath } from "../disk/byte-path.ts";
import { type Durability, syncsOf } from "../disk/durability.ts";
import { guarded } from "../disk/guarded.ts";
import type { SharedAccess } from "../disk/shared-access.ts";
import { Journal } from "../journal/journal.ts";
import type { PageCache } from "../refs/page-cache.ts";
import type { RefDirectories } from "../refs/ref-directories.ts";
import { reflogPolicy } from "../refs/reflogs.ts";
import { ReftableFiles, type ReftableSnapshot } from "./reftable-files.ts";
import { reftableSettings } from "./reftable-settings.ts";
import {
  type PeelObjects,
  ReftableTransaction,
  type ReftableTransactionContext,
} from "./reftable-transaction.ts";

/** What {@link createReftableRefs} works with. */
export interface ReftableRefsOptions {
  readonly directories: RefDirectories;
  readonly objectFormat: ObjectFormat;
  /** Read for `reftable.*` and `core.logAllRefUpdates`. */
  readonly config: FileConfig;
  /** What has reached the disk when a change is done; all of it when not given. */
  readonly durability?: Durability | undefined;
  /** What others may do with what is made. */
  readonly access?: SharedAccess | undefined;
  /** No work tree belongs to the repository: then new refs get no reflog unless the config asks for it. */
  readonly bare: boolean;
  /** Finds out what tags peel to, which is kept with them; without it, none are taken for tags. */
  readonly peel?: PeelObjects | undefined;
  /** Where tables are remembered. */
  readonly cache: PageCache;
  /** Hears of broken refs, which count as absent, and of reflogs and merges of tables that failed. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Stacks of other work trees that were asked for and are remembered. */
const MAX_OTHER_STACKS = 16;

/** Refs in reftables. */
export interface ReftableRefs extends RefStore {
  /** Removes locks of processes that died; every {@link RefStore.transact} begins with it. @throws RefsError `refs/unavailable` */
  recover(): Promise<void>;
}

/**
 * The refs of a repository that keeps them in reftables: one stack for what its work trees share, which is the main
 * one's own too, and one for each other work tree. They are changed as C git does, which may do so at the same time.
 */
export function createReftableRefs(options: ReftableRefsOptions): ReftableRefs {
  const { objectFormat, cache } = options;
  const warn = options.onWarning ?? (() => {});
  const { own: ownDirectory, common } = options.directories;
  const stackAt = (directory: string) =>
    new ReftableFiles(toBytePath(`${directory}/reftable`), objectFormat, cache);
  const shared = stackAt(common);
  const own = ownDirectory === common ? undefined : stackAt(ownDirectory);
  const others = new Map<string, ReftableFiles>();
  const { refs: sync } = syncsOf(options.durability ?? "full");
  const journal = new Journal(toBytePath(common), sync, options.access);
  const context: ReftableTransactionContext = {
    shared,
    own: own ?? shared,
    settings: reftableSettings(options.config, objectFormat),
    journal,
    access: options.access,
    sync,
    warn,
    policy: reflogPolicy(options.config.get("core.logAllRefUpdates"), options.bare),
    peel: options.peel,
  };
  const recover = () =>
    guarded(async () => {
      // Changes of one stack are whole by nature: what is recorded was about files that are no more.
      for (const intent of await journal.takeOver()) await intent.drop();
    });

  const otherStack = (worktree: string): ReftableFiles => {
    const stack = others.get(worktree) ?? stackAt(`${common}/worktrees/${worktree}`);
    others.delete(worktree);
    others.set(worktree, stack);
    for (const oldest of others.keys()) {
      if (others.size <= MAX_OTHER_STACKS) break;
      others.delete(oldest);
    }
    return stack;
  };

  return {
    async get(name) {
      if (!isStorableRefName(name)) return undefined;
      const place = refPlace(name);
      const stack =
        place.kind === "own"
          ? (own ?? shared)
          : place.kind === "worktree"
            ? otherStack(Buffer.from(place.worktree, "latin1").toString("utf8"))
            : shared;
      const ref = await reading(stack, (tables) => getFromReftables(tables, place.name));
      return ref && { ...ref, name };
    },

    async *list({ prefixes, signal } = {}) {
      const sharedNow = await guarded(() => shared.snapshot());
      let ownNow: ReftableSnapshot | undefined;
      const listing = {
        prefixes,
        onBadName: (name: string) => warn(`ignoring ref with broken name ${name}`),
      };
      try {
        ownNow = own && (await guarded(() => own.snapshot()));
        const refs = listReftables(sharedNow.tables, listing);
        const all =
          ownNow === undefined ? refs : joined(refs, await collected(listReftables(ownNow.tables, listing)));
        for (;;) {
          signal?.throwIfAborted();
          const batch = await guarded(() => all.next());
          if (batch.done) return;
          if (batch.value.length > 0) yield batch.value;
          else await letOthersRun();
        }
      } finally {
        await Promise.all([sharedNow.release(), ownNow?.release()]);
      }
    },

    async state() {
      const stacks = own === undefined ? [shared] : [shared, own];
      return JSON.stringify(await guarded(() => Promise.all(stacks.map((stack) => stack.names()))));
    },

    recover,

    async transact(edits, transactOptions) {
      checkEdits(edits);
      await recover();
      return inRounds(edits, transactOptions, (round) =>
        new ReftableTransaction(context, round, transactOptions).run(),
      );
    },
  };
}

function reading<Result>(
  stack: ReftableFiles,
  work: (tables: readonly ReftableTable[]) => Promise<Result>,
): Promise<Result> {
  return guarded(async () => {
    const snapshot = await stack.snapshot();
    try {
      return await work(snapshot.tables);
    } finally {
      await snapshot.release();
    }
  });
}

/** A work tree's own refs are few. */
async function collected(batches: AsyncIterable<readonly Ref[]>): Promise<Ref[]> {
  const refs: Ref[] = [];
  for await (const batch of batches)
    for (const ref of batch) if (refPlace(ref.name).kind === "own") refs.push(ref);
  return refs;
}

/** What is shared, less what the main work tree has for itself, and `own` in its place. */
async function* joined(
  shared: AsyncIterable<readonly Ref[]>,
  own: readonly Ref[],
): AsyncGenerator<readonly Ref[], void, undefined> {
  let at = 0;
  for await (const batch of shared) {
    const refs: Ref[] = [];
    for (const ref of batch) {
      while (at < own.length && (own[at] as Ref).name < ref.name) refs.push(own[at++] as Ref);
      if (refPlace(ref.name).kind === "shared") refs.push(ref);
    }
    yield refs;
  }
  yield own.slice(at);
}
