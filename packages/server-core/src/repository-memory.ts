import type { ObjectStore } from "@x/objects";
import type { Limits } from "./limits.ts";
import { ListingMemory } from "./visible/listing-memory.ts";
import { ReachMemory } from "./visible/reach-memory.ts";
import { ShownTips } from "./visible/shown-tips.ts";

/** What is remembered of a repository from call to call. None of it is needed to be right, only to be quick and kind. */
export interface RepositoryMemory {
  /** What stateless clients with the same view were shown. */
  readonly shown: ShownTips;
  readonly reach: ReachMemory;
  /** What was wanted, and found stored: kept no longer than listings. */
  readonly found: ShownTips;
  /** Listings of all repositories; this one's are found by keys that start with {@link listingKey}. */
  readonly listings: ListingMemory;
  readonly listingKey: string;
}

/** Views of one repository that are told apart: namespaces, and rules that changed meanwhile. */
const MAX_VIEWS = 16;

interface Known {
  readonly number: number;
  readonly reach: ReachMemory;
  readonly found: ShownTips;
  readonly views: Map<string, ShownTips>;
}

/** The memories of all repositories. A store that is let go of takes its memory along. */
export class RepositoryMemories {
  readonly #limits: Limits;
  readonly #known = new WeakMap<ObjectStore, Known>();
  readonly #listings: ListingMemory;
  #count = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#listings = new ListingMemory(limits.maxListingsBytes, limits.listingMs);
  }

  /** @param view the same for sessions that may see the same */
  of(objects: ObjectStore, view: string): RepositoryMemory {
    let known = this.#known.get(objects);
    if (known === undefined) {
      known = {
        number: this.#count++,
        reach: new ReachMemory(this.#limits.maxReachAnswers),
        found: new ShownTips(this.#limits.maxShownTips, this.#limits.listingMs / 2),
        views: new Map(),
      };
      this.#known.set(objects, known);
    }
    const { number, reach, found, views } = known;
    const shown = views.get(view) ?? new ShownTips(this.#limits.maxShownTips, this.#limits.shownTipsMs);
    views.delete(view);
    views.set(view, shown);
    for (const oldest of views.keys()) {
      if (views.size <= MAX_VIEWS) break;
      views.delete(oldest);
    }
    return { shown, reach, found, listings: this.#listings, listingKey: `${number}\n${view}\n` };
  }
}
