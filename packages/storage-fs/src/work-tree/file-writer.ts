import type { Attributes, ObjectFormat, ObjectId } from "@x/objects";
import { toFile } from "@x/objects";
import type { ObjectTable } from "@x/pack";
import { conversionOf } from "./conversions.ts";
import { FileChanges } from "./file-changes.ts";
import { type IndexEntry, isGitlink } from "./index-entry.ts";
import type { PlannedEntry, UpdatePlan } from "./plan-update.ts";
import type { WorkTreeSettings } from "./settings.ts";
import type { TreeFile } from "./tree-files.ts";
import { UpdateRefused } from "./update-refused.ts";

/** What files are written from. */
export interface FileWriterOptions {
  /** The work tree, a byte path. */
  readonly root: string;
  readonly objects: ObjectTable;
  readonly settings: WorkTreeSettings;
  /** As they are once all is written. */
  readonly attributes: Attributes;
  /** All files that are written. Unit: bytes. */
  readonly maxBytes: number;
}

const EMPTY = new Uint8Array(0);

/** Carries a plan out, and undoes what was done of it. */
export class FileWriter {
  readonly #options: FileWriterOptions;
  /** How many files of the plan were begun with. */
  #begun = 0;

  constructor(options: FileWriterOptions) {
    this.#options = options;
  }

  get format(): ObjectFormat {
    return this.#options.objects.format;
  }

  /**
   * Whether all that is to be written can be: the blobs are there, they are not too large, and what they are to be
   * converted to is known. Yields now and then.
   * @throws UpdateRefused
   */
  *check({ result }: UpdatePlan): Generator<void, void> {
    const { objects, attributes, settings, maxBytes } = this.#options;
    let bytes = 0;
    for (const planned of result) {
      if (planned.kind === "kept" || isGitlink(planned.file.mode)) continue;
      yield;
      const { path, id } = planned.file;
      const number = objects.findId(id);
      if (number < 0) throw new UpdateRefused(`unable to read blob object ${id} ('${path}')`);
      const { type, size } = objects.header(number);
      if (type !== "blob") throw new UpdateRefused(`${id} ('${path}') is not a blob`);
      bytes += size;
      if (bytes > maxBytes) throw new UpdateRefused(`the files take more than maxBytes (${maxBytes} bytes)`);
      const conversion = conversionOf(planned.file, attributes, settings.conversion);
      if (conversion.kind === "unknown")
        throw new UpdateRefused(
          `'${path}' needs a conversion that is not supported: ${conversion.attribute}`,
          `updateInstead cannot go on: ${conversion.attribute} is not supported`,
        );
    }
  }

  /** @returns the entries of the new index. Yields now and then */
  *carryOut(plan: UpdatePlan): Generator<void, IndexEntry[]> {
    const { root, settings } = this.#options;
    const changes = new FileChanges(root, settings);
    yield* changes.remove(plan.removed);
    const entries: IndexEntry[] = [];
    for (const planned of plan.result) {
      this.#begun++;
      if (planned.kind === "kept") {
        entries.push(planned.entry);
        continue;
      }
      yield;
      entries.push(this.#write(planned, changes));
    }
    return entries;
  }

  #write({ file, old }: Extract<PlannedEntry, { kind: "written" }>, changes: FileChanges): IndexEntry {
    const stat = changes.write(file, this.#contentOf(file));
    const { path, mode, id } = file;
    const skipWorktree = old?.skipWorktree ?? false;
    return { path, mode, id, stat, stage: 0, assumeValid: false, skipWorktree, intentToAdd: false };
  }

  #contentOf(file: TreeFile): Uint8Array {
    if (isGitlink(file.mode)) return EMPTY;
    const { attributes, settings } = this.#options;
    const conversion = conversionOf(file, attributes, settings.conversion); // before the blob: it reads objects too
    const data = this.#readBlob(file.id);
    return conversion.kind === "endings" ? toFile(data, conversion.endings) : data;
  }

  #readBlob(id: ObjectId): Uint8Array {
    const { objects } = this.#options;
    const number = objects.findId(id);
    if (number < 0) throw new UpdateRefused(`unable to read blob object ${id}`);
    return objects.read(number).data;
  }

  /** Puts back what the plan had removed or overwritten so far; goes on where one file cannot be. Yields now and then. */
  *undo(plan: UpdatePlan): Generator<void, void> {
    const { root, settings } = this.#options;
    const changes = new FileChanges(root, settings);
    const begun = plan.result.slice(0, this.#begun).filter((planned) => planned.kind === "written");
    for (const { file, old } of begun) if (old === undefined) yield* tried(changes.remove([file]));
    for (const entry of [...plan.removed, ...begun.flatMap(({ old }) => old ?? [])])
      yield* tried(this.#restore(entry, changes));
  }

  *#restore(entry: IndexEntry, changes: FileChanges): Generator<void, void> {
    yield;
    changes.write(entry, this.#contentOf(entry));
  }
}

/** What failed is lost; the rest need not be. */
function* tried(steps: Generator<void, void>): Generator<void, void> {
  try {
    yield* steps;
  } catch {
    // The first failure is the one that is told.
  }
}
