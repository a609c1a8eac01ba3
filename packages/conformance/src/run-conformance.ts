import type { ConformanceCase, KnownGaps, Make, TestRunner } from "./conformance-case.ts";
import { ConformanceError } from "./errors.ts";

/**
 * Makes a test of each case. One of `knownGaps` has to fail: as soon as it passes it is to be taken off the list, and
 * until then its test fails.
 * @throws ConformanceError `conformance/unknown-gap`
 */
export function runConformance<Subject>(
  { describe, it }: TestRunner,
  title: string,
  cases: readonly ConformanceCase<Subject>[],
  make: Make<Subject>,
  knownGaps: KnownGaps = {},
): void {
  const gaps = new Map(Object.entries(knownGaps));
  const names = new Set(cases.map(({ name }) => name));
  for (const name of gaps.keys())
    if (!names.has(name))
      throw new ConformanceError("conformance/unknown-gap", `there is no case named ${name}`);
  describe(title, () => {
    for (const one of cases) {
      const why = gaps.get(one.name);
      if (why === undefined) it(one.name, () => one.run(make));
      else it(`${one.name} (known gap: ${why})`, () => mustFail(one, make));
    }
  });
}

async function mustFail<Subject>(one: ConformanceCase<Subject>, make: Make<Subject>): Promise<void> {
  try {
    await one.run(make);
  } catch {
    return;
  }
  throw new ConformanceError("conformance/gap-closed", `it passes; no gap any more: ${one.name}`);
}
