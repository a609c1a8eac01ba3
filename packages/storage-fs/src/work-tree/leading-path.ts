import { lstatOf } from "./stat-data.ts";

/** What stands at a path's directories. */
export type Leading =
  | { readonly kind: "directories" }
  /** Nothing is there from some directory on. */
  | { readonly kind: "missing" }
  /** A file or a symlink stands where a directory is wanted; `path` from the top of the work tree. */
  | { readonly kind: "blocked"; readonly path: string };

/**
 * Looks at the directories above paths of a work tree, so that none is reached through a symlink. Remembers the
 * directories, for as long as nobody else may change them.
 */
export class LeadingPaths {
  readonly #root: string;
  readonly #directories: Set<string> = new Set();

  /** @param root the work tree, a byte path */
  constructor(root: string) {
    this.#root = root;
  }

  /** @param path from the top of the work tree, a byte path */
  look(path: string): Leading {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const directory = path.slice(0, slash);
      if (this.#directories.has(directory)) continue;
      const stats = lstatOf(`${this.#root}/${directory}`);
      if (stats === undefined) return { kind: "missing" };
      if (!stats.isDirectory()) return { kind: "blocked", path: directory };
      this.#directories.add(directory);
    }
    return { kind: "directories" };
  }

  /** Takes note that a directory was made. */
  add(directory: string): void {
    this.#directories.add(directory);
  }

  forget(): void {
    this.#directories.clear();
  }
}
