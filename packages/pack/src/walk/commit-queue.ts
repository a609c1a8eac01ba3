/** Commits waiting to be looked at, the youngest first; among equals, the one that came first. A binary heap. */
export class CommitQueue {
  readonly #commits: number[] = [];
  readonly #times: number[] = [];
  readonly #turns: number[] = [];
  #turn = 0;

  get size(): number {
    return this.#commits.length;
  }

  /** @param time unit: seconds since 1970 */
  push(commit: number, time: number): void {
    let at = this.#commits.length;
    const turn = this.#turn++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!this.#before(time, turn, up)) break;
      this.#place(at, this.#commits[up] as number, this.#times[up] as number, this.#turns[up] as number);
      at = up;
    }
    this.#place(at, commit, time, turn);
  }

  /** The youngest, taken out; -1 when none waits. */
  pop(): number {
    const first = this.#commits[0] ?? -1;
    const commit = this.#commits.pop() as number;
    const time = this.#times.pop() as number;
    const turn = this.#turns.pop() as number;
    const size = this.#commits.length;
    if (size === 0) return first;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (right < size && this.#before(this.#times[right] as number, this.#turns[right] as number, child))
        child = right;
      if (this.#before(time, turn, child)) break;
      this.#place(
        at,
        this.#commits[child] as number,
        this.#times[child] as number,
        this.#turns[child] as number,
      );
      at = child;
    }
    this.#place(at, commit, time, turn);
    return first;
  }

  #before(time: number, turn: number, other: number): boolean {
    const difference = time - (this.#times[other] as number);
    return difference > 0 || (difference === 0 && turn < (this.#turns[other] as number));
  }

  #place(at: number, commit: number, time: number, turn: number): void {
    this.#commits[at] = commit;
    this.#times[at] = time;
    this.#turns[at] = turn;
  }
}
