import type { ObjectFormat, ObjectId } from "@x/objects";
import { type GitObject, noise, ObjectMaker } from "./git-object.ts";

/*
 *   one ◄── two ◄── three ◄── merge ◄── tip       tag ► three,  tagOfTag ► tag
 *    ▲                          │
 *    └────────── side ◄─────────┘
 */

/** A small history with all that makes histories hard. */
export interface History {
  readonly make: ObjectMaker;
  readonly commits: {
    readonly one: GitObject;
    readonly two: GitObject;
    readonly three: GitObject;
    readonly side: GitObject;
    readonly merge: GitObject;
    readonly tip: GitObject;
  };
  /** Annotated: of `three`, and of that tag. */
  readonly tag: GitObject;
  readonly tagOfTag: GitObject;
  readonly blobs: {
    /** In every commit. */
    readonly kept: GitObject;
    /** In `one` alone. */
    readonly old: GitObject;
    /** In `two` and later; 200 KB that nothing makes shorter. */
    readonly large: GitObject;
    /** In `tip` alone. */
    readonly fresh: GitObject;
    /** In `side` and later, below `deep/er/`. */
    readonly deep: GitObject;
  };
  /** The root trees, by commit. */
  readonly roots: ReadonlyMap<GitObject, GitObject>;
  /** All of them, tags too. */
  readonly objects: readonly GitObject[];
  /** What `from` reaches and nothing of `less` does. */
  reach(from: readonly GitObject[], less?: readonly GitObject[]): Set<ObjectId>;
}

/** The time of `one`; each commit is 100 later than the one before. Unit: seconds since 1970. */
export const FIRST_COMMIT_AT = 1_600_000_000;

export function makeHistory(format: ObjectFormat): History {
  const make = new ObjectMaker(format);
  const kept = make.blob("kept\n");
  const old = make.blob("old\n");
  const large = make.blob(noise(200_000));
  const fresh = make.blob("fresh\n");
  const deep = make.blob("deep\n");
  const er = make.tree({ "a.txt": deep });
  const below = make.tree({ er });
  const submodule = make.unknown("5");
  const rootOne = make.tree({ kept, "file.txt": old });
  const rootTwo = make.tree({ kept, large, module: submodule });
  const rootThree = make.tree({ kept, large, "file.txt": kept });
  const rootSide = make.tree({ kept, deep: below });
  const rootMerge = make.tree({ kept, large, deep: below });
  const rootTip = make.tree({ kept, large, fresh, deep: below });
  const at = (i: number) => FIRST_COMMIT_AT + i * 100;
  const one = make.commit(rootOne, [], at(0));
  const two = make.commit(rootTwo, [one], at(1));
  const three = make.commit(rootThree, [two], at(2));
  const side = make.commit(rootSide, [one], at(3));
  const merge = make.commit(rootMerge, [three, side], at(4));
  const tip = make.commit(rootTip, [merge], at(5));
  const tag = make.tag(three, "v1");
  const tagOfTag = make.tag(tag, "v2");

  const roots = new Map([
    [one, rootOne],
    [two, rootTwo],
    [three, rootThree],
    [side, rootSide],
    [merge, rootMerge],
    [tip, rootTip],
  ]);
  const links = new Map<GitObject, readonly GitObject[]>([
    [one, [rootOne]],
    [two, [one, rootTwo]],
    [three, [two, rootThree]],
    [side, [one, rootSide]],
    [merge, [three, side, rootMerge]],
    [tip, [merge, rootTip]],
    [tag, [three]],
    [tagOfTag, [tag]],
    [er, [deep]],
    [below, [er]],
    [rootOne, [kept, old]],
    [rootTwo, [kept, large]],
    [rootThree, [kept, large]],
    [rootSide, [kept, below]],
    [rootMerge, [kept, large, below]],
    [rootTip, [kept, large, fresh, below]],
  ]);
  const closure = (from: readonly GitObject[]): Set<ObjectId> => {
    const met = new Set<ObjectId>();
    const queue = [...from];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      met.add(next.id);
      queue.push(...(links.get(next) ?? []));
    }
    return met;
  };
  return {
    make,
    commits: { one, two, three, side, merge, tip },
    tag,
    tagOfTag,
    blobs: { kept, old, large, fresh, deep },
    roots,
    objects: [
      tip,
      merge,
      side,
      three,
      two,
      one,
      tagOfTag,
      tag,
      ...new Set(roots.values()),
      below,
      er,
      kept,
      old,
      large,
      fresh,
      deep,
    ],
    reach(from, less = []) {
      const had = closure(less);
      return new Set([...closure(from)].filter((id) => !had.has(id)));
    },
  };
}
