import type { ObjectFormat, ObjectStore } from "@x/objects";
import type { ConformanceCase } from "../conformance-case.ts";
import { rejects, same } from "../expect.ts";
import { makeHistory } from "../sample/history.ts";
import { fill } from "./filled.ts";

export function objectReadingCases(format: ObjectFormat): readonly ConformanceCase<ObjectStore>[] {
  const history = makeHistory(format);
  const { commits, tag, tagOfTag, blobs, make } = history;
  const unknown = make.unknown("1");
  const otherFormat = makeHistory(format === "sha1" ? "sha256" : "sha1").commits.one.id;
  return [
    {
      name: "a new store has nothing, and is of the format it was made for",
      async run(makeStore) {
        const store = await makeStore();
        const { id } = commits.one;
        same(store.format, format, "the format");
        same(await store.has([id]), [false], "has");
        same(await store.headers([id]), [undefined], "headers");
        same(await store.read(id), undefined, "read");
        same(await store.peel([id]), [undefined], "peel");
        same(await store.shallow(), [], "shallow");
      },
    },
    {
      name: "answers stand in the order of the ids, repeats and strangers among them",
      async run(makeStore) {
        const store = await makeStore();
        await fill(store, history.objects);
        const { fresh } = blobs;
        const ids = [fresh.id, unknown, tag.id, fresh.id, otherFormat, commits.tip.id];
        same(await store.has(ids), [true, false, true, true, false, true], "has");
        const header = ({ type, data }: typeof fresh) => ({ type, size: data.length });
        const headers = [
          header(fresh),
          undefined,
          header(tag),
          header(fresh),
          undefined,
          header(commits.tip),
        ];
        const given = (await store.headers(ids)).map((one) => one && { type: one.type, size: one.size });
        same(given, headers, "headers");
        for (const answer of [store.has([]), store.headers([]), store.peel([])])
          same(await answer, [], "no ids");
      },
    },
    {
      name: "every object is read as it was stored",
      async run(makeStore) {
        const store = await makeStore();
        await fill(store, history.objects);
        for (const { id, type, data } of history.objects) {
          const object = await store.read(id);
          same([object?.type, object?.data], [type, data], `${type} ${id}`);
        }
        same(await store.read(unknown), undefined, "what is not there");
      },
    },
    {
      name: "tags peel to what their chain ends in, and what breaks off to nothing",
      async run(makeStore) {
        const store = await makeStore();
        const toNowhere = make.tag(make.blob("nowhere"), "lost");
        const tagOfThat = make.tag(toNowhere, "lost2");
        const toTree = make.tag(history.roots.get(commits.one) as typeof tag, "tree");
        await fill(store, [...history.objects, toNowhere, tagOfThat, toTree]);
        const ids = [
          tagOfTag.id,
          tag.id,
          commits.tip.id,
          blobs.old.id,
          toNowhere.id,
          tagOfThat.id,
          toTree.id,
          unknown,
        ];
        const three = { id: commits.three.id, type: "commit" };
        const tree = { id: history.roots.get(commits.one)?.id, type: "tree" };
        same(
          (await store.peel(ids)).map((one) => one && { id: one.id, type: one.type }),
          [
            three,
            three,
            { id: commits.tip.id, type: "commit" },
            { id: blobs.old.id, type: "blob" },
            undefined,
            undefined,
            tree,
            undefined,
          ],
          "peeled",
        );
      },
    },
    {
      name: "a question that was called off is not answered",
      async run(makeStore) {
        const store = await makeStore();
        await fill(store, history.objects);
        const signal = AbortSignal.abort(new Error("enough"));
        const ids = [commits.tip.id];
        await rejects(() => store.has(ids, { signal }), "has");
        await rejects(() => store.read(commits.tip.id, { signal }), "read");
        await rejects(() => store.unreachable(ids, ids, { signal }), "unreachable");
        same(await store.has(ids), [true], "the next one");
      },
    },
  ];
}
