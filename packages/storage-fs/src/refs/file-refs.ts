import { setImmediate as letOthersRun } from "node:timers/promises";
import type { ObjectFormat } from "@x/objects";
import {
  checkEdits,
  inRounds,
  isStorableRefName,
  minimalPrefixes,
  type PackedRefs,
  type Ref,
  type RefStore,
  selectPrefixes,
  type TransactOptions,
} from "@x/refs";
import { parseConfigInteger } from "../config/config-value.ts";
import type { FileConfig } from "../config/repository-config.ts";
import { toBytePath } from "../disk/byte-path.ts";
import { type Durability, syncsOf } from "../disk/durability.ts";
import { guarded } from "../disk/guarded.ts";
import type { SharedAccess } from "../disk/shared-access.ts";
import { Journal } from "../journal/journal.ts";
import type { MemoryBudget } from "../memory-budget.ts";
import type { RepositoryLayout } from "../repository/layout.ts";
import { type LooseRef, LooseRefs, type ScanLooseRefs, scanHere } from "./loose-refs.ts";
import { PackedRefsFile } from "./packed-refs-file.ts";
import { RefFiles } from "./ref-files.ts";
import { recoverRefs } from "./ref-recovery.ts";
import { RefTransaction, type RefTransactionContext } from "./ref-transaction.ts";
import { Reflogs, reflogPolicy } from "./reflogs.ts";

/** What {@link createFileRefs} works with. */
export interface FileRefsOptions {
  readonly layout: RepositoryLayout;
  readonly objectFormat: ObjectFormat;
  /** Read for `core.logAllRefUpdates`, `core.filesRefLockTimeout` and `core.packedRefsTimeout`. */
  readonly config: FileConfig;
  /** What has reached the disk when a change is done; all of it when not given. */
  readonly durability?: Durability | undefined;
  /** What others may do with what is made. */
  readonly access?: SharedAccess | undefined;
  /** No work tree belongs to the repository: then new refs get no reflog unless the config asks for it. */
  readonly bare: boolean;
  /** Room for packed-refs files, which are kept as they were parsed; without it, this one is kept for good. */
  readonly memory?: MemoryBudget | undefined;
  /** Looks through the loose refs, in another thread; in this one, by turns, when not given. */
  readonly scanLooseRefs?: ScanLooseRefs | undefined;
  /** Hears of broken refs, which count as absent, and of reflogs that could not be written. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Refs in files. */
export interface FileRefs extends RefStore {
  /** Clears up after processes that died; every {@link RefStore.transact} begins with it. @throws RefsError `refs/unavailable` */
  recover(): Promise<void>;
}

/** A listing of one batch. A push asks for the same twice. */
interface KnownListing {
  readonly key: string;
  readonly above: readonly LooseRef[];
  readonly snapshot: PackedRefs;
  readonly batch: readonly Ref[];
}

/** Refs that one batch of a listing holds. */
const BATCH = 1000;
/** Batches made without a pause: some ten milliseconds. */
const BATCHES_PER_TURN = 8;

/**
 * The refs of a repository as C git keeps them: loose files over one packed-refs file, changed under `.lock` files,
 * so that C git may work on them at the same time. Keep one for a repository that is asked often: it remembers
 * packed-refs. Several, in several processes too, do no harm.
 */
export function createFileRefs(options: FileRefsOptions): FileRefs {
  const { layout, objectFormat, config, bare } = options;
  const warn = options.onWarning ?? (() => {});
  const files = new RefFiles(layout, objectFormat, options.access);
  const packed = new PackedRefsFile(toBytePath(layout.packedRefsFile), objectFormat, warn, options.memory);
  const loose = new LooseRefs(
    {
      gitDirectory: toBytePath(layout.gitDirectory),
      commonDirectory: toBytePath(layout.commonDirectory),
      format: objectFormat,
    },
    options.scanLooseRefs ?? scanHere(),
    warn,
  );
  const policy = reflogPolicy(config.get("core.logAllRefUpdates"), bare);
  const { refs: sync } = syncsOf(options.durability ?? "full");
  const context: RefTransactionContext = {
    format: objectFormat,
    files,
    packed,
    journal: new Journal(toBytePath(layout.commonDirectory), sync, options.access),
    sync,
    warn,
    reflogs: new Reflogs(files, objectFormat, policy, warn),
    refLockTimeoutMs: parseConfigInteger(config.get("core.filesRefLockTimeout") ?? "") ?? 100,
    packedRefsTimeoutMs: parseConfigInteger(config.get("core.packedRefsTimeout") ?? "") ?? 1000,
  };
  let last: KnownListing | undefined;
  return {
    recover: () => guarded(() => recoverRefs(context)),

    async get(name) {
      if (!isStorableRefName(name)) return undefined;
      const state = await guarded(() => files.read(name));
      if (typeof state === "object") return { name, target: state };
      if (state !== "broken") return (await guarded(() => packed.read())).get(name);
      warn(`ignoring broken ref ${name}`);
      return undefined;
    },

    async *list({ prefixes, signal } = {}) {
      signal?.throwIfAborted();
      const wanted = minimalPrefixes(prefixes);
      const key = wanted.join("\n");
      // Loose files first: what is packed and removed meanwhile is then found in packed-refs.
      const { refs: above } = await guarded(() => loose.list(wanted, signal));
      const snapshot = await guarded(() => packed.read());
      if (last?.above === above && last.snapshot === snapshot && last.key === key) {
        yield last.batch;
        return;
      }
      let at = 0;
      let batch: Ref[] = [];
      const take = (ref: LooseRef | undefined) => {
        if (ref?.target !== undefined) batch.push(ref);
        at++;
      };
      let batches = 0;
      for (const { start, end } of selectPrefixes(snapshot, wanted)) {
        for (let index = start; index < end; index++) {
          const name = snapshot.nameAt(index);
          while (at < above.length && (above[at] as LooseRef).name < name) take(above[at]);
          if (above[at]?.name !== name) batch.push(snapshot.refAt(index));
          if (batch.length < BATCH) continue;
          signal?.throwIfAborted();
          // A consumer that only counts would otherwise keep everybody else waiting.
          if (++batches % BATCHES_PER_TURN === 0) await letOthersRun();
          yield batch;
          batch = [];
        }
      }
      while (at < above.length) {
        take(above[at]);
        if (batch.length < BATCH) continue;
        batches++;
        yield batch;
        batch = [];
      }
      if (batches === 0 && batch.length > 0) last = { key, above, snapshot, batch };
      if (batch.length > 0) yield batch;
    },

    async state(prefixes) {
      const head = await guarded(() => files.read("HEAD"));
      const { serial } = await guarded(() => loose.list(minimalPrefixes(prefixes), undefined));
      return JSON.stringify([head, serial, await guarded(() => packed.serial())]);
    },

    async transact(edits, options: TransactOptions) {
      checkEdits(edits);
      await guarded(() => recoverRefs(context));
      return inRounds(edits, options, (round) => new RefTransaction(context, round, options).run());
    },
  };
}
