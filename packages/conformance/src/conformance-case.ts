/** Makes what a case looks at: a new, empty one each time. */
export type Make<Subject> = () => Promise<Subject>;

/** One promise of a port. */
export interface ConformanceCase<Subject> {
  /** Says what is promised. */
  readonly name: string;
  /** @throws ConformanceError `conformance/broken-promise`, or what the subject throws */
  run(make: Make<Subject>): Promise<void>;
}

/** What a test runner has: vitest, mocha, `node:test`, `bun:test`, Deno's `@std/testing/bdd`. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
}

/** A name that is promised → why it is not kept yet. */
export type KnownGaps = Readonly<Record<string, string>>;
