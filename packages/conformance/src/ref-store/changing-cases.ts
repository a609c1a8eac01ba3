import type { ObjectFormat } from "@x/objects";
import type { RefStore } from "@x/refs";
import type { ConformanceCase } from "../conformance-case.ts";
import { holds, rejects, same } from "../expect.ts";
import { apart, create, idsOf, listed, reasons, remove, together, update } from "./edits.ts";

export function refChangingCases(format: ObjectFormat): readonly ConformanceCase<RefStore>[] {
  const [a, b, c] = idsOf(format);
  return [
    {
      name: "refs are created, updated and deleted, and outcomes stand in the order of edits",
      async run(make) {
        const refs = await make();
        const made = ["main", "gone", "deep/er/x"].map((name) => create(`refs/heads/${name}`, a));
        same(reasons(await refs.transact(made, together)), ["ok", "ok", "ok"], "what is made");
        const edits = [
          update("refs/heads/main", a, b),
          create("refs/heads/gone", c),
          remove("refs/heads/gone", a),
          create("refs/heads/new", c),
        ].filter((_, i) => i !== 1);
        same(reasons(await refs.transact(edits, apart)), ["ok", "ok", "ok"], "what is changed");
        same(
          await listed(refs),
          [
            ["refs/heads/deep/er/x", a],
            ["refs/heads/main", b],
            ["refs/heads/new", c],
          ],
          "what is left",
        );
        same(await refs.get("refs/heads/gone"), undefined, "what was deleted");
        same(reasons(await refs.transact([create("refs/heads/gone", c)], apart)), ["ok"], "making it again");
        same(await refs.transact([], together), [], "no edits");
      },
    },
    {
      name: "each edit is refused for its own reason, with words for the pusher, and the others are made",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/main", c), create("refs/heads/x", a)], together);
        const edits = [
          update("refs/heads/main", a, b),
          create("refs/heads/x", b),
          update("refs/heads/none", a, b),
          remove("refs/heads/none2", a),
          remove("refs/heads/main", b),
        ];
        const right = [
          create("refs/heads/y", b),
          remove("refs/heads/nowhere"),
          update("refs/heads/z", "any", a),
        ];
        const distinct = [...edits.slice(0, 4), ...right];
        const outcomes = await refs.transact(distinct, apart);
        same(reasons(outcomes), ["stale", "exists", "missing", "missing", "ok", "ok", "ok"], "reasons");
        for (const outcome of outcomes)
          if (outcome.status === "rejected") holds(outcome.message.length > 0, "a refusal says nothing");
        same(reasons(await refs.transact(edits.slice(4), apart)), ["stale"], "a delete that is late");
        same(
          await listed(refs),
          [
            ["refs/heads/main", c],
            ["refs/heads/x", a],
            ["refs/heads/y", b],
            ["refs/heads/z", a],
          ],
          "what is there",
        );
      },
    },
    {
      name: "one refusal calls all of an atomic transaction off",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/main", c), create("refs/heads/x", a)], together);
        const edits = [
          create("refs/heads/new", b),
          remove("refs/heads/x", a),
          update("refs/heads/main", b, a),
        ];
        same(reasons(await refs.transact(edits, together)), ["aborted", "aborted", "stale"], "reasons");
        same(
          await listed(refs),
          [
            ["refs/heads/main", c],
            ["refs/heads/x", a],
          ],
          "what is there",
        );
      },
    },
    {
      name: "a ref cannot be beside one that is a directory of its name, nor below one",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/a", a), create("refs/heads/d/e/f", a)], together);
        const before = await listed(refs);
        for (const name of ["a/b", "a/b/c", "d", "d/e", "d/e/f/g"])
          for (const atomic of [false, true]) {
            const [outcome] = await refs.transact([create(`refs/heads/${name}`, b)], { atomic });
            same(outcome && reasons([outcome]), ["name-conflict"], name);
          }
        same(await listed(refs), before, "what is there");
        for (const name of ["a-b", "a0", "d.e", "d/e/g"])
          same(reasons(await refs.transact([create(`refs/heads/${name}`, b)], apart)), ["ok"], name);
      },
    },
    {
      name: "of two new refs that cannot be beside each other the first is made",
      async run(make) {
        const refs = await make();
        const pair = [create("refs/heads/p/q", b), create("refs/heads/p", b)];
        same(reasons(await refs.transact(pair, apart)), ["ok", "name-conflict"], "one after the other");
        const other = [create("refs/heads/r", b), create("refs/heads/r/s", b)];
        same(reasons(await refs.transact(other, together)), ["aborted", "name-conflict"], "together");
        same(await listed(refs), [["refs/heads/p/q", b]], "what is there");
      },
    },
    {
      name: "what goes makes room for what comes, where each edit stands for itself",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/a", a), create("refs/heads/d/e", a)], together);
        const edits = [
          create("refs/heads/a/b", b),
          remove("refs/heads/a", a),
          create("refs/heads/d", c),
          remove("refs/heads/d/e"),
        ];
        same(reasons(await refs.transact(edits, apart)), ["ok", "ok", "ok", "ok"], "reasons");
        same(
          await listed(refs),
          [
            ["refs/heads/a/b", b],
            ["refs/heads/d", c],
          ],
          "what is there",
        );
      },
    },
    {
      name: "bad names are refused before anything is done, and two edits of one ref too",
      async run(make) {
        const refs = await make();
        const names = [
          "refs/heads/../x",
          "refs",
          "config",
          "refs/heads/x.lock",
          "refs/heads/a b",
          "refs/heads/a\0",
          "refs/heads/",
          "refs//x",
        ];
        const fine = create("refs/heads/fine", a);
        for (const name of names)
          await rejects(refs.transact([fine, create(name, a)], apart), `the name ${name}`, "refs/bad-name");
        await rejects(refs.transact([fine, fine], apart), "two edits of one ref", "refs/bad-name");
        await rejects(refs.transact([fine, remove("HEAD")], apart), "deleting HEAD", "refs/bad-name");
        same(await listed(refs), [], "what is there");
      },
    },
    {
      name: "of many writers that expect the same exactly one wins, each time",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/main", c)], apart);
        let current = c;
        for (let round = 0; round < 10; round++) {
          const next = current === a ? b : a;
          const edit = update("refs/heads/main", current, next);
          const all = await Promise.all(
            [1, 2, 3, 4].map((i) => refs.transact([edit], i % 2 ? apart : together)),
          );
          const won = all.flat().filter(({ status }) => status === "ok");
          same(won.length, 1, "winners");
          same((await refs.get("refs/heads/main"))?.target, { kind: "id", id: next }, "what it holds");
          current = next;
        }
      },
    },
    {
      name: "writers of different refs do not lose each other's changes",
      async run(make) {
        const refs = await make();
        const names = Array.from({ length: 20 }, (_, i) => `refs/heads/w${String(i).padStart(2, "0")}`);
        const outcomes = await Promise.all(names.map((name) => refs.transact([create(name, a)], apart)));
        const made = names.filter((_, i) => outcomes[i]?.[0]?.status === "ok");
        const locked = outcomes.flat().filter((one) => one.status === "rejected" && one.reason !== "locked");
        same(locked, [], "refusals other than for a lock");
        same(
          (await listed(refs)).map(([name]) => name),
          made,
          "what is there",
        );
      },
    },
    {
      name: "HEAD can be made to hold an id, and is then compared like any other",
      async run(make) {
        const refs = await make();
        same(reasons(await refs.transact([update("HEAD", a, b)], together)), ["stale"], "a name is no id");
        same(reasons(await refs.transact([update("HEAD", "any", b)], together)), ["ok"], "whatever it is");
        same(reasons(await refs.transact([update("HEAD", a, c)], together)), ["stale"], "another id");
        same(reasons(await refs.transact([update("HEAD", b, c)], together)), ["ok"], "that id");
        same((await refs.get("HEAD"))?.target, { kind: "id", id: c }, "HEAD");
        same(await listed(refs), [], "it is not listed");
      },
    },
    {
      name: "the phases of a transaction are told in order, with what is to change",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/main", a)], together);
        const told: unknown[] = [];
        const edits = [update("refs/heads/main", a, b), create("refs/heads/x", c)];
        const onPhase = async (phase: string, changes: readonly object[]) => {
          told.push([phase, changes]);
        };
        same(reasons(await refs.transact(edits, { atomic: true, onPhase })), ["ok", "ok"], "outcomes");
        const changes = [
          { name: "refs/heads/main", from: { kind: "id", id: a }, to: { kind: "id", id: b } },
          { name: "refs/heads/x", from: "absent", to: { kind: "id", id: c } },
        ];
        same(
          told,
          ["preparing", "prepared", "committed"].map((phase) => [phase, changes]),
          "what was told",
        );
      },
    },
    {
      name: "whoever is told of a phase may call the transaction off, until it is made",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/main", a)], together);
        const edits = [update("refs/heads/main", a, b), create("refs/heads/x", c)];
        for (const off of ["preparing", "prepared", "committed"]) {
          const reason = new Error("not today");
          const told: string[] = [];
          const onPhase = async (phase: string) => {
            told.push(phase);
            if (phase === off) throw reason;
          };
          const transaction = refs.transact(edits, { atomic: true, onPhase });
          if (off === "committed") {
            same(reasons(await transaction), ["ok", "ok"], "outcomes when it is too late");
            continue;
          }
          same(await rejects(transaction, off), reason, "what is thrown");
          same(told.at(-1), "aborted", "the last phase");
          same(await listed(refs), [["refs/heads/main", a]], `what is there after ${off}`);
        }
        same(
          await listed(refs),
          [
            ["refs/heads/main", b],
            ["refs/heads/x", c],
          ],
          "what is there in the end",
        );
      },
    },
  ];
}
