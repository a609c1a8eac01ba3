import type { ObjectFormat, ObjectStore, ReceiveLimits, TakePackOptions } from "@x/objects";
import type { ConformanceCase } from "../conformance-case.ts";
import { holds, rejects, same } from "../expect.ts";
import { noise } from "../sample/git-object.ts";
import { makeHistory } from "../sample/history.ts";
import { joined, packOf } from "../sample/pack-of.ts";
import { fill, incoming, UNLIMITED } from "./filled.ts";

const FSCK: NonNullable<TakePackOptions["fsck"]> = {
  severities: new Map(),
  maxPathnameBytes: undefined,
  skipLists: [],
};

export function checkingCases(format: ObjectFormat): readonly ConformanceCase<ObjectStore>[] {
  const history = makeHistory(format);
  const { commits, blobs, make } = history;
  const { one, two, three, tip } = commits;
  const tree = make.tree({});
  const nameless = make.object(
    "commit",
    `tree ${tree.id}\nauthor A 1000 +0000\ncommitter A <a@example.com> 1000 +0000\n\nx\n`,
  );
  const without = (...missing: readonly (typeof one)[]) =>
    history.objects.filter((object) => !missing.includes(object));
  const base = make.blob(noise(400));
  const first = make.blob(joined([base.data, noise(50, 3)]));
  const second = make.blob(joined([first.data, noise(50, 5)]));
  const chain = [base, { object: first, base }, { object: second, base: first }];
  return [
    {
      name: "whatever a tip reaches has to be there",
      async run(makeStore) {
        for (const missing of [
          blobs.old,
          blobs.deep,
          history.roots.get(two) as typeof one,
          one,
          commits.side,
        ]) {
          const store = await makeStore();
          await incoming(store, without(missing), async (quarantine) => {
            const lost = await quarantine.unconnected([tip.id, blobs.kept.id], []);
            same(lost, [tip.id], `without ${missing.type} ${missing.id}`);
          });
        }
        await incoming(await makeStore(), history.objects, async (quarantine) => {
          same(await quarantine.unconnected([tip.id, history.tagOfTag.id, blobs.old.id], []), [], "with all");
          same(
            await quarantine.unconnected([make.unknown("1")], []),
            [make.unknown("1")],
            "a tip that is not there",
          );
        });
      },
    },
    {
      name: "what refs reach is known to be there; what lies about is not",
      async run(makeStore) {
        const store = await makeStore();
        const known = history.objects.filter(({ id }) => history.reach([two]).has(id));
        await fill(store, known);
        const news = history.objects.filter(({ id }) => history.reach([three], [two]).has(id));
        await incoming(store, news, async (quarantine) => {
          same(await quarantine.unconnected([three.id], [two.id]), [], "on what a ref holds");
          same(await quarantine.unconnected([three.id], []), [], "on what is whole though no ref holds it");
        });
        const torn = await makeStore();
        await fill(
          torn,
          known.filter((object) => object !== one),
        );
        await incoming(torn, news, async (quarantine) => {
          same(
            await quarantine.unconnected([three.id], []),
            [three.id],
            "on what lies about and lacks something",
          );
        });
      },
    },
    {
      name: "a commit that the client has no parents of needs none",
      async run(makeStore) {
        const news = history.objects.filter(
          ({ id }) => history.reach([three], [two]).has(id) || id === blobs.kept.id || id === blobs.large.id,
        );
        await incoming(await makeStore(), news, async (quarantine) => {
          same(await quarantine.unconnected([three.id], []), [three.id], "as it is");
          same(await quarantine.unconnected([three.id], [], { clientShallow: [three.id] }), [], "shallow");
        });
      },
    },
    {
      name: "every limit is one: what is larger is refused, what is not is taken",
      async run(makeStore) {
        const deltas = packOf(format, chain).length;
        const cases: readonly (readonly [ReceiveLimits, typeof chain])[] = [
          [{ maxPackBytes: deltas }, chain],
          [{ maxObjects: 3 }, chain],
          [{ maxObjectBytes: blobs.large.data.length }, [blobs.large]],
          [{ maxDeltaObjectBytes: second.data.length }, chain],
          [{ maxParsedBytes: one.data.length }, [one]],
          [{ maxDeltaDepth: 2 }, chain],
        ];
        for (const [limits, parts] of cases) {
          const [[name, limit] = ["", 0]] = Object.entries(limits);
          const store = await makeStore();
          await incoming(store, parts, async () => {}, { limits });
          const less = { limits: { [name]: limit - 1 } };
          await rejects(
            incoming(store, parts, async () => {}, less),
            name,
            "objects/limit-exceeded",
          );
        }
        const inflated = incoming(await makeStore(), [blobs.large], async () => {}, {
          limits: { maxInflatedBytes: 199_999 },
        });
        await rejects(inflated, "maxInflatedBytes", "objects/limit-exceeded");
      },
    },
    {
      name: "trees that are nested deeper than allowed do not count as connected",
      async run(makeStore) {
        const deep = without();
        for (const [maxTreeDepth, lost] of [
          [2, []],
          [1, [tip.id]],
        ] as const)
          await incoming(
            await makeStore(),
            deep,
            async (quarantine) =>
              same(await quarantine.unconnected([tip.id], []), lost, `maxTreeDepth ${maxTreeDepth}`),
            { limits: { maxTreeDepth } },
          );
      },
    },
    {
      name: "objects are checked where that is asked for, and whoever sent them is told what is wrong",
      async run(makeStore) {
        const store = await makeStore();
        const parts = [nameless, tree];
        await incoming(store, parts, async (quarantine) =>
          same(await quarantine.has([nameless.id]), [true], "unchecked"),
        );
        const told: string[] = [];
        const onMessage = (text: string) => void told.push(text);
        const checked = { ...UNLIMITED, fsck: FSCK, onMessage };
        await rejects(
          incoming(store, parts, async () => {}, checked),
          "a commit without an address",
          "objects/refused",
        );
        holds(
          told.join("").includes(nameless.id) && told.join("").includes("missingEmail"),
          `told: ${told.join("")}`,
        );
        holds(
          told.every((text) => text.endsWith("\n")),
          "a message is no whole line",
        );
        await incoming(store, history.objects, async () => {}, checked);
        const severities = new Map([["missingEmail", "ignore"]]) as typeof FSCK.severities;
        await incoming(store, parts, async () => {}, { ...UNLIMITED, fsck: { ...FSCK, severities } });
      },
    },
  ];
}
