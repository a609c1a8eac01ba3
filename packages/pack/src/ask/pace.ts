/** How long work lets others have the thread: it is asked often, and mostly does nothing. */
export interface Pace {
  /** Gives way when it is time. @throws whatever calls the work off */
  breathe(): Promise<void>;
  /** Runs a walk to its end, breathing at each of its steps. */
  run<T>(walk: Generator<unknown, T>): Promise<T>;
}
