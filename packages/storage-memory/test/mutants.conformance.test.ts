import { type ConformanceCase, objectStoreCases, refStoreCases, repositoryCases } from "@x/conformance";
import { describe, expect, it } from "vitest";
import { createMemoryRepository } from "../src/index.ts";
import { createNodeTools } from "../src/node.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { OBJECT_MUTANTS } from "./mutants/object-mutants.ts";
import { REF_MUTANTS } from "./mutants/ref-mutants.ts";
import { REPOSITORY_MUTANTS } from "./mutants/repository-mutants.ts";

const repository = () => createMemoryRepository({ tools: createNodeTools() });

hold("RefStore", refStoreCases("sha1"), REF_MUTANTS, () => repository().refs);
hold("ObjectStore", objectStoreCases("sha1"), OBJECT_MUTANTS, () => repository().objects);
hold("Repository", repositoryCases("sha1"), REPOSITORY_MUTANTS, repository);

/** Each mutant has to fail the case that it names, and for each case there has to be one. */
function hold<Subject>(
  port: string,
  cases: readonly ConformanceCase<Subject>[],
  mutants: readonly Mutant<Subject>[],
  make: () => Subject,
): void {
  describe(`a broken ${port} is caught when`, () => {
    it.each(mutants.map((mutant) => [mutant.fault, mutant] as const))("%s", async (_, { caughtBy, of }) => {
      const one = cases.find(({ name }) => name === caughtBy);
      await expect(one?.run(async () => of(make()))).rejects.toMatchObject({
        code: expect.stringMatching(/^(conformance\/broken-promise|objects\/|refs\/)/),
      });
    });

    it("whatever is promised, for some mutant breaks it", () => {
      const caught = new Set(mutants.map(({ caughtBy }) => caughtBy));
      expect(cases.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
      expect([...caught].filter((name) => !cases.some((one) => one.name === name))).toEqual([]);
    });
  });
}
