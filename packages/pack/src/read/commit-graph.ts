import type { CreateHasher, ObjectFormat } from "@x/objects";
import { rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import { CommitGraphFile } from "../format/commit-graph-file.ts";

/**
 * What a commit-graph file, or a chain of them, tells of commits. Each commit has a position; what it leads to is there
 * too. Whether the commits are stored is another question. Spec: gitformat-commit-graph.
 */
export class CommitGraph {
  /** Commits in all files. */
  readonly count: number;
  readonly #files: readonly CommitGraphFile[];
  /** Levels and dates do not compare: dates count only where every file has them. */
  readonly #hasDates: boolean;

  private constructor(files: readonly CommitGraphFile[]) {
    this.#files = files;
    this.count = files.reduce((sum, file) => sum + file.count, 0);
    this.#hasDates = files.every((file) => file.hasDates);
  }

  /**
   * Opens whole files, the lowest of a chain first. All of it is checked now.
   * @param names what the chain calls its files, in raw hashes; for a single file none are needed
   * @throws PackError `pack/bad-index`, `pack/bad-checksum`
   */
  static open(
    files: readonly Uint8Array[],
    names: readonly Uint8Array[],
    format: ObjectFormat,
    createHasher: CreateHasher,
  ): CommitGraph {
    const opened: CommitGraphFile[] = [];
    let below = 0;
    for (const bytes of files) {
      const file = new CommitGraphFile(bytes, format, below, createHasher);
      checkBases(file.bases, names.slice(0, opened.length), rawIdLength(format));
      opened.push(file);
      below += file.count;
    }
    return new CommitGraph(opened);
  }

  /** The position of the commit whose raw id stands in `bytes` at `at`; -1 when no file has it. */
  find(bytes: Uint8Array, at: number): number {
    for (let i = this.#files.length - 1; i >= 0; i--) {
      const file = this.#files[i] as CommitGraphFile;
      const index = file.find(bytes, at);
      if (index >= 0) return file.below + index;
    }
    return -1;
  }

  #fileOf(position: number): CommitGraphFile {
    let i = this.#files.length - 1;
    while ((this.#files[i] as CommitGraphFile).below > position) i--;
    return this.#files[i] as CommitGraphFile;
  }

  /** The raw id at `position`, a view. */
  rawId(position: number): Uint8Array {
    const file = this.#fileOf(position);
    return file.rawId(position - file.below);
  }

  /** The raw id of its tree, a view. */
  rawTree(position: number): Uint8Array {
    const file = this.#fileOf(position);
    return file.rawTree(position - file.below);
  }

  /** Positions of its parents, in order. */
  parents(position: number): number[] {
    const file = this.#fileOf(position);
    return file.parents(position - file.below);
  }

  /** When it was committed. Unit: seconds since 1970. */
  time(position: number): number {
    const file = this.#fileOf(position);
    return file.time(position - file.below);
  }

  /** Greater than that of each commit it leads to; `Infinity` where that is not known. */
  generation(position: number): number {
    const file = this.#fileOf(position);
    if (this.#hasDates) return file.correctedTime(position - file.below);
    return file.level(position - file.below) || Infinity;
  }
}

function checkBases(bases: Uint8Array, names: readonly Uint8Array[], idLength: number): void {
  const fits =
    bases.length === names.length * idLength &&
    names.every((name, i) => name.every((byte, k) => byte === bases[i * idLength + k]));
  if (!fits) throw new PackError("pack/bad-index", "the commit-graph belongs on top of other files");
}
