import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createTestRepository, type TestRepository, tryGit } from "@tooling/test-kit";
import { type ObjectId, parseObjectId } from "@x/objects";
import type { RefEdit, RefStore, StagedRefChange } from "@x/refs";
import { describe, expect, it } from "vitest";
import { openRefs } from "./open-refs.ts";

interface Bench extends TestRepository {
  readonly a: ObjectId;
  readonly b: ObjectId;
}

/** A repository whose own hook writes down what git tells it. */
async function bench(objectFormat: "sha1" | "sha256"): Promise<Bench> {
  const repository = await createTestRepository({ objectFormat });
  const [a, b] = [await repository.commit("one"), await repository.commit("two")].map((id) =>
    parseObjectId(id, objectFormat),
  ) as [ObjectId, ObjectId];
  const hooks = `${repository.gitDirectory}/hooks`;
  mkdirSync(hooks, { recursive: true });
  writeFileSync(
    `${hooks}/reference-transaction`,
    `#!/bin/sh\n{ echo "$1"; cat; } >>"$GIT_DIR/record"\ncase "$(cat "$GIT_DIR/refuse" 2>/dev/null)" in "$1") exit 1;; esac\n`,
  );
  chmodSync(`${hooks}/reference-transaction`, 0o755);
  return { ...repository, a, b };
}

/** What git's hook is told of `edits`, made in one transaction. */
async function toldByGit({ gitDirectory, directory, a }: Bench, edits: readonly RefEdit[]): Promise<string> {
  const zero = "0".repeat(a.length);
  const input = edits.map(({ name, expected, next }) => {
    const old = expected === "any" ? "" : expected === "absent" ? ` ${zero}` : ` ${expected}`;
    return next === "delete" ? `delete ${name}${old}\n` : `update ${name} ${next}${old}\n`;
  });
  rmSync(`${gitDirectory}/record`, { force: true });
  await tryGit(["update-ref", "--no-deref", "--stdin"], {
    cwd: directory,
    input: input.join(""),
    env: { GIT_DIR: gitDirectory },
  });
  return existsSync(`${gitDirectory}/record`) ? readFileSync(`${gitDirectory}/record`, "latin1") : "";
}

/** What a hook would be told by us. */
async function toldByUs(
  refs: RefStore,
  edits: readonly RefEdit[],
  options: { readonly atomic?: boolean; readonly refuse?: string; readonly zero: string },
): Promise<string> {
  let told = "";
  const show = (target: StagedRefChange["from"]) => {
    if (target === undefined || target === "absent") return options.zero;
    return target.kind === "id" ? target.id : `ref:${target.name}`;
  };
  const transaction = refs.transact(edits, {
    atomic: options.atomic ?? true,
    onPhase: async (phase, changes) => {
      told += `${phase}\n${changes.map(({ name, from, to }) => `${show(from)} ${show(to)} ${name}\n`).join("")}`;
      if (phase === options.refuse) throw new Error("not today");
    },
  });
  if (options.refuse === undefined) await transaction;
  else await expect(transaction).rejects.toThrow("not today");
  return told;
}

/** Older versions of git do not tell of what is only being prepared. */
function withoutPreparing(told: string): string {
  return told.replace(/^preparing\n(?:.* .*\n)*/gm, "");
}

const create = (name: string, next: ObjectId): RefEdit => ({ name, expected: "absent", next });
const update = (name: string, expected: RefEdit["expected"], next: ObjectId): RefEdit => ({
  name,
  expected,
  next,
});
const remove = (name: string, expected: RefEdit["expected"]): RefEdit => ({ name, expected, next: "delete" });

/** Transactions one after the other, on `refs/heads/main` (b), and `refs/heads/p` and `q` (a), which are packed. */
const STORY: readonly {
  readonly what: string;
  readonly edits: (ids: { readonly a: ObjectId; readonly b: ObjectId }) => readonly RefEdit[];
  readonly refuse?: "prepared";
}[] = [
  {
    what: "refs are made",
    edits: ({ a, b }) => [create("refs/heads/z", a), create("refs/heads/new/y", b)],
  },
  { what: "nothing changes", edits: ({ a }) => [update("refs/heads/z", a, a)] },
  {
    what: "a loose ref goes",
    edits: ({ a, b }) => [update("refs/heads/z", a, b), remove("refs/heads/new/y", b)],
  },
  { what: "one is not what it should be", edits: ({ a }) => [update("refs/heads/z", a, a)] },
  {
    what: "a hook refuses",
    edits: ({ a, b }) => [update("refs/heads/z", b, a), remove("refs/heads/main", b)],
    refuse: "prepared",
  },
  {
    what: "packed refs go",
    edits: ({ a, b }) => [
      remove("refs/heads/q", a),
      create("refs/heads/a", b),
      remove("refs/heads/p", "any"),
      remove("refs/heads/z", b),
    ],
  },
  { what: "what is not there goes", edits: () => [remove("refs/heads/nothing", "any")] },
  { what: "anything will do", edits: ({ b }) => [update("refs/heads/main", "any", b)] },
];

describe.each(["sha1", "sha256"] as const)("phases of a transaction, %s", (format) => {
  it("are told as git tells its hook", async () => {
    const stock = await bench(format);
    const ours = await bench(format);
    for (const { directory } of [stock, ours]) {
      const here = { cwd: directory };
      for (const name of ["p", "q"]) await tryGit(["update-ref", `refs/heads/${name}`, stock.a], here);
      await tryGit(["pack-refs", "--all"], here);
      // Older versions of git tell of HEAD too, when it stands for what changes.
      await tryGit(["symbolic-ref", "HEAD", "refs/heads/unborn"], here);
    }
    const refs = await openRefs(ours.directory);
    const zero = "0".repeat(stock.a.length);
    for (const { what, edits, refuse } of STORY) {
      if (refuse !== undefined) writeFileSync(`${stock.gitDirectory}/refuse`, refuse);
      const theirs = await toldByGit(stock, edits(stock));
      rmSync(`${stock.gitDirectory}/refuse`, { force: true });
      const told = await toldByUs(refs, edits(ours), { zero, ...(refuse && { refuse }) });
      expect(told, what).toMatch(/^preparing\n/);
      if (what === "a hook refuses")
        // We go on to tell of all that had begun.
        expect(told).toBe(
          `preparing\n${stock.b} ${stock.a} refs/heads/z\n${stock.b} ${zero} refs/heads/main\n` +
            `preparing\n${zero} ${zero} refs/heads/main\nprepared\n${zero} ${zero} refs/heads/main\n` +
            `aborted\n${zero} ${zero} refs/heads/main\n` +
            `aborted\n${stock.b} ${stock.a} refs/heads/z\n${stock.b} ${zero} refs/heads/main\n`,
        );
      else expect(/^preparing/m.test(theirs) ? told : withoutPreparing(told), what).toBe(theirs);
      const list = ["for-each-ref", "--format=%(objectname) %(refname)"];
      expect(await ours.git(...list), what).toBe(await stock.git(...list));
    }
  });

  it("can be called off while it prepares, and nothing is locked", async () => {
    const { directory, a, b, git } = await bench(format);
    const refs = await openRefs(directory);
    const zero = "0".repeat(a.length);
    for (const refuse of ["preparing", "prepared"])
      await toldByUs(refs, [update("refs/heads/main", b, a), create("refs/heads/x/y", a)], { refuse, zero });
    expect(await git("for-each-ref", "--format=%(objectname) %(refname)")).toBe(`${b} refs/heads/main`);
    expect(await refs.transact([update("refs/heads/main", b, a)], { atomic: false })).toEqual([
      { status: "ok" },
    ]);
  });

  it("of single edits: deletions have a transaction of their own, before the rest", async () => {
    const { directory, a, b } = await bench(format);
    const refs = await openRefs(directory);
    const zero = "0".repeat(a.length);
    const edits = [create("refs/heads/x", a), remove("refs/heads/main", b), update("refs/heads/no", a, b)];
    const told = await toldByUs(refs, edits, { atomic: false, zero });
    const [deleted, made] = [
      `${b} ${zero} refs/heads/main\n`,
      `${zero} ${a} refs/heads/x\n${a} ${b} refs/heads/no\n`,
    ];
    expect(told).toBe(
      `preparing\n${deleted}aborted\n${zero} ${zero} refs/heads/main\nprepared\n${deleted}committed\n${deleted}` +
        `preparing\n${made}prepared\n${made}committed\n${made}`,
    );
  });

  it("when they are over nobody can change anything any more", async () => {
    const { directory, a, b } = await bench(format);
    const warnings: string[] = [];
    const refs = await openRefs(directory, warnings);
    const outcomes = await refs.transact([update("refs/heads/main", b, a)], {
      atomic: true,
      onPhase: async (phase) => {
        if (phase === "committed") throw new Error("too late");
      },
    });
    expect(outcomes).toEqual([{ status: "ok" }]);
    expect(warnings).toEqual(["who was told that refs are committed failed: too late"]);
  });
});
