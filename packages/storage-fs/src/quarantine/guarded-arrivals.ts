import type { ObjectId } from "@x/objects";
import { statHere } from "../disk/quick-look.ts";
import type { Arrivals } from "./quarantine.ts";

/**
 * Objects that pushes of this process have just brought in, and whose packs they guard until refs lead there: nobody
 * takes these away, so that whether they are still there need not be found out from all packs.
 */
export class GuardedArrivals implements Arrivals {
  readonly #paths: Map<ObjectId, readonly string[]> = new Map();

  arrived(ids: Iterable<ObjectId>, paths: readonly string[]): () => void {
    const own = [...ids];
    for (const id of own) this.#paths.set(id, paths);
    return () => {
      for (const id of own) if (this.#paths.get(id) === paths) this.#paths.delete(id);
    };
  }

  /** Whether all of `ids` have just come in, and their packs are where they were put. */
  holds(ids: readonly ObjectId[]): boolean {
    const paths = new Set<string>();
    for (const id of ids) {
      const own = this.#paths.get(id);
      if (own === undefined) return false;
      for (const path of own) paths.add(path);
    }
    return [...paths].every((path) => statHere(`${path}.idx`) && statHere(`${path}.pack`));
  }
}
