/** Objects that are noted on either side; what comes later goes without. */
const MAX_NOTES = 500_000;

const ROOT = 0x811c9dc5 | 0;
const FACTOR = 0x01000193;

/**
 * Which object the other side has at the place of a wanted one. Paths are kept as 32-bit sums: two that meet by chance
 * cost a poor delta, nothing more.
 */
export class PathNotes {
  /** Wanted object, or tree of the other side → path. */
  #paths: Map<number, number> = new Map();
  /** Path → object of the other side. */
  #had: Map<number, number> = new Map();
  /** Wanted object → object of the other side, once no more is to be noted. */
  #alike: Map<number, number> | undefined;

  noteHadRoot(tree: number): void {
    this.#had.set(ROOT, tree);
  }

  noteWantedRoot(tree: number): void {
    this.#paths.set(tree, ROOT);
  }

  /** `name[start … end)` in `tree` is `number`, and the other side has both. */
  noteHad(number: number, tree: number, name: Uint8Array, start: number, end: number): void {
    if (this.#had.size >= MAX_NOTES) return;
    const path = this.#below(tree, name, start, end);
    this.#had.set(path, number);
    this.#paths.set(number, path);
  }

  /** `name[start … end)` in `tree` is `number`, and both are wanted. */
  noteWanted(number: number, tree: number, name: Uint8Array, start: number, end: number): void {
    if (this.#paths.size < 2 * MAX_NOTES) this.#paths.set(number, this.#below(tree, name, start, end));
  }

  /** What the other side has where `number` is wanted; -1 when that is not known. */
  likeness(number: number): number {
    if (this.#alike !== undefined) return this.#alike.get(number) ?? -1;
    const path = this.#paths.get(number);
    return path === undefined ? -1 : (this.#had.get(path) ?? -1);
  }

  /** Nothing more will be noted: keeps what is known of the objects that `isWanted`, mostly few of those that were met. */
  settle(isWanted: (number: number) => boolean): void {
    const alike = new Map<number, number>();
    for (const [number, path] of this.#paths) {
      const had = isWanted(number) ? this.#had.get(path) : undefined;
      if (had !== undefined) alike.set(number, had);
    }
    this.#alike = alike;
    this.#paths = this.#had = new Map();
  }

  #below(tree: number, name: Uint8Array, start: number, end: number): number {
    let path = Math.imul(this.#paths.get(tree) ?? ROOT, FACTOR) ^ 0x2f;
    for (let i = start; i < end; i++) path = Math.imul(path ^ (name[i] as number), FACTOR);
    return path;
  }
}
