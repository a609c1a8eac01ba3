import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createTestRepository, git, type TestRepository, tryGit } from "@tooling/test-kit";
import { type ObjectId, parseObjectId } from "@x/objects";
import type { RefEdit, RefStore } from "@x/refs";
import { describe, expect, it } from "vitest";
import { toBytePath } from "../src/disk/byte-path.ts";
import { type LockFile, lockFile } from "../src/disk/lock-file.ts";
import { Journal } from "../src/journal/journal.ts";
import { ownProcessName } from "../src/journal/process-name.ts";
import { deadProcessName, handOver, journalOf, withField } from "./dead-process.ts";
import { openRefs } from "./open-refs.ts";

interface Bench extends TestRepository {
  readonly a: ObjectId;
  readonly b: ObjectId;
  /** Locks a file below the git directory, as a transaction does. */
  lock(path: string, content?: string): Promise<LockFile>;
  readonly journal: Journal;
}

async function bench(objectFormat: "sha1" | "sha256" = "sha1"): Promise<Bench> {
  const repository = await createTestRepository({ objectFormat });
  const [a, b] = [await repository.commit("one"), await repository.commit("two")].map((id) =>
    parseObjectId(id, objectFormat),
  ) as [ObjectId, ObjectId];
  await repository.git("config", "core.logAllRefUpdates", "false");
  const common = toBytePath(repository.gitDirectory);
  const journal = new Journal(common, true);
  const lock = async (path: string, content = ""): Promise<LockFile> => {
    const draft = await journal.draft(`${common}/${path}`, Buffer.from(content));
    expect(draft).toBeDefined();
    return (await lockFile(`${common}/${path}`, { timeoutMs: 0, draft })) as LockFile;
  };
  return { ...repository, a, b, lock, journal };
}

const update = (name: string, expected: RefEdit["expected"], next: RefEdit["next"]): RefEdit => ({
  name,
  expected,
  next,
});

async function push(refs: RefStore, ...edits: readonly RefEdit[]): Promise<string[]> {
  const outcomes = await refs.transact(edits, { atomic: true });
  return outcomes.map((outcome) => (outcome.status === "ok" ? "ok" : outcome.reason));
}

function locksIn({ gitDirectory }: TestRepository): string[] {
  const names = readdirSync(gitDirectory, { recursive: true, encoding: "latin1" });
  return names.filter((name) => name.endsWith(".lock") || name.endsWith(".new")).sort();
}

async function state({ directory }: TestRepository): Promise<Record<string, string>> {
  const { status, stdout, stderr } = await tryGit(["fsck", "--strict", "--no-dangling"], { cwd: directory });
  expect([status, stdout, stderr]).toEqual([0, "", ""]);
  const out = await git(["for-each-ref", "--format=%(refname) %(objectname)"], { cwd: directory });
  return Object.fromEntries(out.split("\n").map((line) => line.split(" ") as [string, string]));
}

describe("a lock that a dead process left", () => {
  it.each([
    "refs/heads/main",
    "refs/heads/new",
    "refs/heads/\xff odd%~",
    `refs/heads/${"long".repeat(60)}`,
    "packed-refs",
  ])("is removed: %s", async (path) => {
    const repository = await bench();
    const { a, b, gitDirectory } = repository;
    await repository.lock(path.replace(" ", ""));
    if (path === "packed-refs") writeFileSync(`${gitDirectory}/packed-refs.new`, "half of");
    handOver(gitDirectory, await deadProcessName());
    expect(locksIn(repository)).toHaveLength(path === "packed-refs" ? 2 : 1);
    await openRefs(repository.directory);
    expect(locksIn(repository)).toEqual([]);
    expect(journalOf(gitDirectory)).toEqual([]);
    await repository.git("update-ref", "refs/heads/main", a, b);
  });

  it("is removed while we are there already", async () => {
    const repository = await bench();
    const { a, b } = repository;
    const refs = await openRefs(repository.directory);
    await repository.lock("refs/heads/main");
    expect(await push(refs, update("refs/heads/main", b, a))).toEqual(["locked"]);
    handOver(repository.gitDirectory, await deadProcessName());
    expect(await push(refs, update("refs/heads/main", b, a))).toEqual(["ok"]);
    expect(await state(repository)).toEqual({ "refs/heads/main": a });
  });

  it("is not taken for what somebody else has locked since", async () => {
    const repository = await bench();
    const { a, b, gitDirectory } = repository;
    const refs = await openRefs(repository.directory);
    const lock = await repository.lock("refs/heads/main");
    const [entry = ""] = journalOf(gitDirectory);
    const path = `${gitDirectory}/xgit-journal/${entry}`;
    await lock.release();
    writeFileSync(path, ""); // it died just before it would have locked
    writeFileSync(`${gitDirectory}/refs/heads/main.lock`, "", { flag: "wx" });
    handOver(gitDirectory, await deadProcessName());
    expect(await push(refs, update("refs/heads/main", b, a))).toEqual(["locked"]);
    expect(locksIn(repository)).toEqual(["refs/heads/main.lock"]);
    expect(journalOf(gitDirectory)).toEqual([]);
  });

  it("is left alone where nobody can know that it is dead", async () => {
    const own = await ownProcessName();
    const dead = await deadProcessName();
    for (const owner of [own, withField(dead, "machine", "abc"), withField(dead, "namespace", "1")]) {
      const repository = await bench();
      const { a, b, gitDirectory } = repository;
      await repository.lock("refs/heads/main");
      handOver(gitDirectory, owner);
      const refs = await openRefs(repository.directory);
      expect(await push(refs, update("refs/heads/main", b, a)), owner).toEqual(["locked"]);
      expect(locksIn(repository)).toEqual(["refs/heads/main.lock"]);
      expect(journalOf(gitDirectory)).toHaveLength(1);
    }
  });

  it("is removed when the machine was started anew, or another process has its number", async () => {
    const own = await ownProcessName();
    for (const owner of [withField(own, "boot", "abc"), withField(own, "start", "17")]) {
      const repository = await bench();
      await repository.lock("refs/heads/main");
      handOver(repository.gitDirectory, owner);
      await openRefs(repository.directory);
      expect(locksIn(repository), owner).toEqual([]);
    }
  });

  it("is what git has no use for either: it fails, and works once we were there", async () => {
    const repository = await bench();
    const { a, b, directory, gitDirectory } = repository;
    await repository.lock("refs/heads/main");
    handOver(gitDirectory, await deadProcessName());
    expect((await tryGit(["update-ref", "refs/heads/main", a, b], { cwd: directory })).status).toBe(128);
    await openRefs(directory);
    await repository.git("update-ref", "refs/heads/main", a, b);
    await repository.git("gc", "-q", "--prune=now");
    expect(await state(repository)).toEqual({ "refs/heads/main": a });
  });
});

describe.each(["sha1", "sha256"] as const)("an atomic push that was interrupted, %s", (format) => {
  /** main b→a, gone deleted, new made: begun by a process that died after as many of these as `done` names. */
  async function interrupted(done: readonly ("main" | "gone" | "new")[], pack = false) {
    const repository = await bench(format);
    const { a, b, gitDirectory } = repository;
    await repository.git("update-ref", "refs/heads/gone", a);
    if (pack) await repository.git("pack-refs", "--all");
    for (const [name, content] of [
      ["main", `${a}\n`],
      ["gone", ""],
      ["new", `${b}\n`],
    ] as const)
      await repository.lock(`refs/heads/${name}`, content);
    await repository.lock("packed-refs");
    const lines = [
      "log A <a@b>\tpush",
      `${b} ${a} refs/heads/main`,
      `${a} delete refs/heads/gone`,
      `absent ${b} refs/heads/new`,
    ];
    await repository.journal.intend(`xgit refs 1\n${lines.join("\n")}\nend\n`);
    handOver(gitDirectory, await deadProcessName());
    for (const name of done) {
      if (name === "gone") {
        const rest = `${gitDirectory}/packed-refs`;
        if (pack) writeFileSync(rest, readFileSync(rest, "latin1").replace(/^.*gone\n/m, ""), "latin1");
        rmSync(`${gitDirectory}/refs/heads/gone`, { force: true });
      } else {
        renameSync(`${gitDirectory}/refs/heads/${name}.lock`, `${gitDirectory}/refs/heads/${name}`);
      }
    }
    return repository;
  }

  it.each([false, true])("is finished when a part of it is done; packed: %s", async (pack) => {
    for (const done of [["main"], ["new"], ["gone"], ["main", "new"], ["main", "new", "gone"]] as const) {
      const repository = await interrupted(done, pack);
      const warnings: string[] = [];
      const refs = await openRefs(repository.directory, warnings);
      expect(locksIn(repository)).toEqual([]);
      expect(journalOf(repository.gitDirectory)).toEqual([]);
      const expected = { "refs/heads/main": repository.a, "refs/heads/new": repository.b };
      expect(await state(repository), done.join()).toEqual(expected);
      expect(warnings).toEqual(["finishing a push of 3 refs that was interrupted"]);
      expect(await push(refs, update("refs/heads/new", repository.b, "delete"))).toEqual(["ok"]);
    }
  });

  it("never was when nothing of it is done", async () => {
    const repository = await interrupted([]);
    await openRefs(repository.directory);
    expect(locksIn(repository)).toEqual([]);
    expect(journalOf(repository.gitDirectory)).toEqual([]);
    expect(await state(repository)).toEqual({
      "refs/heads/gone": repository.a,
      "refs/heads/main": repository.b,
    });
  });

  it("does not undo what others did since", async () => {
    const repository = await interrupted(["main"]);
    const { a, b, gitDirectory } = repository;
    rmSync(`${gitDirectory}/refs/heads/new.lock`);
    await repository.git("update-ref", "refs/heads/new", a);
    await openRefs(repository.directory);
    expect(await state(repository)).toEqual({ "refs/heads/main": a, "refs/heads/new": a });
    expect(b).not.toBe(a);
  });

  it("waits while somebody else holds one of its refs", async () => {
    const repository = await interrupted(["main"]);
    const { a, b, gitDirectory } = repository;
    rmSync(`${gitDirectory}/refs/heads/new.lock`);
    writeFileSync(`${gitDirectory}/refs/heads/new.lock`, "");
    const refs = await openRefs(repository.directory);
    expect(journalOf(gitDirectory)).toHaveLength(1);
    rmSync(`${gitDirectory}/refs/heads/new.lock`);
    expect(await push(refs, update("refs/heads/x", "absent", a))).toEqual(["ok"]);
    expect(journalOf(gitDirectory)).toEqual([]);
    expect(await state(repository)).toEqual({
      "refs/heads/main": a,
      "refs/heads/new": b,
      "refs/heads/x": a,
    });
  });

  it("with half a record of it had not begun", async () => {
    const repository = await interrupted([]);
    const { a, gitDirectory } = repository;
    const [name = ""] = journalOf(gitDirectory).filter((entry) => entry.endsWith(".intent"));
    const path = `${gitDirectory}/xgit-journal/${name}`;
    writeFileSync(path, readFileSync(path, "latin1").slice(0, -3));
    await openRefs(repository.directory);
    expect((await state(repository))["refs/heads/gone"]).toBe(a);
    expect(journalOf(gitDirectory)).toEqual([]);
  });
});

describe("an atomic push that fails in the middle", () => {
  it("is taken back", async () => {
    const repository = await bench();
    const { a, b, gitDirectory } = repository;
    await repository.git("update-ref", "refs/heads/gone", a);
    const refs = await openRefs(repository.directory);
    const edits = [
      update("refs/heads/main", b, a),
      update("refs/heads/z", "absent", a),
      update("refs/heads/gone", a, "delete"),
    ];
    const failing = refs.transact(edits, {
      atomic: true,
      onPhase: async (phase) => {
        if (phase !== "prepared") return;
        // A file stands in the way of one ref, deep enough that nobody looks there any more.
        mkdirSync(`${gitDirectory}/refs/heads/z/y`, { recursive: true });
        writeFileSync(`${gitDirectory}/refs/heads/z/y/x`, `${a}\n`);
      },
    });
    await expect(failing).rejects.toMatchObject({ code: "refs/unavailable" });
    expect(await state(repository)).toEqual({
      "refs/heads/gone": a,
      "refs/heads/main": b,
      "refs/heads/z/y/x": a,
    });
    expect(locksIn(repository)).toEqual([]);
    expect(journalOf(gitDirectory)).toEqual([]);
  });
});

describe("the journal", () => {
  it("is empty after transactions, and leaves no second name of a ref", async () => {
    const repository = await bench();
    const { a, b, gitDirectory } = repository;
    const refs = await openRefs(repository.directory);
    expect(existsSync(`${gitDirectory}/xgit-journal`)).toBe(false);
    const edits = [update("refs/heads/main", b, a), update("refs/heads/x/y", "absent", a)];
    expect(await push(refs, ...edits)).toEqual(["ok", "ok"]);
    expect(await push(refs, update("refs/heads/x/y", a, "delete"))).toEqual(["ok"]);
    expect(await push(refs, update("refs/heads/main", b, a))).toEqual(["stale"]);
    expect(journalOf(gitDirectory)).toEqual([]);
    expect(statSync(`${gitDirectory}/refs/heads/main`).nlink).toBe(1);
  });

  it("is done without where it cannot be", async () => {
    const repository = await bench();
    const { a, b, gitDirectory } = repository;
    // Not a directory: as good as forbidden, which root would not notice.
    writeFileSync(`${gitDirectory}/xgit-journal`, "");
    const refs = await openRefs(repository.directory);
    const edits = [update("refs/heads/main", b, a), update("refs/heads/x/y", "absent", a)];
    expect(await push(refs, ...edits)).toEqual(["ok", "ok"]);
    expect(await state(repository)).toEqual({ "refs/heads/main": a, "refs/heads/x/y": a });
  });
});
