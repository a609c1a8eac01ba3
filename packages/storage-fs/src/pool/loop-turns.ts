/** Chunks that are handed out in one turn of the event loop: a millisecond's work, with what it takes to send them. */
const CHUNKS_PER_TURN = 16;

/**
 * Has those who hand out chunks take turns. Workers that make packs for a hundred clients have a thousand chunks ready at
 * once; sending them all before anybody else is looked at would make a small question wait at each of its steps.
 */
export class LoopTurns {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];
  #left: number;
  #isArmed = false;

  /** @param perTurn how many may go on in one turn of the event loop */
  constructor(perTurn: number) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
  }

  /** Waits, if it has to, for a turn that has room; the longest-waiting goes first. */
  async take(): Promise<void> {
    this.#arm();
    if (this.#left > 0 && this.#waiting.length === 0) this.#left--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(() => {
      this.#isArmed = false;
      const next = this.#waiting.splice(0, this.#perTurn);
      this.#left = this.#perTurn - next.length;
      if (this.#waiting.length > 0) this.#arm();
      for (const resolve of next) resolve();
    });
  }
}

/** Of this process, for all its workers. */
export const chunkTurns: LoopTurns = new LoopTurns(CHUNKS_PER_TURN);
