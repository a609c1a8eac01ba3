import type { ObjectFormat } from "@x/objects";
import type { RefStore } from "@x/refs";
import type { ConformanceCase } from "../conformance-case.ts";
import { holds, rejects, same } from "../expect.ts";
import { apart, create, idsOf, listed, reasons, remove, together, update } from "./edits.ts";

/** So many that no store gives them in one batch, and some of them twice. */
const MANY = 1500;

export function refReadingCases(format: ObjectFormat): readonly ConformanceCase<RefStore>[] {
  const [a, b, c] = idsOf(format);
  return [
    {
      name: "a new store lists nothing, and its HEAD stands for refs/heads/main",
      async run(make) {
        const refs = await make();
        same(await listed(refs), [], "the listing");
        same((await refs.get("HEAD"))?.target, { kind: "symbolic", name: "refs/heads/main" }, "HEAD");
        same(await refs.get("refs/heads/main"), undefined, "what HEAD stands for");
      },
    },
    {
      name: "what is listed is what is got, one by one",
      async run(make) {
        const refs = await make();
        const made = [create("refs/heads/main", a), create("refs/tags/v1", b), create("refs/x", c)];
        same(reasons(await refs.transact(made, together)), ["ok", "ok", "ok"], "outcomes");
        for (const [name, target] of await listed(refs)) {
          const alone = await refs.get(name);
          same([alone?.name, alone?.target], [name, { kind: "id", id: target }], name);
        }
        same(
          await listed(refs),
          [
            ["refs/heads/main", a],
            ["refs/tags/v1", b],
            ["refs/x", c],
          ],
          "the listing",
        );
      },
    },
    {
      name: "refs are listed in byte order of their names",
      async run(make) {
        const refs = await make();
        const names = ["B", "a", "b-c", "b.c", "b/c", "b/c-d", "b0", "b\xe9", "b\xff/x"].map(
          (name) => `refs/heads/${name}`,
        );
        await refs.transact(
          [...names].reverse().map((name) => create(name, a)),
          apart,
        );
        same(
          (await listed(refs)).map(([name]) => name),
          names,
          "names",
        );
      },
    },
    {
      name: "names are bytes: whatever is no UTF-8 survives",
      async run(make) {
        const refs = await make();
        const names = ["refs/heads/\x80", "refs/heads/\xc3\xa9", "refs/heads/\xe9", "refs/heads/\xff\xfe"];
        await refs.transact(
          names.map((name) => create(name, a)),
          apart,
        );
        same(
          (await listed(refs)).map(([name]) => name),
          names,
          "names",
        );
        for (const name of names) same((await refs.get(name))?.name, name, "one by one");
        same(
          reasons(
            await refs.transact(
              names.map((name) => remove(name, a)),
              apart,
            ),
          ),
          ["ok", "ok", "ok", "ok"],
          "deletes",
        );
        same(await listed(refs), [], "what is left");
      },
    },
    {
      name: "prefixes are plain text, may overlap, and give each ref once",
      async run(make) {
        const refs = await make();
        const names = [
          "refs/heads/main",
          "refs/heads/maint",
          "refs/heads/next",
          "refs/tags/main",
          "refs/tags/v1",
        ];
        await refs.transact(
          names.map((name) => create(name, a)),
          apart,
        );
        const select = async (...prefixes: string[]) => (await listed(refs, prefixes)).map(([name]) => name);
        same(
          await select("refs/tags/v", "refs/heads/ma", "refs/heads/main"),
          [names[0], names[1], names[4]],
          "some",
        );
        same(await select("refs/"), names, "all");
        same(await select("refs/heads/main/"), [], "a ref is no directory");
        same(await select("refs/heads/x", "HEAD"), [], "none");
        same(await select(), [], "no prefixes");
      },
    },
    {
      name: "the batches of a listing are one snapshot",
      async run(make) {
        const refs = await make();
        const names = Array.from({ length: MANY }, (_, i) => `refs/heads/b${String(i).padStart(5, "0")}`);
        await refs.transact(
          names.map((name) => create(name, a)),
          together,
        );
        const seen: string[] = [];
        let batches = 0;
        for await (const batch of refs.list()) {
          for (const { name, target } of batch) seen.push(`${name} ${target.kind === "id" ? target.id : ""}`);
          if (batches++ > 0) continue;
          const [first, last] = [names[0] as string, names.at(-1) as string];
          const edits = [
            update(last, a, b),
            remove(first),
            create("refs/heads/zzz", c),
            create("refs/heads/a", c),
          ];
          same(reasons(await refs.transact(edits, apart)), ["ok", "ok", "ok", "ok"], "changes meanwhile");
        }
        same(
          seen,
          names.map((name) => `${name} ${a}`),
          "the listing",
        );
      },
    },
    {
      name: "a listing ends when its signal says so",
      async run(make) {
        const refs = await make();
        await refs.transact([create("refs/heads/main", a)], apart);
        const reason = new Error("enough");
        const signal = AbortSignal.abort(reason);
        const list = async () => {
          for await (const _ of refs.list({ signal }));
        };
        same(await rejects(list, "a listing that was called off"), reason, "what it throws");
      },
    },
    {
      name: "the state is the same as long as nothing changes, and another afterwards",
      async run(make) {
        const refs = await make();
        if (refs.state === undefined) return;
        await refs.transact([create("refs/heads/main", a), create("refs/heads/x", a)], apart);
        const seen = new Set([await refs.state()]);
        await refs.transact([update("refs/heads/main", a, a), remove("refs/heads/none")], apart);
        same(await refs.state(), [...seen][0], "the state after nothing has changed");
        const changes = [
          update("refs/heads/main", a, b),
          create("refs/heads/y", c),
          remove("refs/heads/x", a),
          update("HEAD", "any", b),
        ];
        for (const change of changes) {
          same(reasons(await refs.transact([change], apart)), ["ok"], `the change of ${change.name}`);
          const state = await refs.state();
          holds(!seen.has(state), `the state is the same though ${change.name} changed`);
          seen.add(state);
        }
      },
    },
  ];
}
