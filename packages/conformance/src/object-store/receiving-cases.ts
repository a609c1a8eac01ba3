import type { ObjectFormat, ObjectStore, ReceivedObject } from "@x/objects";
import type { ConformanceCase } from "../conformance-case.ts";
import { rejects, same, within } from "../expect.ts";
import { noise } from "../sample/git-object.ts";
import { makeHistory } from "../sample/history.ts";
import { checksumOf, cut, joined, packOf } from "../sample/pack-of.ts";
import { fill, incoming, UNLIMITED } from "./filled.ts";

export function receivingCases(format: ObjectFormat): readonly ConformanceCase<ObjectStore>[] {
  const history = makeHistory(format);
  const { commits, make } = history;
  const ids = history.objects.map(({ id }) => id);
  const all = (value: boolean) => ids.map(() => value);
  const base = make.blob(noise(400));
  const grown = make.blob(joined([base.data, noise(100, 7)]));
  const thin = [{ object: grown, base }];
  return [
    {
      name: "nobody sees what comes in before it is published; then everybody does",
      async run(makeStore) {
        const store = await makeStore();
        await incoming(store, history.objects, async (quarantine) => {
          same(await quarantine.has(ids), all(true), "what the quarantine has");
          same((await quarantine.read(commits.tip.id))?.data, commits.tip.data, "what it reads");
          same(await quarantine.isAncestor(commits.one.id, commits.tip.id), true, "what it knows of history");
          same(await store.has(ids), all(false), "what the store has before");
          await incoming(store, [make.blob("x")], async (other) =>
            same(await other.has(ids), all(false), "what another has"),
          );
          await quarantine.publish();
          same(await store.has(ids), all(true), "what the store has after");
        });
        same(await store.has(ids), all(true), "what the store has in the end");
        await incoming(store, [make.blob("y")], async (later) =>
          same(await later.has(ids), all(true), "what a later one sees"),
        );
      },
    },
    {
      name: "what is not published is gone, and to discard twice is harmless",
      async run(makeStore) {
        const store = await makeStore();
        const quarantine = await store.receive();
        await quarantine.takePack(cut(packOf(format, history.objects)), UNLIMITED);
        await quarantine.discard();
        await quarantine.discard();
        same(await store.has(ids), all(false), "what is there");
        await fill(store, history.objects);
        same(await store.has(ids), all(true), "what comes again");
      },
    },
    {
      name: "packs are the same however they are cut, and what they held is told",
      async run(makeStore) {
        const pack = packOf(format, history.objects.slice(0, 12));
        for (const size of [1, 7, pack.length]) {
          const quarantine = await (await makeStore()).receive();
          const receipt = await quarantine.takePack(cut(pack, size), UNLIMITED);
          same(
            [receipt.objects, receipt.bytes, receipt.trailingBytes],
            [12, pack.length, 0],
            `in pieces of ${size}`,
          );
          same(
            await quarantine.has(ids),
            ids.map((_, i) => i < 12),
            "what is there",
          );
          await quarantine.discard();
        }
      },
    },
    {
      name: "no chunk is read beyond the pack's end, and what else was in the last one is counted",
      async run(makeStore) {
        const quarantine = await (await makeStore()).receive();
        async function* chunks() {
          yield joined([packOf(format, [base]), noise(5)]);
          yield await new Promise<Uint8Array>(() => {}); // the client waits for an answer
        }
        const receipt = await within(
          10_000,
          quarantine.takePack(chunks(), UNLIMITED),
          "a pack that has ended",
        );
        same([receipt.objects, receipt.trailingBytes], [1, 5], "objects, and bytes behind them");
        await quarantine.discard();
      },
    },
    {
      name: "an empty pack is one",
      async run(makeStore) {
        const store = await makeStore();
        const receipt = await incoming(store, [], async (quarantine, taken) => {
          await quarantine.publish();
          return taken;
        });
        same(receipt.objects, 0, "objects");
      },
    },
    {
      name: "what is no pack is refused, and leaves nothing",
      async run(makeStore) {
        const store = await makeStore();
        const pack = packOf(format, [base, grown]);
        const body = pack.subarray(0, pack.length - checksumOf(format, pack).length);
        const changed = (at: number, byte: number) => {
          const copy = body.slice();
          copy[at] = byte;
          return joined([copy, checksumOf(format, copy)]);
        };
        const wrongSum = pack.slice();
        wrongSum[wrongSum.length - 1] = (wrongSum.at(-1) as number) ^ 1;
        const bad = new Map([
          ["nothing at all", new Uint8Array(0)],
          ["another signature", changed(0, 0x51)],
          ["version 9", changed(7, 9)],
          ["one object more", changed(11, 3)],
          ["one object less", changed(11, 1)],
          ["a byte of an object turned", changed(40, (body[40] as number) ^ 1)],
          ["a wrong checksum", wrongSum],
          ["half of it", pack.subarray(0, pack.length >> 1)],
          ["all but the checksum", body],
          ["the same object twice", packOf(format, [base, base])],
          [
            "an object of a wrong size",
            packOf(format, [{ ...base, data: base.data.subarray(0, 0) }]).fill(0xb5, 12, 13),
          ],
        ]);
        for (const [what, bytes] of bad) {
          const quarantine = await store.receive();
          await rejects(quarantine.takePack(cut(bytes, 100), UNLIMITED), what, "objects/bad-pack");
          await quarantine.discard();
        }
        same(await store.has([base.id, grown.id]), [false, false], "what is there");
        await fill(store, [base]);
        same(await store.has([base.id]), [true], "what comes then");
      },
    },
    {
      name: "a thin pack is completed from the store, unless it may not be thin",
      async run(makeStore) {
        const store = await makeStore();
        await rejects(
          incoming(store, thin, async () => {}),
          "without its base",
          "objects/bad-pack",
        );
        await fill(store, [base]);
        const strict = { ...UNLIMITED, mayBeThin: false };
        await rejects(
          incoming(store, thin, async () => {}, strict),
          "where it may not be thin",
          "objects/bad-pack",
        );
        await incoming(store, thin, async (quarantine, receipt) => {
          same(receipt.objects, 1, "objects that came");
          same((await quarantine.read(grown.id))?.data, grown.data, "what the delta makes");
          await quarantine.publish();
        });
        same((await store.read(grown.id))?.data, grown.data, "what is there");
      },
    },
    {
      name: "what came in is listed in the order of the pack, without what completes it",
      async run(makeStore) {
        const store = await makeStore();
        await fill(store, [base]);
        const parts = [commits.one, ...thin, history.blobs.large, history.tag];
        await incoming(store, parts, async (quarantine) => {
          if (quarantine.received === undefined) return;
          const listed: ReceivedObject[] = [];
          for await (const batch of quarantine.received()) listed.push(...batch);
          const expected = [commits.one, grown, history.blobs.large, history.tag].map(
            ({ id, type, data }) => [id, type, data.length],
          );
          same(
            listed.map(({ id, type, size }) => [id, type, size]),
            expected,
            "what came",
          );
        });
      },
    },
    {
      name: "few objects may be stored one by one, and are the same",
      async run(makeStore) {
        for (const unpackBelow of [1, 2, 3, 100]) {
          const store = await makeStore();
          await fill(store, [base]);
          const parts = [...thin, history.blobs.large];
          await incoming(store, parts, (quarantine) => quarantine.publish(), { ...UNLIMITED, unpackBelow });
          for (const { id, data } of [grown, history.blobs.large])
            same((await store.read(id))?.data, data, `unpackBelow ${unpackBelow}`);
        }
      },
    },
    {
      name: "a single object can be stored with the rest",
      async run(makeStore) {
        const store = await makeStore();
        await incoming(store, [], async (quarantine) => {
          if (quarantine.writeObject === undefined) return;
          const own = base.data.slice();
          same(await quarantine.writeObject("blob", own), base.id, "its id");
          own.fill(0);
          same((await quarantine.read(base.id))?.data, base.data, "what is read");
          same(await store.has([base.id]), [false], "what the store has before");
          await quarantine.publish();
          same((await store.read(base.id))?.data, base.data, "what the store has after");
        });
      },
    },
    {
      name: "the same objects may come twice, even at once",
      async run(makeStore) {
        const store = await makeStore();
        const push = () => incoming(store, history.objects, (quarantine) => quarantine.publish());
        await Promise.all([push(), push()]);
        await push();
        same(await store.has(ids), all(true), "what is there");
      },
    },
    {
      name: "a pack that does not come any further can be called off",
      async run(makeStore) {
        const store = await makeStore();
        const quarantine = await store.receive();
        const controller = new AbortController();
        async function* chunks() {
          yield packOf(format, [base, grown]).subarray(0, 50);
          setTimeout(() => controller.abort(new Error("enough")), 10);
          yield await new Promise<Uint8Array>(() => {});
        }
        const taking = quarantine.takePack(chunks(), { ...UNLIMITED, signal: controller.signal });
        await within(10_000, rejects(taking, "a pack that was called off"), "calling it off");
        await quarantine.discard();
        same(await store.has([base.id]), [false], "what is there");
      },
    },
  ];
}
