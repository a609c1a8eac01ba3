import type { StoredRepository } from "@x/conformance";
import type { RefStore } from "@x/refs";
import type { Mutant } from "./mutant.ts";
import { checkThenAct } from "./ref-mutants.ts";

const listing =
  (list: (refs: RefStore) => RefStore["list"]) =>
  (repository: StoredRepository): StoredRepository => {
    const { refs } = repository;
    return {
      ...repository,
      refs: {
        get: (name) => refs.get(name),
        transact: (edits, options) => refs.transact(edits, options),
        list: list(refs),
      },
    };
  };

let shared: StoredRepository | undefined;

export const REPOSITORY_MUTANTS: readonly Mutant<StoredRepository>[] = [
  {
    fault: "every repository is said to be sha256",
    caughtBy: "a new repository is of one format, and unborn",
    of: (repository) => ({ ...repository, objectFormat: "sha256" }),
  },
  {
    fault: "settings that are not there are empty",
    caughtBy: "a new repository is of one format, and unborn",
    of: (repository) => ({ ...repository, config: { get: () => "", getAll: () => [] } }),
  },
  {
    fault: "only branches are listed",
    caughtBy: "what is pushed is what the next clones",
    of: listing((refs) => (options) => refs.list({ ...options, prefixes: ["refs/heads/"] })),
  },
  {
    fault: "every ref peels to what it holds",
    caughtBy: "what a listed tag is said to peel to is what it peels to",
    of: listing(
      (refs) =>
        async function* (options) {
          for await (const batch of refs.list(options))
            yield batch.map((ref) => (ref.target.kind === "id" ? { ...ref, peeled: ref.target.id } : ref));
        },
    ),
  },
  {
    fault: "a push looks first and acts later",
    caughtBy: "of many who push to one branch at once one wins, and what the others sent harms nobody",
    of: (repository) => ({ ...repository, refs: checkThenAct(repository.refs) }),
  },
  {
    fault: "all repositories are one",
    caughtBy: "a repository knows nothing of another",
    of: (repository) => {
      shared ??= repository;
      return shared;
    },
  },
];
