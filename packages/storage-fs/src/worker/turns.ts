/** A place in the queue for a turn. */
export interface Place {
  /** Whether its turn has come. Then it has to be given back. */
  readonly hasTurn: boolean;
  /** Goes away, from the queue or from the turn. */
  leave(): void;
}

/** Few may go on at a time; the others wait, first come, first served. */
export class Turns {
  #left: number;
  readonly #queue: Set<() => void> = new Set();

  /** @param count how many may go on at a time */
  constructor(count: number) {
    this.#left = count;
  }

  /** @param onTurn called when the turn comes, if that is not at once */
  enter(onTurn: () => void): Place {
    let state: "waiting" | "on" | "left" = "waiting";
    const start = () => {
      state = "on";
      onTurn();
    };
    if (this.#left > 0) {
      this.#left--;
      state = "on";
    } else this.#queue.add(start);
    return {
      get hasTurn() {
        return state === "on";
      },
      leave: () => {
        if (state === "waiting") this.#queue.delete(start);
        else if (state === "on") this.#next();
        state = "left";
      },
    };
  }

  #next(): void {
    for (const start of this.#queue) {
      this.#queue.delete(start);
      start();
      return;
    }
    this.#left++;
  }
}
