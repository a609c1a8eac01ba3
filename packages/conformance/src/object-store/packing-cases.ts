import type { ObjectFilter, ObjectFormat, ObjectStore } from "@x/objects";
import type { ConformanceCase } from "../conformance-case.ts";
import { holds, rejects, same } from "../expect.ts";
import { noise } from "../sample/git-object.ts";
import { makeHistory } from "../sample/history.ts";
import { contents, fill, made } from "./filled.ts";

type Case = ConformanceCase<ObjectStore>;

export function packingCases(format: ObjectFormat): readonly Case[] {
  const history = makeHistory(format);
  const { commits, tag, tagOfTag, blobs, make, objects, reach } = history;
  const { one, two, three, merge, tip } = commits;
  const filled = async (makeStore: () => Promise<ObjectStore>): Promise<ObjectStore> => {
    const store = await makeStore();
    await fill(store, objects);
    return store;
  };
  const only = (ids: ReadonlySet<string>) => objects.filter(({ id }) => ids.has(id));
  const rootOf = (commit: typeof one) => history.roots.get(commit) as typeof one;
  return [
    {
      name: "a pack holds what its wants reach, and nothing else",
      async run(makeStore) {
        const store = await filled(makeStore);
        for (const wants of [[tip], [three, tag], [tagOfTag, commits.side], [rootOf(one)], [blobs.deep]]) {
          const pack = await made(store, { wants: wants.map(({ id }) => id), haves: [] });
          same(
            await contents(await makeStore(), pack, objects),
            reach(wants),
            wants.map(({ id }) => id).join(" "),
          );
        }
      },
    },
    {
      name: "what the client has is left out, with all that it reaches",
      async run(makeStore) {
        const store = await filled(makeStore);
        for (const haves of [[three], [two, commits.side], [merge]]) {
          const pack = await made(store, { wants: [tip.id, tag.id], haves: haves.map(({ id }) => id) });
          const client = await makeStore();
          same(
            await contents(client, pack, objects),
            reach([tip, tag], haves),
            haves.map(({ id }) => id).join(" "),
          );
        }
        const nothing = await made(store, { wants: [two.id], haves: [tip.id] });
        same(nothing.summary.objects, 0, "objects for whom has it all");
      },
    },
    {
      name: "a thin pack is whole for whoever has what it leaves out",
      async run(makeStore) {
        const store = await makeStore();
        const before = make.blob(noise(3000));
        const after = make.blob(Uint8Array.from([...before.data.slice(0, 2900), ...noise(150, 9)]));
        const [oldTree, newTree] = [make.tree({ f: before }), make.tree({ f: after })];
        const old = make.commit(oldTree, [], 1000);
        const young = make.commit(newTree, [old], 2000);
        const both = [before, after, oldTree, newTree, old, young];
        await fill(store, both);
        const client = await makeStore();
        await fill(client, [old, oldTree, before]);
        for (const thin of [true, false]) {
          const pack = await made(store, { wants: [young.id], haves: [old.id], thin, ofsDelta: thin });
          const mayBeThin = { limits: {}, mayBeThin: thin };
          same(
            await contents(client, pack, both, mayBeThin),
            new Set([young.id, newTree.id, after.id]),
            `thin: ${thin}`,
          );
          if (!thin) await contents(await makeStore(), pack, both);
        }
      },
    },
    {
      name: "a shallow boundary has no parents, on either side",
      async run(makeStore) {
        const store = await filled(makeStore);
        const shallow = [merge.id];
        const cut = new Set([...reach([rootOf(merge)]), merge.id]);
        const pack = await made(store, { wants: [merge.id], haves: [], shallow });
        same(await contents(await makeStore(), pack, objects), cut, "a shallow clone");
        const later = await made(store, { wants: [tip.id], haves: [merge.id], shallow });
        const news = new Set([...reach([tip], [merge])].filter((id) => !cut.has(id)));
        same(await contents(await makeStore(), later, objects), news, "a fetch into one");
        const deeper = await made(store, {
          wants: [merge.id, three.id],
          haves: [merge.id],
          shallow: [merge.id, three.id],
        });
        const added = await contents(await makeStore(), deeper, objects);
        holds(
          added.has(three.id) && added.has(rootOf(three).id) && !added.has(two.id) && !added.has(merge.id),
          "deepened by one",
        );
      },
    },
    {
      name: "tags ride along with what they point at",
      async run(makeStore) {
        const store = await filled(makeStore);
        const tags = [
          { tag: tag.id, peeled: three.id },
          { tag: tagOfTag.id, peeled: three.id },
        ];
        const pack = await made(store, { wants: [three.id], haves: [], tags });
        same(await contents(await makeStore(), pack, objects), reach([three, tagOfTag]), "with three");
        const chain = await made(store, { wants: [three.id], haves: [], tags: tags.slice(1) });
        same(await contents(await makeStore(), chain, objects), reach([three, tagOfTag]), "a tag of a tag");
        const none = await made(store, { wants: [two.id], haves: [], tags });
        same(await contents(await makeStore(), none, objects), reach([two]), "without three");
      },
    },
    {
      name: "filters leave out what they say, but for what is wanted by its own id",
      async run(makeStore) {
        const store = await filled(makeStore);
        const whole = only(reach([tip]));
        const left = (keep: (object: typeof one) => boolean) =>
          new Set(whole.filter(keep).map(({ id }) => id));
        const roots = new Set([...history.roots.values()].map(({ id }) => id));
        const filters: readonly (readonly [ObjectFilter, Set<string>])[] = [
          [{ kind: "blob-none" }, left(({ type }) => type !== "blob")],
          [{ kind: "blob-limit", limitBytes: 200_000 }, left((object) => object !== blobs.large)],
          [{ kind: "blob-limit", limitBytes: 200_001 }, left(() => true)],
          [{ kind: "tree-depth", depth: 0 }, left(({ type }) => type === "commit")],
          [{ kind: "tree-depth", depth: 1 }, left(({ type, id }) => type === "commit" || roots.has(id))],
          [{ kind: "object-type", type: "commit" }, left(({ type }) => type === "commit")],
          [
            { kind: "combine", filters: [{ kind: "blob-none" }, { kind: "tree-depth", depth: 1 }] },
            left(({ type, id }) => type === "commit" || roots.has(id)),
          ],
        ];
        for (const [filter, ids] of filters) {
          const pack = await made(store, { wants: [tip.id], haves: [], filter });
          same(await contents(await makeStore(), pack, objects), ids, JSON.stringify(filter));
        }
        const wanted = await made(store, { wants: [blobs.old.id], haves: [], filter: { kind: "blob-none" } });
        same(
          await contents(await makeStore(), wanted, objects),
          new Set([blobs.old.id]),
          "a blob that is wanted",
        );
      },
    },
    {
      name: "what the client gets elsewhere is left out, and told once",
      async run(makeStore) {
        const store = await filled(makeStore);
        const elsewhere = [blobs.large.id, make.unknown("1"), blobs.fresh.id];
        const pack = await made(store, { wants: [three.id], haves: [], elsewhere });
        same(pack.elsewhere, [[blobs.large.id]], "what is told");
        const ids = reach([three]);
        ids.delete(blobs.large.id);
        same(await contents(await makeStore(), pack, objects), ids, "what is sent");
        same((await made(store, { wants: [three.id], haves: [] })).elsewhere, [], "what is told without");
      },
    },
    {
      name: "progress is told to whom it is wanted by, and to nobody else",
      async run(makeStore) {
        const store = await filled(makeStore);
        const request = { wants: [tip.id], haves: [] };
        const { progress } = await made(store, { ...request, progress: true });
        holds(
          progress.length > 0 && progress.every((text) => /[\r\n]$/.test(text)),
          `progress: ${progress.join("")}`,
        );
        same((await made(store, request)).progress, [], "progress that was not asked for");
        const empty = await made(store, { wants: [tip.id], haves: [tip.id] });
        same([empty.progress, empty.summary.objects], [[], 0], "of nothing");
      },
    },
    {
      name: "what is missing is an error, unless the client has agreed to do without",
      async run(makeStore) {
        const store = await makeStore();
        await fill(
          store,
          objects.filter((object) => object !== blobs.deep),
        );
        await rejects(
          made(store, { wants: [make.unknown("1")], haves: [] }),
          "an unknown want",
          "objects/not-found",
        );
        await rejects(
          made(store, { wants: [tip.id], haves: [] }),
          "a blob that is missing",
          "objects/not-found",
        );
        const pack = await made(store, { wants: [tip.id], haves: [make.unknown("1")], allowMissing: true });
        const ids = reach([tip]);
        ids.delete(blobs.deep.id);
        same(await contents(await makeStore(), pack, objects), ids, "without it");
      },
    },
    {
      name: "a pack costs no more than it may",
      async run(makeStore) {
        const store = await filled(makeStore);
        const request = { wants: [tip.id], haves: [] };
        const { summary } = await made(store, request);
        const limits = { maxTreeVisits: 1e9, maxCpuMs: 1e9, maxPackBytes: summary.bytes };
        await made(store, { ...request, limits });
        const less = { ...limits, maxPackBytes: summary.bytes - 1 };
        await rejects(made(store, { ...request, limits: less }), "maxPackBytes", "objects/limit-exceeded");
        const few = { ...limits, maxTreeVisits: 1 };
        const other = { wants: [three.id], haves: [commits.side.id], limits: few };
        await rejects(made(store, other), "maxTreeVisits", "objects/limit-exceeded");
      },
    },
    {
      name: "whoever leaves a pack, or calls it off, leaves nothing behind",
      async run(makeStore) {
        const store = await filled(makeStore);
        const request = { wants: [tip.id], haves: [] };
        for (let i = 0; i < 3; i++)
          for await (const event of store.createPack(request)) if (event.kind === "bytes") break;
        // More than a store makes ahead of its reader.
        const long = make.blob(noise(6_000_000));
        await fill(store, [long]);
        const controller = new AbortController();
        const leave = async () => {
          for await (const event of store.createPack(
            { ...request, wants: [long.id] },
            { signal: controller.signal },
          ))
            if (event.kind === "bytes") controller.abort(new Error("enough"));
        };
        await rejects(leave, "a pack that was called off");
        const pack = await made(store, request);
        same(await contents(await makeStore(), pack, objects), reach([tip]), "the next one");
      },
    },
    {
      name: "packs are made of what was there when they began, whatever comes meanwhile",
      async run(makeStore) {
        const store = await filled(makeStore);
        const packs = await Promise.all([
          made(store, { wants: [tip.id], haves: [] }),
          fill(store, [make.commit(make.tree({}), [tip], 9000), make.tree({})]),
          made(store, { wants: [three.id], haves: [one.id] }),
        ]);
        same(await contents(await makeStore(), packs[0], objects), reach([tip]), "the first");
        same(await contents(await makeStore(), packs[2], objects), reach([three], [one]), "the second");
      },
    },
  ];
}
