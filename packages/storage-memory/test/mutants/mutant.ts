/** A store that breaks a promise. */
export interface Mutant<Subject> {
  /** What somebody who builds a store may well do. */
  readonly fault: string;
  /** The case that has to fail. */
  readonly caughtBy: string;
  /** Breaks a store, or makes a broken one. */
  readonly of: (store: Subject) => Subject;
}

/** Lets everybody else run. */
export const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
