import type { ObjectFormat, ObjectId, ObjectStore } from "@x/objects";
import { type RefEdit, type RefStore, resolveRef } from "@x/refs";
import type { ConformanceCase } from "./conformance-case.ts";
import { same } from "./expect.ts";
import { contents, fill, incoming, made } from "./object-store/filled.ts";
import { apart, create, reasons, together, update } from "./ref-store/edits.ts";
import { makeHistory } from "./sample/history.ts";

/** What a repository is for these cases. That of `@x/server-core` fits. */
export interface StoredRepository {
  readonly objectFormat: ObjectFormat;
  readonly objects: ObjectStore;
  readonly refs: RefStore;
  readonly config: {
    get(key: string): string | undefined;
    getAll(key: string): readonly string[];
  };
}

/**
 * What objects and refs promise together. A new repository has no objects, its HEAD stands for `refs/heads/main`, and
 * its settings say nothing of `conformance.*`.
 */
export function repositoryCases(format: ObjectFormat): readonly ConformanceCase<StoredRepository>[] {
  const history = makeHistory(format);
  const { commits, tag, make, objects, reach } = history;
  const push = (
    repository: StoredRepository,
    parts: Parameters<typeof incoming>[1],
    edits: readonly RefEdit[],
  ) =>
    incoming(repository.objects, parts, async (quarantine) => {
      await quarantine.publish();
      return repository.refs.transact(edits, together);
    });
  return [
    {
      name: "a new repository is of one format, and unborn",
      async run(makeRepository) {
        const repository = await makeRepository();
        same([repository.objectFormat, repository.objects.format], [format, format], "formats");
        const { refs, config } = repository;
        same(await resolveRef(refs, "HEAD"), { status: "unborn", name: "refs/heads/main" }, "HEAD");
        same(
          [config.get("conformance.none"), config.getAll("conformance.none")],
          [undefined, []],
          "a setting",
        );
      },
    },
    {
      name: "what is pushed is what the next clones",
      async run(makeRepository) {
        const repository = await makeRepository();
        const edits = [create("refs/heads/main", commits.tip.id), create("refs/tags/v1", tag.id)];
        same(reasons(await push(repository, objects, edits)), ["ok", "ok"], "the push");
        const wants: ObjectId[] = [];
        for await (const batch of repository.refs.list())
          for (const { target } of batch) if (target.kind === "id") wants.push(target.id);
        const head = await resolveRef(repository.refs, "HEAD");
        same(head?.status === "found" && head.id, commits.tip.id, "HEAD");
        const pack = await made(repository.objects, { wants, haves: [] });
        const client = await makeRepository();
        same(await contents(client.objects, pack, objects), reach([commits.tip, tag]), "the clone");
      },
    },
    {
      name: "what a listed tag is said to peel to is what it peels to",
      async run(makeRepository) {
        const repository = await makeRepository();
        await push(repository, objects, [
          create("refs/tags/v2", history.tagOfTag.id),
          create("refs/tags/light", commits.one.id),
        ]);
        for await (const batch of repository.refs.list())
          for (const { name, peeled } of batch) {
            if (peeled === undefined) continue; // the store does not know
            same(peeled, name === "refs/tags/v2" ? commits.three.id : null, name);
          }
      },
    },
    {
      name: "of many who push to one branch at once one wins, and what the others sent harms nobody",
      async run(makeRepository) {
        const repository = await makeRepository();
        await fill(repository.objects, objects);
        await repository.refs.transact([create("refs/heads/main", commits.tip.id)], together);
        const tree = history.roots.get(commits.tip) as typeof tag;
        const rivals = [1, 2, 3, 4].map((i) => make.commit(tree, [commits.tip], 9000 + i));
        const outcomes = await Promise.all(
          rivals.map((rival) =>
            push(repository, [rival], [update("refs/heads/main", commits.tip.id, rival.id)]),
          ),
        );
        const winners = rivals.filter((_, i) => outcomes[i]?.[0]?.status === "ok");
        same(winners.length, 1, "winners");
        same(
          (await repository.refs.get("refs/heads/main"))?.target,
          { kind: "id", id: winners[0]?.id },
          "the branch",
        );
        const wants = winners.map(({ id }) => id);
        const pack = await made(repository.objects, { wants, haves: [commits.tip.id] });
        same(pack.summary.objects, 1, "what is new");
      },
    },
    {
      name: "a repository knows nothing of another",
      async run(makeRepository) {
        const [first, second] = [await makeRepository(), await makeRepository()];
        await push(first, objects, [create("refs/heads/main", commits.tip.id)]);
        same(await second.objects.has([commits.tip.id]), [false], "objects");
        same(await second.refs.get("refs/heads/main"), undefined, "refs");
        same(
          reasons(await second.refs.transact([create("refs/heads/main", commits.one.id)], apart)),
          ["ok"],
          "a ref of its own",
        );
      },
    },
  ];
}
