import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  createTestRepository,
  git,
  type TestRepository,
  temporaryDirectory,
  tryGit,
} from "@tooling/test-kit";
import { type ObjectId, parseObjectId } from "@x/objects";
import type { RefEdit, RefOutcome } from "@x/refs";
import { describe, expect, it } from "vitest";
import { openRefs } from "./open-refs.ts";
import { CROWDED, inTheWay, refused } from "./ref-refusals.ts";

type Format = "sha1" | "sha256";

interface Bench extends TestRepository {
  readonly ids: readonly [ObjectId, ObjectId, ObjectId];
}

async function bench(objectFormat: Format = "sha1"): Promise<Bench> {
  const repository = await createTestRepository({ objectFormat });
  const ids: ObjectId[] = [];
  for (const message of ["one", "two", "three"]) {
    const id = parseObjectId(await repository.commit(message), objectFormat);
    if (id !== undefined) ids.push(id);
  }
  return { ...repository, ids: ids as unknown as Bench["ids"] };
}

const reasons = (outcomes: readonly RefOutcome[]) =>
  outcomes.map((outcome) => (outcome.status === "ok" ? "ok" : outcome.reason));
const create = (name: string, next: ObjectId): RefEdit => ({ name, expected: "absent", next });
const remove = (name: string, expected: RefEdit["expected"]): RefEdit => ({ name, expected, next: "delete" });
const separate = { atomic: false } as const;
const together = { atomic: true } as const;

/** What git says of the refs, having checked that nothing is broken and no lock is left. */
async function state({ directory, gitDirectory }: TestRepository): Promise<Record<string, string>> {
  const { status, stdout, stderr } = await tryGit(["fsck", "--strict", "--no-dangling"], { cwd: directory });
  expect([status, stdout, stderr]).toEqual([0, "", ""]);
  expect(leftovers(gitDirectory)).toEqual([]);
  const out = await git(["for-each-ref", "--format=%(refname) %(objectname)"], { cwd: directory });
  return Object.fromEntries(
    out === "" ? [] : out.split("\n").map((line) => line.split(" ") as [string, string]),
  );
}

function leftovers(gitDirectory: string): string[] {
  return readdirSync(gitDirectory, { recursive: true, encoding: "latin1" }).filter((name) =>
    /\.(lock|new)$/.test(name),
  );
}

describe.each(["sha1", "sha256"] as const)("transact beside git, %s", (format) => {
  it.each([
    ["loose", false],
    ["packed", true],
  ] as const)("creates, updates and deletes, %s", async (_, pack) => {
    const repository = await bench(format);
    const [a, b, c] = repository.ids;
    await repository.git("update-ref", "refs/heads/old", a);
    await repository.git("update-ref", "refs/heads/gone", a);
    await repository.git("tag", "-a", "-m", "x", "annotated", a);
    if (pack) await repository.git("pack-refs", "--all", "--prune");
    const tag = await repository.git("rev-parse", "annotated");
    const refs = await openRefs(repository.directory);
    const outcomes = await refs.transact(
      [
        { name: "refs/heads/old", expected: a, next: b },
        create("refs/heads/deep/er/new\xff", c),
        remove("refs/heads/gone", a),
        { name: "refs/heads/main", expected: "any", next: c },
      ],
      separate,
    );
    expect(reasons(outcomes)).toEqual(["ok", "ok", "ok", "ok"]);
    const expected = {
      "refs/heads/deep/er/new\xff": c,
      "refs/heads/main": c,
      "refs/heads/old": b,
      "refs/tags/annotated": tag,
    };
    expect(await state(repository)).toEqual(expected);
    await repository.git("pack-refs", "--all", "--prune");
    expect(await state(repository)).toEqual(expected);
    expect((await refs.get("refs/tags/annotated"))?.peeled).toBe(a);
    expect(reasons(await refs.transact([remove("refs/heads/deep/er/new\xff", c)], together))).toEqual(["ok"]);
    expect((await refs.get("refs/tags/annotated"))?.peeled).toBe(a);
    await repository.git("update-ref", "refs/heads/old", c, b);
    expect(
      reasons(await refs.transact([{ name: "refs/heads/old", expected: c, next: a }], together)),
    ).toEqual(["ok"]);
    expect(await state(repository)).toEqual({
      "refs/heads/main": c,
      "refs/heads/old": a,
      "refs/tags/annotated": tag,
    });
    expect(existsSync(join(repository.gitDirectory, "refs/heads/deep"))).toBe(false);
  });

  it("works in turn with git for a while", async () => {
    const repository = await bench(format);
    const refs = await openRefs(repository.directory);
    const model = new Map<string, ObjectId>([["refs/heads/main", repository.ids[2]]]);
    for (let round = 0; round < 24; round++) {
      const next = repository.ids[round % 3] as ObjectId;
      const name = `refs/heads/b${round % 7}/x`;
      const known = model.get(name);
      if (round % 4 === 3 && known !== undefined) {
        expect(reasons(await refs.transact([remove(name, known)], together))).toEqual(["ok"]);
        model.delete(name);
      } else if (round % 2 === 0) {
        expect(reasons(await refs.transact([{ name, expected: known ?? "absent", next }], together))).toEqual(
          ["ok"],
        );
        model.set(name, next);
      } else {
        await repository.git("update-ref", name, next);
        model.set(name, next);
      }
      if (round % 5 === 4) await repository.git("pack-refs", "--all", "--prune");
      expect(new Map(Object.entries(await state(repository)))).toEqual(new Map([...model].sort()));
    }
  });
});

describe("transact refuses", () => {
  it.each([
    ["loose", false],
    ["packed", true],
  ] as const)("what is not as expected, %s, and makes the rest", async (_, pack) => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    await repository.git("update-ref", "refs/heads/x", a);
    if (pack) await repository.git("pack-refs", "--all", "--prune");
    const refs = await openRefs(repository.directory);
    const outcomes = await refs.transact(
      [
        { name: "refs/heads/main", expected: a, next: b },
        create("refs/heads/x", b),
        { name: "refs/heads/none", expected: a, next: b },
        remove("refs/heads/nothing", a),
        remove("refs/heads/nowhere", "any"),
        create("refs/heads/y", b),
      ],
      separate,
    );
    expect(outcomes).toEqual([
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
    expect(await state(repository)).toEqual({ "refs/heads/main": c, "refs/heads/x": a, "refs/heads/y": b });
  });

  it("all of an atomic transaction for one fault", async () => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    await repository.git("update-ref", "refs/heads/x", a);
    const refs = await openRefs(repository.directory);
    const before = await state(repository);
    const outcomes = await refs.transact(
      [
        create("refs/heads/new/one", b),
        remove("refs/heads/x", a),
        { name: "refs/heads/main", expected: b, next: a },
        create("refs/heads/x/y", c),
      ],
      together,
    );
    expect(reasons(outcomes)).toEqual(["aborted", "aborted", "stale", "name-conflict"]);
    expect(outcomes[0]).toMatchObject({ message: "atomic transaction failed" });
    expect(await state(repository)).toEqual(before);
    expect(existsSync(join(repository.gitDirectory, "refs/heads/new"))).toBe(false);
  });

  it.each([
    ["loose", false],
    ["packed", true],
  ] as const)("names that cannot be neighbours, %s", async (_, pack) => {
    const repository = await bench();
    const [a, b] = repository.ids;
    await repository.git("update-ref", "refs/heads/a", a);
    await repository.git("update-ref", "refs/heads/d/e/f", a);
    if (pack) await repository.git("pack-refs", "--all", "--prune");
    const refs = await openRefs(repository.directory);
    const before = await state(repository);
    for (const [name, other] of CROWDED) {
      const [outcome] = await refs.transact([create(name, b)], separate);
      expect([name, outcome]).toEqual([name, inTheWay(name, other, !pack)]);
      const theirs = await tryGit(["update-ref", name, b], { cwd: repository.directory });
      expect(theirs.status).not.toBe(0);
      expect(theirs.stderr).toContain(`'${other}' exists; cannot create '${name}'\n`);
    }
    expect(reasons(await refs.transact([remove("refs/heads/a/b", a)], separate))).toEqual(["missing"]);
    expect(await state(repository)).toEqual(before);
    const pair = [create("refs/heads/p/q", b), create("refs/heads/p", b)];
    expect(reasons(await refs.transact(pair, separate))).toEqual(["ok", "name-conflict"]);
    const swap = [
      create("refs/heads/p", a),
      remove("refs/heads/p/q", b),
      create("refs/heads/a/b", b),
      remove("refs/heads/a", a),
    ];
    expect(reasons(await refs.transact(swap, separate))).toEqual(["ok", "ok", "ok", "ok"]);
    expect(await state(repository)).toMatchObject({ "refs/heads/a/b": b, "refs/heads/p": a });
  });

  it("to overwrite a symbolic or broken ref, unless anything will do", async () => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    await repository.git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    writeFileSync(join(repository.gitDirectory, "refs/heads/broken"), "");
    const refs = await openRefs(repository.directory);
    for (const name of ["refs/heads/alias", "refs/heads/broken"]) {
      const edits: RefEdit[] = [{ name, expected: c, next: a }, create(name, a), remove(name, c)];
      for (const [at, reason] of ["stale", "exists", "stale"].entries())
        expect(reasons(await refs.transact([edits[at] as RefEdit], separate))).toEqual([reason]);
    }
    expect(
      reasons(
        await refs.transact(
          [{ name: "refs/heads/alias", expected: "any", next: b }, remove("refs/heads/broken", "any")],
          together,
        ),
      ),
    ).toEqual(["ok", "ok"]);
    expect(await state(repository)).toEqual({ "refs/heads/alias": b, "refs/heads/main": c });
  });

  it("names that git would not take, before anything is done", async () => {
    const repository = await bench();
    const [a, , c] = repository.ids;
    const refs = await openRefs(repository.directory);
    const bad = [
      "refs/heads/../x",
      "config",
      "refs",
      "refs/heads/x.lock",
      "FETCH_HEAD",
      "../x",
      "refs/heads/a\0",
      "refs/heads/",
    ];
    for (const name of bad)
      await expect(
        refs.transact([create("refs/heads/fine", a), create(name, a)], separate),
      ).rejects.toMatchObject({ code: "refs/bad-name" });
    await expect(refs.transact([remove("HEAD", "any")], separate)).rejects.toMatchObject({
      code: "refs/bad-name",
    });
    const twice = [create("refs/heads/x", a), create("refs/heads/x", a)];
    await expect(refs.transact(twice, separate)).rejects.toMatchObject({ code: "refs/bad-name" });
    expect(await state(repository)).toEqual({ "refs/heads/main": c });
  });

  it("names that are too long for the disk, one by one", async () => {
    const repository = await bench();
    const [a] = repository.ids;
    const refs = await openRefs(repository.directory);
    const names = [
      `refs/heads/${"x".repeat(255)}`,
      `refs/heads/${"x".repeat(300)}/y`,
      `refs/${"x/".repeat(2500)}y`,
      "refs/heads/fine",
    ];
    const outcomes = await refs.transact(
      names.map((name) => create(name, a)),
      separate,
    );
    expect(reasons(outcomes)).toEqual(["locked", "locked", "locked", "ok"]);
    expect(outcomes[0]).toMatchObject({ message: "failed to update ref" });
  });

  it("to go through a symlinked directory", async () => {
    const repository = await bench();
    const outside = temporaryDirectory();
    symlinkSync(outside, join(repository.gitDirectory, "refs/heads/out"));
    const refs = await openRefs(repository.directory);
    expect(reasons(await refs.transact([create("refs/heads/out/x", repository.ids[0])], separate))).toEqual([
      "name-conflict",
    ]);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe("transact and what is in the way", () => {
  it("removes empty directories, but not others", async () => {
    const repository = await bench();
    const [a] = repository.ids;
    const heads = join(repository.gitDirectory, "refs/heads");
    mkdirSync(join(heads, "empty/deep/er"), { recursive: true });
    mkdirSync(join(heads, "full/deep"), { recursive: true });
    writeFileSync(join(heads, "full/deep/x.lock"), "");
    const refs = await openRefs(repository.directory);
    const outcomes = await refs.transact(
      [create("refs/heads/empty", a), create("refs/heads/full", a)],
      separate,
    );
    expect(reasons(outcomes)).toEqual(["ok", "name-conflict"]);
    rmSync(join(heads, "full/deep/x.lock"));
    expect(await state(repository)).toMatchObject({ "refs/heads/empty": a });
  });

  it("waits for a lock of git's, and gives up on one that stays", async () => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    await repository.git("config", "core.filesRefLockTimeout", "400");
    await repository.git("config", "core.packedRefsTimeout", "100");
    const refs = await openRefs(repository.directory);
    const lock = join(repository.gitDirectory, "refs/heads/main.lock");
    writeFileSync(lock, "");
    const edit = { name: "refs/heads/main", expected: c, next: a };
    const other = create("refs/heads/other", b);
    expect(reasons(await refs.transact([edit, other], separate))).toEqual(["locked", "ok"]);
    expect(reasons(await refs.transact([edit, remove("refs/heads/other", b)], together))).toEqual([
      "locked",
      "aborted",
    ]);
    expect(existsSync(lock)).toBe(true);
    setTimeout(() => unlinkSync(lock), 100);
    expect(reasons(await refs.transact([edit], separate))).toEqual(["ok"]);
    const packedLock = join(repository.gitDirectory, "packed-refs.lock");
    writeFileSync(packedLock, "");
    expect(
      reasons(await refs.transact([remove("refs/heads/other", b), create("refs/heads/more", b)], separate)),
    ).toEqual(["locked", "ok"]);
    expect(existsSync(packedLock)).toBe(true);
    unlinkSync(packedLock);
    expect(await state(repository)).toEqual({
      "refs/heads/main": a,
      "refs/heads/more": b,
      "refs/heads/other": b,
    });
  });

  it("overwrites a packed-refs.new that a writer left when it died", async () => {
    const repository = await bench();
    const [a] = repository.ids;
    await repository.git("update-ref", "refs/heads/x", a);
    await repository.git("pack-refs", "--all");
    const left = join(repository.gitDirectory, "packed-refs.new");
    writeFileSync(left, "half");
    const refs = await openRefs(repository.directory);
    expect(reasons(await refs.transact([remove("refs/heads/x", a)], separate))).toEqual(["ok"]);
    expect(existsSync(left)).toBe(false);
    expect(Object.keys(await state(repository))).toEqual(["refs/heads/main"]);
  });

  it("keeps what packed-refs says of others when one goes, tags' peeled ids and odd lines included", async () => {
    const repository = await bench();
    const [a, b] = repository.ids;
    const path = join(repository.gitDirectory, "packed-refs");
    const lines = [
      `${a} refs/heads/a\n`,
      `${b} refs/heads/with space\n`,
      `${b} refs/heads/x\n`,
      `${b} refs/tags/t\n^${a}\n`,
    ];
    writeFileSync(path, `# pack-refs with: peeled fully-peeled sorted \n${lines.join("")}`);
    const refs = await openRefs(repository.directory);
    expect(reasons(await refs.transact([remove("refs/heads/x", b)], separate))).toEqual(["ok"]);
    lines.splice(2, 1);
    expect(readFileSync(path, "latin1")).toBe(
      `# pack-refs with: peeled fully-peeled sorted \n${lines.join("")}`,
    );
  });

  it("does not touch a ref that already holds the value", async () => {
    const repository = await bench();
    const path = join(repository.gitDirectory, "refs/heads/main");
    utimesSync(path, 1, 1);
    const [, , c] = repository.ids;
    const refs = await openRefs(repository.directory);
    expect(
      reasons(await refs.transact([{ name: "refs/heads/main", expected: c, next: c }], together)),
    ).toEqual(["ok"]);
    expect(statSync(path).mtimeMs).toBe(1000);
  });
});

describe("transact in a race", () => {
  it("lets exactly one of two stores win", async () => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    const stores = [await openRefs(repository.directory), await openRefs(repository.directory)];
    let current: ObjectId = c;
    for (let round = 0; round < 20; round++) {
      if (round % 5 === 4) await repository.git("pack-refs", "--all", "--prune");
      const values = [a, b, c].filter((id) => id !== current) as [ObjectId, ObjectId];
      const results = await Promise.all(
        stores.map((store, at) =>
          store.transact([{ name: "refs/heads/main", expected: current, next: values[at] as ObjectId }], {
            atomic: at === 0,
          }),
        ),
      );
      const winners = results.flatMap((outcomes, at) => (outcomes[0]?.status === "ok" ? [at] : []));
      expect(winners).toHaveLength(1);
      expect(reasons(results.flat())[winners[0] === 0 ? 1 : 0]).toMatch(/^stale$|^locked$/);
      current = values[winners[0] as number] as ObjectId;
      expect(await state(repository)).toEqual({ "refs/heads/main": current });
    }
  });

  it("lets exactly one of two names win that cannot be neighbours", async () => {
    const repository = await bench();
    const [a] = repository.ids;
    const stores = [await openRefs(repository.directory), await openRefs(repository.directory)] as const;
    for (let round = 0; round < 40; round++) {
      const name = `refs/heads/r${round}`;
      const results = await Promise.all([
        stores[0].transact([create(name, a)], separate),
        stores[1].transact([create(`${name}/x`, a)], separate),
      ]);
      expect(reasons(results.flat()).filter((reason) => reason === "ok").length).toBeLessThanOrEqual(1);
    }
    const refs = Object.keys(await state(repository));
    for (const name of refs) expect(refs.filter((other) => other.startsWith(`${name}/`))).toEqual([]);
    // Both may get in each other's way, but not always.
    expect(refs.length).toBeGreaterThan(20);
  });

  it("makes and removes directories of neighbours at the same time", async () => {
    const repository = await bench();
    // All of them wait for packed-refs, and for the disk: that takes its time where much else goes on.
    await repository.git("config", "core.packedRefsTimeout", "20000");
    await repository.git("config", "core.filesRefLockTimeout", "20000");
    const [a, , c] = repository.ids;
    const refs = await openRefs(repository.directory);
    await Promise.all(
      Array.from({ length: 16 }, async (_, at) => {
        for (let round = 0; round < 5; round++) {
          const name = `refs/heads/shared/dir/n${at}`;
          expect(reasons(await refs.transact([create(name, a)], separate))).toEqual(["ok"]);
          expect(reasons(await refs.transact([remove(name, a)], separate))).toEqual(["ok"]);
        }
      }),
    );
    expect(await state(repository)).toEqual({ "refs/heads/main": c });
    expect(existsSync(join(repository.gitDirectory, "refs/heads/shared"))).toBe(false);
  });

  it("holds against git pack-refs all the while", async () => {
    const repository = await bench();
    const [, , c] = repository.ids;
    const refs = await openRefs(repository.directory);
    // No value comes twice: git prunes a loose ref that holds what it has packed, even when it was deleted and made
    // again in between.
    const fresh = async (message: string) => {
      const commit = await repository.git("commit-tree", "-m", message, "HEAD^{tree}");
      return parseObjectId(commit, "sha1") as ObjectId;
    };
    let done = false;
    const packing = (async () => {
      while (!done) await tryGit(["pack-refs", "--all", "--prune"], { cwd: repository.directory });
    })();
    try {
      for (let round = 0; round < 30; round++) {
        const [a, b] = [await fresh(`a${round}`), await fresh(`b${round}`)];
        expect(reasons(await refs.transact([create("refs/heads/x", a)], separate))).toEqual(["ok"]);
        expect(await refs.get("refs/heads/x")).toMatchObject({ target: { id: a } });
        const edit = { name: "refs/heads/x", expected: a, next: b };
        expect(reasons(await refs.transact([edit], separate))).toEqual(["ok"]);
        expect(reasons(await refs.transact([create("refs/heads/x", c)], separate))).toEqual(["exists"]);
        expect(reasons(await refs.transact([remove("refs/heads/x", b)], separate))).toEqual(["ok"]);
        expect(await refs.get("refs/heads/x")).toBeUndefined();
      }
    } finally {
      done = true;
      await packing;
    }
    expect(await state(repository)).toEqual({ "refs/heads/main": c });
  });
});

describe("transact and reflogs", () => {
  const reflog = { committer: "A Pusher <pusher@example.com>", message: "push\n  twice" };

  it("writes what git writes where git writes it", async () => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    const refs = await openRefs(repository.directory);
    const edits: RefEdit[] = [
      { name: "refs/heads/main", expected: c, next: a },
      create("refs/heads/deep/new", b),
      create("refs/tags/t", b),
    ];
    expect(reasons(await refs.transact(edits, { atomic: true, reflog }))).toEqual(["ok", "ok", "ok"]);
    for (const name of ["refs/heads/main", "HEAD"]) {
      const top = await repository.git("reflog", "show", "-1", "--format=%gd %gn %ge %gs %H", name);
      const shown = name === "HEAD" ? name : "main";
      expect(top).toBe(`${shown}@{0} A Pusher pusher@example.com push twice ${a}`);
    }
    const log = readFileSync(join(repository.gitDirectory, "logs/refs/heads/deep/new"), "latin1");
    expect(log).toMatch(
      new RegExp(`^0{40} ${b} A Pusher <pusher@example\\.com> \\d+ [+-]\\d{4}\\tpush twice\\n$`),
    );
    expect(existsSync(join(repository.gitDirectory, "logs/refs/tags/t"))).toBe(false);
    expect(
      reasons(
        await refs.transact([remove("refs/heads/deep/new", b), create("refs/heads/deep", b)], {
          atomic: false,
          reflog,
        }),
      ),
    ).toEqual(["ok", "ok"]);
    expect(await repository.git("reflog", "show", "--format=%gs", "deep")).toBe("push twice");
    await state(repository);
  });

  it("keeps none in a bare repository, but continues those that are there", async () => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    await repository.git("config", "core.bare", "true");
    await git(["config", "--unset", "core.logAllRefUpdates"], { cwd: repository.gitDirectory });
    rmSync(join(repository.gitDirectory, "logs/HEAD"));
    const refs = await openRefs(repository.gitDirectory);
    await refs.transact([{ name: "refs/heads/main", expected: c, next: a }, create("refs/heads/x", b)], {
      atomic: false,
      reflog,
    });
    expect(
      readFileSync(join(repository.gitDirectory, "logs/refs/heads/main"), "latin1").split("\n"),
    ).toHaveLength(5);
    expect(existsSync(join(repository.gitDirectory, "logs/refs/heads/x"))).toBe(false);
    expect(existsSync(join(repository.gitDirectory, "logs/HEAD"))).toBe(false);
    await git(["config", "core.logAllRefUpdates", "always"], { cwd: repository.gitDirectory });
    await (await openRefs(repository.gitDirectory)).transact([create("refs/tags/t", b)], {
      atomic: false,
      reflog,
    });
    expect(existsSync(join(repository.gitDirectory, "logs/refs/tags/t"))).toBe(true);
  });

  it("moves a detached HEAD", async () => {
    const repository = await bench();
    const [a, b, c] = repository.ids;
    await repository.git("checkout", "-q", "--detach", a);
    const refs = await openRefs(repository.directory);
    expect(
      reasons(await refs.transact([{ name: "HEAD", expected: c, next: b }], { atomic: true, reflog })),
    ).toEqual(["stale"]);
    expect(
      reasons(await refs.transact([{ name: "HEAD", expected: a, next: b }], { atomic: true, reflog })),
    ).toEqual(["ok"]);
    expect(await repository.git("rev-parse", "HEAD")).toBe(b);
  });
});

describe.each(["sha1", "sha256"] as const)("many edits, %s", (format) => {
  it("of refs with other values are refused before anything is locked", async () => {
    const repository = await bench(format);
    const [a, b, c] = repository.ids;
    const { gitDirectory } = repository;
    await repository.git("update-ref", "refs/heads/here", a);
    const refs = await openRefs(repository.directory);
    const names = Array.from({ length: 100 }, (_, i) => `refs/heads/many/${i}`);
    mkdirSync(join(gitDirectory, "refs/heads/many"));
    // Whoever had to lock these would have to wait.
    for (const name of names) writeFileSync(join(gitDirectory, `${name}.lock`), "");
    const edits = [
      ...names.map((name): RefEdit => ({ name, expected: b, next: c })),
      create("refs/heads/here", b),
    ];
    expect(reasons(await refs.transact(edits, separate))).toEqual([...names.map(() => "missing"), "exists"]);
    const more = [...edits, create("refs/heads/new", b)];
    expect(new Set(reasons(await refs.transact(more, together)))).toEqual(
      new Set(["missing", "exists", "aborted"]),
    );
    for (const name of names) unlinkSync(join(gitDirectory, `${name}.lock`));
    expect(reasons(await refs.transact([...edits, create("refs/heads/new", b)], separate)).at(-1)).toBe("ok");
    expect(await state(repository)).toMatchObject({ "refs/heads/here": a, "refs/heads/new": b });
  });
});
