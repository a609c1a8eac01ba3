import { describe, expect, it } from "vitest";
import { openRefs } from "./open-refs.ts";
import {
  create,
  emptyOf,
  freshStateOf,
  idOf,
  leftoversIn,
  REF_KINDS,
  reasons,
  remove,
  stateOf,
  update,
} from "./ref-kinds.ts";
import { CROWDED, inTheWay, refused } from "./ref-refusals.ts";

const separate = { atomic: false } as const;
const together = { atomic: true } as const;
const KINDS = REF_KINDS.flatMap((kind) => (["sha1", "sha256"] as const).map((format) => ({ kind, format })));

describe.each(KINDS)("what a RefStore promises, $kind, $format", ({ kind, format }) => {
  const [a, b, c] = [idOf("a", format), idOf("b", format), idOf("c", format)];
  const bench = async (config: Readonly<Record<string, string>> = {}) => {
    const directory = await emptyOf(kind, format, config);
    return { directory, refs: await openRefs(directory) };
  };

  it("creates, updates and deletes", async () => {
    const { directory, refs } = await bench();
    const made = [
      create("refs/heads/main", a),
      create("refs/heads/gone", a),
      create("refs/heads/deep/er/\xff", c),
      create("refs/tags/t", b),
    ];
    expect(reasons(await refs.transact(made, together))).toEqual(["ok", "ok", "ok", "ok"]);
    const changed = [
      update("refs/heads/main", a, b),
      remove("refs/heads/gone", a),
      update("refs/tags/t", "any", c),
      create("refs/heads/new", c),
    ];
    expect(reasons(await refs.transact(changed, separate))).toEqual(["ok", "ok", "ok", "ok"]);
    const expected = {
      "refs/heads/deep/er/\xff": c,
      "refs/heads/main": b,
      "refs/heads/new": c,
      "refs/tags/t": c,
    };
    expect(await stateOf(refs)).toEqual(expected);
    expect(await freshStateOf(directory)).toEqual(expected);
    expect(leftoversIn(directory)).toEqual([]);
  });

  it("refuses what is not as expected, and makes the rest", async () => {
    const { refs } = await bench();
    await refs.transact([create("refs/heads/main", c), create("refs/heads/x", a)], together);
    const edits = [
      update("refs/heads/main", a, b),
      create("refs/heads/x", b),
      update("refs/heads/none", a, b),
      remove("refs/heads/nothing", a),
      remove("refs/heads/nowhere", "any"),
      create("refs/heads/y", b),
    ];
    expect(await refs.transact(edits, separate)).toEqual([
      refused("stale", `cannot lock ref 'refs/heads/main': is at ${c} but expected ${a}`),
      refused("exists", "cannot lock ref 'refs/heads/x': reference already exists"),
      refused("missing", "cannot lock ref 'refs/heads/none': unable to resolve reference 'refs/heads/none'"),
      refused(
        "missing",
        "cannot lock ref 'refs/heads/nothing': unable to resolve reference 'refs/heads/nothing'",
      ),
      { status: "ok" },
      { status: "ok" },
    ]);
    expect(await stateOf(refs)).toEqual({ "refs/heads/main": c, "refs/heads/x": a, "refs/heads/y": b });
  });

  it("refuses all of an atomic transaction for one fault", async () => {
    const { directory, refs } = await bench();
    await refs.transact([create("refs/heads/main", c), create("refs/heads/x", a)], together);
    const edits = [
      create("refs/heads/new/one", b),
      remove("refs/heads/x", a),
      update("refs/heads/main", b, a),
      create("refs/heads/x/y", c),
    ];
    const outcomes = await refs.transact(edits, together);
    expect(reasons(outcomes)).toEqual(["aborted", "aborted", "stale", "name-conflict"]);
    expect(outcomes[0]).toMatchObject({ message: "atomic transaction failed" });
    expect(await stateOf(refs)).toEqual({ "refs/heads/main": c, "refs/heads/x": a });
    expect(leftoversIn(directory)).toEqual([]);
  });

  it("refuses names that cannot be neighbours", async () => {
    const { refs } = await bench();
    await refs.transact([create("refs/heads/a", a), create("refs/heads/d/e/f", a)], together);
    const before = await stateOf(refs);
    for (const [name, other] of CROWDED)
      expect(await refs.transact([create(name, b)], separate), name).toEqual([
        inTheWay(name, other, kind === "files"),
      ]);
    expect(reasons(await refs.transact([remove("refs/heads/a/b", a)], separate))).toEqual(["missing"]);
    expect(await stateOf(refs)).toEqual(before);
    for (const name of ["a-b", "a0", "d.e", "d/e/g"])
      expect(reasons(await refs.transact([create(`refs/heads/${name}`, b)], separate))).toEqual(["ok"]);
    const pair = [create("refs/heads/p/q", b), create("refs/heads/p", b)];
    expect(reasons(await refs.transact(pair, separate))).toEqual(["ok", "name-conflict"]);
    const swap = [create("refs/heads/p", a), remove("refs/heads/p/q", b)];
    expect(reasons(await refs.transact(swap, together))).toEqual(["name-conflict", "aborted"]);
    expect(reasons(await refs.transact(swap, separate))).toEqual(["ok", "ok"]);
    const back = [create("refs/heads/a/b", b), remove("refs/heads/a", a)];
    expect(reasons(await refs.transact(back, separate))).toEqual(["ok", "ok"]);
    expect(await stateOf(refs)).toMatchObject({ "refs/heads/a/b": b, "refs/heads/p": a });
  });

  it("refuses names that git would not take, before anything is done", async () => {
    const { refs } = await bench();
    const names = [
      "refs/heads/../x",
      "config",
      "refs",
      "refs/heads/x.lock",
      "FETCH_HEAD",
      "refs/heads/a\0",
      "refs/heads/",
    ];
    for (const name of names)
      await expect(
        refs.transact([create("refs/heads/fine", a), create(name, a)], separate),
      ).rejects.toMatchObject({ code: "refs/bad-name" });
    const twice = [create("refs/heads/x", a), create("refs/heads/x", a)];
    for (const edits of [[remove("HEAD", "any")], twice])
      await expect(refs.transact(edits, separate)).rejects.toMatchObject({ code: "refs/bad-name" });
    expect(await stateOf(refs)).toEqual({});
  });

  it("refuses names that are too long, one by one", async () => {
    const { refs } = await bench();
    const outcomes = await refs.transact(
      [create(`refs/${"x/".repeat(2500)}y`, a), create("refs/heads/fine", a)],
      separate,
    );
    expect(reasons(outcomes)).toEqual(["locked", "ok"]);
    expect(outcomes[0]).toMatchObject({ message: "failed to update ref" });
  });

  it("changes nothing where nothing is to change, and is told apart by its state where something is", async () => {
    const { refs } = await bench();
    await refs.transact([create("refs/heads/main", a)], together);
    const state = await refs.state?.();
    expect(reasons(await refs.transact([update("refs/heads/main", a, a)], together))).toEqual(["ok"]);
    expect(reasons(await refs.transact([remove("refs/heads/no", "any")], together))).toEqual(["ok"]);
    expect(await refs.state?.()).toBe(state);
    await refs.transact([update("refs/heads/main", a, b)], together);
    expect(await refs.state?.()).not.toBe(state);
  });

  it("detaches HEAD, and moves it", async () => {
    const { refs } = await bench();
    expect(reasons(await refs.transact([update("HEAD", a, b)], together))).toEqual(["stale"]);
    expect(reasons(await refs.transact([update("HEAD", "any", b)], together))).toEqual(["ok"]);
    expect(reasons(await refs.transact([update("HEAD", b, c)], together))).toEqual(["ok"]);
    expect(await refs.get("HEAD")).toMatchObject({ target: { kind: "id", id: c } });
  });

  it("tells of phases, and can be called off in two of them", async () => {
    const { directory, refs } = await bench();
    await refs.transact([create("refs/heads/main", a)], together);
    const edits = [update("refs/heads/main", a, b), create("refs/heads/x/y", c)];
    for (const off of ["preparing", "prepared"]) {
      const seen: string[] = [];
      const transaction = refs.transact(edits, {
        atomic: true,
        onPhase: async (phase, changes) => {
          seen.push(phase);
          expect(changes.map(({ name }) => name)).toEqual(["refs/heads/main", "refs/heads/x/y"]);
          if (phase === off) throw new Error("not today");
        },
      });
      await expect(transaction).rejects.toThrow("not today");
      expect(seen).toEqual(off === "preparing" ? [off, "aborted"] : ["preparing", off, "aborted"]);
      expect(await stateOf(refs)).toEqual({ "refs/heads/main": a });
      expect(leftoversIn(directory)).toEqual([]);
    }
    const seen: string[] = [];
    const onPhase = async (phase: string) => {
      seen.push(phase);
    };
    expect(reasons(await refs.transact(edits, { atomic: true, onPhase }))).toEqual(["ok", "ok"]);
    expect(seen).toEqual(["preparing", "prepared", "committed"]);
  });

  it("lets exactly one of two stores win", async () => {
    const { directory } = await bench();
    const stores = [await openRefs(directory), await openRefs(directory)];
    await stores[0]?.transact([create("refs/heads/main", c)], together);
    let current = c;
    for (let round = 0; round < 20; round++) {
      const values = [a, b, c].filter((id) => id !== current);
      const results = await Promise.all(
        stores.map((store, at) =>
          store.transact([update("refs/heads/main", current, values[at] ?? c)], { atomic: at === 0 }),
        ),
      );
      const winners = results.flatMap((outcomes, at) => (outcomes[0]?.status === "ok" ? [at] : []));
      expect(winners).toHaveLength(1);
      expect(reasons(results.flat())[winners[0] === 0 ? 1 : 0]).toMatch(/^stale$|^locked$/);
      current = values[winners[0] ?? 0] ?? c;
      expect(await freshStateOf(directory)).toEqual({ "refs/heads/main": current });
    }
  });

  it("takes changes of neighbours at the same time, all of them", async () => {
    const { directory, refs } = await bench({ "core.packedRefsTimeout": "-1" });
    await Promise.all(
      Array.from({ length: 16 }, async (_, at) => {
        for (let round = 0; round < 5; round++) {
          const name = `refs/heads/n${at}`;
          expect(reasons(await refs.transact([create(name, a)], separate))).toEqual(["ok"]);
          expect(reasons(await refs.transact([remove(name, a)], separate))).toEqual(["ok"]);
        }
        expect(reasons(await refs.transact([create(`refs/heads/left-${at}`, b)], together))).toEqual(["ok"]);
      }),
    );
    expect(Object.keys(await freshStateOf(directory))).toHaveLength(16);
    expect(leftoversIn(directory)).toEqual([]);
  });

  it("holds against a model over many changes", async () => {
    const { directory, refs } = await bench();
    const other = await openRefs(directory);
    const model = new Map<string, string>();
    for (let round = 0; round < 60; round++) {
      const store = round % 3 === 0 ? other : refs;
      const name = `refs/heads/b${(round * 5) % 11}`;
      const known = model.get(name) as typeof a | undefined;
      const next = [a, b, c][round % 3] as typeof a;
      const edit =
        known !== undefined && round % 4 === 3 ? remove(name, known) : update(name, known ?? "absent", next);
      expect(reasons(await store.transact([edit], together))).toEqual(["ok"]);
      if (edit.next === "delete") model.delete(name);
      else model.set(name, next);
      if (round % 10 === 9) expect(await stateOf(refs)).toEqual(Object.fromEntries([...model].sort()));
    }
    expect(await freshStateOf(directory)).toEqual(Object.fromEntries([...model].sort()));
  });
});
