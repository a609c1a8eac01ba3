import type { DeepenRequest, ObjectFormat, ObjectStore } from "@x/objects";
import type { ConformanceCase } from "../conformance-case.ts";
import { rejects, same } from "../expect.ts";
import { FIRST_COMMIT_AT, makeHistory } from "../sample/history.ts";
import { fill } from "./filled.ts";

export function ancestryCases(format: ObjectFormat): readonly ConformanceCase<ObjectStore>[] {
  const history = makeHistory(format);
  const { commits, tag, tagOfTag, blobs, make } = history;
  const { one, two, three, side, merge, tip } = commits;
  const unknown = make.unknown("1");
  const stranger = make.commit(make.tree({}), [], FIRST_COMMIT_AT);
  const filled = async (makeStore: () => Promise<ObjectStore>): Promise<ObjectStore> => {
    const store = await makeStore();
    await fill(store, [...history.objects, stranger, make.tree({})]);
    return store;
  };
  const deepened = async (store: ObjectStore, request: Partial<DeepenRequest>) => {
    const answer = await store.deepen({ wants: [tip.id], clientShallow: [], ...request });
    return [new Set(answer.shallow), new Set(answer.unshallow), new Set(answer.parents)];
  };
  const none = new Set();
  return [
    {
      name: "what no tip reaches is told, whatever it is",
      async run(makeStore) {
        const store = await filled(makeStore);
        const tree = (commit: typeof one) => history.roots.get(commit)?.id as typeof one.id;
        const ids = [one, two, side, merge, tag, blobs.old, blobs.fresh, blobs.deep].map(({ id }) => id);
        const asked = [...ids, tree(one), tree(side), unknown, stranger.id];
        same(
          await store.unreachable(asked, [three.id]),
          [side.id, merge.id, tag.id, blobs.fresh.id, blobs.deep.id, tree(side), unknown, stranger.id],
          "from three",
        );
        same(
          await store.unreachable(asked, [tagOfTag.id, tip.id]),
          [unknown, stranger.id],
          "from the tip and a tag",
        );
        same(await store.unreachable([one.id], [unknown]), [one.id], "from nowhere");
        same(await store.unreachable([], [tip.id]), [], "of nothing");
      },
    },
    {
      name: "an ancestor is one by any path, and every commit is its own",
      async run(makeStore) {
        const store = await filled(makeStore);
        const pairs = [
          [one, tip, true],
          [side, merge, true],
          [three, three, true],
          [tip, one, false],
          [side, three, false],
          [stranger, tip, false],
        ] as const;
        for (const [old, young, is] of pairs)
          same(await store.isAncestor(old.id, young.id), is, `${old.id} of ${young.id}`);
        same(await store.isAncestor(unknown, tip.id), false, "an unknown one");
      },
    },
    {
      name: "wants all reach what is common, or one of its parents; what is no commit counts as satisfied",
      async run(makeStore) {
        const store = await filled(makeStore);
        const ids = (...objects: readonly (typeof one)[]) => objects.map(({ id }) => id);
        same(await store.allReach(ids(tip, three), ids(two)), true, "both reach it");
        same(await store.allReach(ids(tip, side), ids(three)), false, "side does not reach three, nor two");
        same(await store.allReach(ids(one), ids(two)), true, "one is the parent of two");
        same(await store.allReach(ids(tip, blobs.old), ids(one)), true, "a blob");
        same(await store.allReach(ids(tagOfTag), ids(two)), true, "through tags");
        same(await store.allReach(ids(stranger), ids(tip)), false, "a stranger");
      },
    },
    {
      name: "a depth counts commits by the shortest way",
      async run(makeStore) {
        const store = await filled(makeStore);
        same(await deepened(store, { depth: 1 }), [new Set([tip.id]), none, none], "depth 1");
        same(await deepened(store, { depth: 3 }), [new Set([three.id, side.id]), none, none], "depth 3");
        same(await deepened(store, { depth: 4 }), [new Set([two.id, one.id]), none, none], "depth 4");
        same(await deepened(store, { depth: 5 }), [none, none, none], "depth 5: one is nearer by side");
        same(await deepened(store, { depth: 9 }), [none, none, none], "deeper than there is");
        same(
          await deepened(store, { wants: [tagOfTag.id], depth: 1 }),
          [new Set([three.id]), none, none],
          "of a tag",
        );
      },
    },
    {
      name: "who deepens learns what is shallow no more, and which parents come",
      async run(makeStore) {
        const store = await filled(makeStore);
        const clientShallow = [merge.id];
        same(
          await deepened(store, { depth: 3, clientShallow }),
          [new Set([three.id, side.id]), new Set([merge.id]), new Set([three.id, side.id])],
          "by one",
        );
        same(
          await deepened(store, { depth: Infinity, clientShallow }),
          [none, new Set([merge.id]), new Set([three.id, side.id])],
          "all",
        );
        same(
          await deepened(store, { depth: 1, relative: true, clientShallow, tips: [tip.id] }),
          [new Set([three.id, side.id]), new Set([merge.id]), new Set([three.id, side.id])],
          "one more",
        );
        same(await deepened(store, { depth: 2, clientShallow }), [none, none, none], "as it is");
      },
    },
    {
      name: "history is cut by time and by what others reach",
      async run(makeStore) {
        const store = await filled(makeStore);
        same(
          await deepened(store, { since: FIRST_COMMIT_AT + 250 }),
          [new Set([merge.id, side.id]), none, none],
          "since",
        );
        same(await deepened(store, { not: [three.id] }), [new Set([merge.id, side.id]), none, none], "not");
        const nothing = () => deepened(store, { since: FIRST_COMMIT_AT + 10_000 });
        await rejects(nothing, "a time after all", "objects/nothing-selected");
      },
    },
    {
      name: "commits whose parents are missing on purpose end every walk",
      async run(makeStore) {
        const store = await makeStore();
        if (store.addShallow === undefined) return;
        const there = history.objects.filter((object) => object !== one && object !== two && object !== side);
        await fill(store, there);
        await store.addShallow([three.id]);
        await store.addShallow([three.id, merge.id]);
        same(new Set(await store.shallow()), new Set([three.id, merge.id]), "shallow");
        same(await store.unreachable([three.id], [tip.id]), [three.id], "unreachable");
        same(await store.isAncestor(three.id, tip.id), false, "isAncestor");
        same(await deepened(store, { depth: 9 }), [new Set([merge.id]), none, none], "deepen");
      },
    },
  ];
}
