import type { Positions } from "@x/objects";
import { PackError } from "../errors.ts";
import type { SparsePattern } from "./sparse-patterns.ts";

/** What the patterns of one file still have to say below a directory. */
interface ListPlace {
  /** Whether what no pattern matches is selected: as the directory was. */
  readonly fallback: boolean;
  /** Patterns that may match something below, in order, and how far they came. */
  readonly live: readonly LivePattern[];
}

interface LivePattern {
  readonly pattern: SparsePattern;
  /** Its number in the file. */
  readonly index: number;
  readonly positions: Positions;
}

interface Place {
  readonly lists: readonly ListPlace[];
}

/** Every blob below is selected. */
export const ALL = 0;
/** No blob below is selected. */
export const NONE = 1;

/** What the places of one walk may take. Unit: characters that tell them apart, about a byte of memory each. */
const MAX_PLACES_CHARS = 64 * 1024 * 1024;

const SLASH: Uint8Array = new Uint8Array([0x2f]);

/**
 * The places in a tree of directories that sparse patterns tell apart, each with a number: directories for which they
 * have the same to say below are one place. So a walk may look at a tree once for each place, not once for each path.
 * With several lists of patterns, all have to select a blob. Spec: git-rev-list(1), `--filter=sparse:oid`.
 */
export class SparsePlaces {
  readonly #places: Place[] = [{ lists: [] }, { lists: [] }];
  readonly #numbers: Map<string, number> = new Map();
  readonly #maxChars: number;
  #chars = 0;
  /** Where the tree of a commit is. */
  readonly root: number;
  /** Where a tree is that is asked for by itself. */
  readonly wanted: number;

  constructor(lists: readonly (readonly SparsePattern[])[], maxChars: number = MAX_PLACES_CHARS) {
    this.#maxChars = maxChars;
    const places = lists.map((patterns): ListPlace => {
      const live = patterns.map((pattern, index) => ({ pattern, index, positions: pattern.match.start }));
      return { fallback: false, live };
    });
    this.wanted = this.#numberOf(places);
    // A root tree has an empty name, and that name may match.
    const nothing = new Uint8Array(0);
    this.root = this.#numberOf(
      places.map((list) => ({
        fallback: verdict(
          list,
          list.live.filter(({ pattern }) => pattern.nameOnly),
          nothing,
          0,
          0,
          true,
        ),
        live: list.live,
      })),
    );
  }

  /** Whether the blob `name[start … end)` in a directory at `place` is selected. */
  selects(place: number, name: Uint8Array, start: number, end: number): boolean {
    if (place <= NONE) return place === ALL;
    const { lists } = this.#places[place] as Place;
    return lists.every((list) => verdict(list, list.live, name, start, end, false));
  }

  /** The place of the directory `name[start … end)` in one at `place`. @throws PackError `pack/limit-exceeded` */
  below(place: number, name: Uint8Array, start: number, end: number): number {
    if (place <= NONE) return place;
    const { lists } = this.#places[place] as Place;
    return this.#numberOf(
      lists.map((list) => ({
        fallback: verdict(list, list.live, name, start, end, true),
        live: list.live.flatMap((one) => liveBelow(one, name, start, end)),
      })),
    );
  }

  #numberOf(lists: readonly ListPlace[]): number {
    const settled = lists.map(settle);
    if (settled.every((list) => list.live.length === 0 && list.fallback)) return ALL;
    if (settled.some((list) => list.live.length === 0 && !list.fallback)) return NONE;
    const key = settled.map(keyOf).join("|");
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#chars += key.length;
    if (this.#chars > this.#maxChars)
      throw new PackError(
        "pack/limit-exceeded",
        `sparse patterns tell more directories apart than maxSparsePlaces allows (${this.#maxChars})`,
      );
    const number = this.#places.push({ lists: settled }) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

/** The last pattern that matches decides. */
function verdict(
  { fallback }: ListPlace,
  live: readonly LivePattern[],
  name: Uint8Array,
  start: number,
  end: number,
  isDirectory: boolean,
): boolean {
  for (let i = live.length - 1; i >= 0; i--) {
    const { pattern, positions } = live[i] as LivePattern;
    if (pattern.directoriesOnly && !isDirectory) continue;
    if (pattern.match.isMatch(pattern.match.advance(positions, name, start, end))) return !pattern.negative;
  }
  return fallback;
}

function liveBelow(one: LivePattern, name: Uint8Array, start: number, end: number): LivePattern[] {
  const { pattern, index, positions } = one;
  if (pattern.nameOnly) return [one];
  const { match } = pattern;
  const next = match.advance(match.advance(positions, name, start, end), SLASH, 0, 1);
  return match.mayGoOn(next) ? [{ pattern, index, positions: next }] : [];
}

/** Patterns that can only say what is so anyhow are none. */
function settle(list: ListPlace): ListPlace {
  const isIdle = list.live.every(({ pattern }) => pattern.negative !== list.fallback);
  return isIdle && list.live.length > 0 ? { fallback: list.fallback, live: [] } : list;
}

function keyOf({ fallback, live }: ListPlace): string {
  const parts = live.map(({ pattern, index, positions }) =>
    pattern.nameOnly ? "" : `${index}:${positions.join(",")};`,
  );
  return `${fallback ? "+" : "-"}${parts.join("")}`;
}
