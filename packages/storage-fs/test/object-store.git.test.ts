import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, ObjectStore, PackEvent } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileObjectStore, createWorkerPool, type WorkerPool } from "../src/index.ts";
import { EVENT_WINDOW } from "../src/pool/worker-protocol.ts";
import {
  bytesOf,
  emptyRepository,
  gitPack,
  locationOf,
  type MadeRepository,
  makeRepository,
  START_TIME,
  storeOf,
} from "./made-repository.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 2 });
});
afterAll(() => pool.close());

const absent = (format: ObjectFormat) => "1".repeat(format === "sha1" ? 40 : 64) as ObjectId;
const code = (expected: string) => expect.objectContaining({ code: expected });

describe.each<ObjectFormat>(["sha1", "sha256"])("objects on disk, %s", (format) => {
  let made: MadeRepository;
  let store: ObjectStore;
  let tip: ObjectId;

  beforeAll(async () => {
    made = await makeRepository(format, 60);
    store = storeOf(pool, made);
    tip = made.commits.at(-1) as ObjectId;
  });

  it("are read as git reads them, loose and packed", async () => {
    const list = (await made.git("cat-file", "--batch-all-objects", "--batch-check")).split("\n");
    const ids = list.map((line) => line.slice(0, line.indexOf(" ")) as ObjectId);
    expect(await store.has([...ids, absent(format)])).toEqual([...ids.map(() => true), false]);
    const headers = await store.headers([...ids, absent(format)]);
    expect(headers.at(-1)).toBeUndefined();
    expect(headers.slice(0, -1).map((header, i) => `${ids[i]} ${header?.type} ${header?.size}`)).toEqual(
      list,
    );
    for (const id of [...ids.slice(0, 20), ...made.tags]) {
      const object = await store.read(id);
      const { stdout } = await tryGit(["cat-file", object?.type ?? "", id], { cwd: made.directory });
      expect(Buffer.from(object?.data ?? []).toString("latin1")).toBe(stdout);
    }
    expect(await store.read(absent(format))).toBeUndefined();
    expect(await store.has([])).toEqual([]);
  });

  it("peel to what git peels them to", async () => {
    const [tag, nested] = made.tags as [ObjectId, ObjectId];
    const tree = (await made.git("rev-parse", `${tip}^{tree}`)) as ObjectId;
    const expected = [
      { id: tip, type: "commit" },
      { id: tip, type: "commit" },
      { id: tip, type: "commit" },
      { id: tree, type: "tree" },
      undefined,
    ];
    for (let round = 0; round < 2; round++)
      expect(await store.peel([tag, nested, tip, tree, absent(format)])).toEqual(expected);
  });

  it("peel around a tag that is broken", async () => {
    const repository = await emptyRepository(format);
    const write = async (type: string, text: string) => {
      const options = { cwd: repository.directory, input: text };
      return (await git(["hash-object", "-w", "--literally", "-t", type, "--stdin"], options)) as ObjectId;
    };
    const blob = await write("blob", "x");
    const ids = [
      await write("tag", "nonsense"),
      await write("tag", `object ${absent(format)}\ntype commit\ntag x\n\n`),
      await write("tag", `object ${blob}\ntype blob\ntag x\n\n`),
    ];
    expect(await storeOf(pool, repository).peel(ids)).toEqual([
      undefined,
      undefined,
      { id: blob, type: "blob" },
    ]);
  });

  it("answer what reaches what", async () => {
    const { commits, tags } = made;
    const [first, middle] = [commits[0], commits[30]] as [ObjectId, ObjectId];
    expect(await store.isAncestor(first, tip)).toBe(true);
    expect(await store.isAncestor(tip, tip)).toBe(true);
    expect(await store.isAncestor(tip, first)).toBe(false);
    expect(await store.isAncestor(absent(format), tip)).toBe(false);
    expect(await store.unreachable([first, tip, absent(format)], [middle])).toEqual([tip, absent(format)]);
    expect(await store.unreachable([first, tags[0] as ObjectId], [tags[1] as ObjectId])).toEqual([]);
    const blob = (await made.git("rev-parse", `${tip}:dir4/file7`)) as ObjectId;
    expect(await store.unreachable([blob, tags[0] as ObjectId], [tip])).toEqual([tags[0]]);
    expect(await store.unreachable([blob], [first])).toEqual([blob]);
    expect(await store.unreachable([tip], [absent(format)])).toEqual([tip]);
    expect(await store.allReach([tip, tags[1] as ObjectId], [middle])).toBe(true);
    expect(await store.allReach([first, tip], [middle])).toBe(false);
    const [parent, grandparent] = (await made.git("rev-parse", `${middle}~1`, `${middle}~2`)).split("\n");
    expect(await store.allReach([parent as ObjectId], [middle])).toBe(true);
    expect(await store.allReach([grandparent as ObjectId], [middle])).toBe(false);
  });

  it("answer how deep a history goes", async () => {
    const commits = made.commits;
    const answer = await store.deepen({ wants: [made.tags[0] as ObjectId], clientShallow: [], depth: 3 });
    expect(answer.unshallow).toEqual([]);
    const clone = temporaryDirectory("depth");
    await git(["clone", "-q", "--bare", "--depth=3", `file://${made.directory}`, clone]);
    const ends = readFileSync(join(clone, "shallow"), "latin1").trim().split("\n");
    expect([...answer.shallow].sort()).toEqual(ends.sort());
    const deeper = await store.deepen({ wants: [tip], clientShallow: answer.shallow, depth: 5 });
    expect([...deeper.unshallow].sort()).toEqual([...answer.shallow].sort());
    expect(deeper.parents.every((id) => commits.includes(id))).toBe(true);
    const since = await store.deepen({ wants: [tip], clientShallow: [], since: START_TIME + 50 * 60 });
    expect(since.shallow.length).toBeGreaterThan(0);
    await expect(store.deepen({ wants: [tip], clientShallow: [], since: 4e9 })).rejects.toThrow(
      code("objects/nothing-selected"),
    );
    // A ref that holds a blob ends nothing, and opens nothing that the wants do not lead to.
    const [blob, lost] = (
      await Promise.all([
        made.git("hash-object", "-w", "--stdin"),
        made.git("commit-tree", "-p", tip, "-m", "lost", `${tip}^{tree}`),
      ])
    ).map((id) => id as ObjectId);
    const whole = await store.deepen({
      wants: [tip],
      clientShallow: [lost as ObjectId],
      not: [blob as ObjectId],
    });
    expect(whole).toEqual({ shallow: [], unshallow: [], parents: [] });
  });

  it("go into packs that git takes", async () => {
    const haves = [made.commits[20] as ObjectId];
    const client = await emptyRepository(format);
    await git(["index-pack", "--stdin"], {
      cwd: client.directory,
      input: await gitPack(made.directory, haves),
    });
    const events = store.createPack({ wants: [tip], haves, thin: true, ofsDelta: true });
    await git(["index-pack", "--stdin", "--fix-thin"], {
      cwd: client.directory,
      input: await bytesOf(events),
    });
    await client.git("update-ref", "refs/heads/main", tip);
    expect(await client.git("fsck", "--connectivity-only", "--no-dangling")).toBe("");
  });

  it("end a pack with its summary, and fail where one is missing", async () => {
    let last: PackEvent | undefined;
    for await (const event of store.createPack({ wants: [tip], haves: [], progress: true })) last = event;
    const count = (await made.git("rev-list", "--objects", tip)).split("\n").length;
    expect(last).toMatchObject({ kind: "summary", summary: { objects: count } });
    await expect(bytesOf(store.createPack({ wants: [absent(format)], haves: [] }))).rejects.toThrow(
      code("objects/not-found"),
    );
  });

  it("come from alternates, nested, relative and quoted", async () => {
    const outer = await emptyRepository(format);
    const odd = join(temporaryDirectory("odd"), 'a "b"\n\u00e4 c');
    await mkdir(odd);
    await git(["init", "-q", "--bare", `--object-format=${format}`, odd]);
    const moved = join(temporaryDirectory("moved"), "far");
    await git(["clone", "-q", "--mirror", made.directory, moved]);
    const quoted = `"${join(odd, "objects").replaceAll('"', '\\"').replace("\n", "\\n").replace("\u00e4", "\\303\\244")}"`;
    writeFileSync(join(outer.directory, "objects/info/alternates"), `# comment\n\n${quoted}\n/nowhere\n`);
    await rename(moved, join(odd, "objects/near"));
    writeFileSync(join(odd, "objects/info/alternates"), "near/objects\n../objects\n");
    expect((await tryGit(["cat-file", "-t", tip], { cwd: outer.directory })).stdout).toBe("commit\n");
    const through = storeOf(pool, outer);
    expect(await through.has([tip, absent(format)])).toEqual([true, false]);
    expect((await bytesOf(through.createPack({ wants: [tip], haves: [] }))).length).toBeGreaterThan(1000);
  });

  it("come from alternates of alternates as far down as git looks, and never round in a circle", async () => {
    const chain: { readonly directory: string }[] = [];
    const ids: ObjectId[] = [];
    for (let i = 0; i < 9; i++) {
      const link = await emptyRepository(format);
      const { directory: cwd } = link;
      ids.push((await git(["hash-object", "-w", "--stdin"], { cwd, input: `${i}` })) as ObjectId);
      const next = chain[i - 1];
      if (next) writeFileSync(join(cwd, "objects/info/alternates"), `${next.directory}/objects\n`);
      chain.push(link);
      if (i === 8) {
        const [first] = chain;
        writeFileSync(join(first?.directory ?? "", "objects/info/alternates"), `${cwd}/objects\n`);
        const theirs = await Promise.all(ids.map((id) => tryGit(["cat-file", "-e", id], { cwd })));
        const found = await storeOf(pool, link).has(ids);
        expect(found).toEqual(theirs.map(({ status }) => status === 0));
        expect(found).toEqual([false, false, ...Array<boolean>(7).fill(true)]);
      }
    }
  });

  it("are found in alternates that were named later", async () => {
    const outer = await emptyRepository(format);
    const late = storeOf(pool, outer);
    expect(await late.has([tip])).toEqual([false]);
    writeFileSync(join(outer.directory, "objects/info/alternates"), `${join(made.directory, "objects")}\n`);
    expect(await late.has([tip])).toEqual([true]);
  });

  it("are found at once in packs that git has just made", async () => {
    const repository = await emptyRepository(format);
    const fresh = storeOf(pool, repository);
    for (const [i, commit] of made.commits.slice(0, 12).entries()) {
      expect(await fresh.has([commit])).toEqual([false]);
      const revisions = i === 0 ? [commit] : [commit, `^${made.commits[i - 1]}`];
      const input = await gitPack(made.directory, revisions);
      await git(["index-pack", "--stdin"], { cwd: repository.directory, input });
      expect(await fresh.has([commit])).toEqual([true]);
      const { stdout } = await tryGit(["cat-file", "commit", commit], { cwd: repository.directory });
      expect(Buffer.from((await fresh.read(commit))?.data ?? []).toString("latin1")).toBe(stdout);
    }
  });

  it("are not taken for stored after they were pruned", async () => {
    const repository = await emptyRepository(format);
    const fresh = storeOf(pool, repository);
    const options = { cwd: repository.directory, input: "short-lived\n" };
    const blob = (await git(["hash-object", "-w", "--stdin"], options)) as ObjectId;
    expect(await fresh.has([blob])).toEqual([true]);
    expect(await fresh.headers([blob])).toEqual([{ type: "blob", size: 12 }]);
    await repository.git("prune", "--expire=now");
    expect(await fresh.has([blob])).toEqual([false]);
    expect(await fresh.read(blob)).toBeUndefined();
  });

  it("end where a shallow repository ends", async () => {
    const shallow = { directory: temporaryDirectory("shallow"), format };
    await git(["clone", "-q", "--bare", "--depth=4", `file://${made.directory}`, shallow.directory]);
    const ends = storeOf(pool, shallow);
    const boundary = (await ends.shallow()) as ObjectId[];
    expect(boundary.length).toBeGreaterThan(0);
    const pack = await bytesOf(ends.createPack({ wants: [tip], haves: [] }));
    const client = await emptyRepository(format);
    writeFileSync(join(client.directory, "shallow"), boundary.map((id) => `${id}\n`).join(""));
    await git(["index-pack", "--stdin"], { cwd: client.directory, input: pack });
    await client.git("update-ref", "refs/heads/main", tip);
    expect(await client.git("fsck", "--connectivity-only", "--no-dangling")).toBe("");
    expect(await ends.isAncestor(boundary[0] as ObjectId, tip)).toBe(true);
    const answer = await ends.deepen({ wants: [tip], clientShallow: [], depth: Number.POSITIVE_INFINITY });
    expect([...answer.shallow].sort()).toEqual(boundary.sort());
    expect(await store.shallow()).toEqual([]);
  });

  it("are refused when they are too large, or broken", async () => {
    const repository = await emptyRepository(format);
    const options = { cwd: repository.directory, input: "x".repeat(5000) };
    const large = (await git(["hash-object", "-w", "--stdin"], options)) as ObjectId;
    const location = locationOf(repository.directory, format, { maxObjectBytes: 4999 });
    await expect(createFileObjectStore(pool, location).read(large)).rejects.toThrow(
      code("objects/limit-exceeded"),
    );
    const path = join(repository.directory, "objects", large.slice(0, 2), large.slice(2));
    rmSync(path);
    writeFileSync(path, "no zlib stream");
    await expect(storeOf(pool, repository).read(large)).rejects.toThrow(code("objects/corrupt"));
  });
});

describe("long jobs", () => {
  let made: MadeRepository;
  let store: ObjectStore;
  let tip: ObjectId;

  beforeAll(async () => {
    made = await makeRepository("sha1", 3000, { blobBytes: 3000 });
    await made.git("repack", "-adfq", "--depth=1", "--window=2");
    store = storeOf(pool, made);
    tip = made.commits.at(-1) as ObjectId;
  }, 60_000);

  it("end within a second when they are called off", async () => {
    const jobs: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => bytesOf(store.createPack({ wants: [tip], haves: [] }, { signal })),
      (signal) => store.unreachable([made.commits[0] as ObjectId], [tip], { signal }),
      (signal) =>
        store.has(
          Array.from({ length: 20_000 }, (_, i) => i.toString(16).padStart(40, "0") as ObjectId),
          { signal },
        ),
    ];
    for (const job of jobs)
      for (const delay of [0, 1, 20]) {
        const started = performance.now();
        const controller = new AbortController();
        const ended = job(controller.signal).catch((error: Error) => error.name);
        await sleep(delay);
        controller.abort();
        await ended;
        expect(performance.now() - started).toBeLessThan(1000 + delay);
        expect(pool.running().every((thread) => thread.jobs === 0)).toBe(true);
      }
    const controller = new AbortController();
    controller.abort();
    for (const job of jobs)
      await expect(job(controller.signal)).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  });

  it("make no more than a few chunks ahead of the reader", async () => {
    const own = createWorkerPool({ shared: true });
    try {
      const thread = own.pick("heavy");
      let chunks = 0;
      let ended = false;
      const id = thread.start(
        "createPack",
        locationOf(made.directory, "sha1"),
        { request: { wants: [tip], haves: [] } },
        {
          onEvent: (event) => {
            if (event.kind === "bytes") chunks++;
          },
          onTaken: () => {},
          onDone: () => {
            ended = true;
          },
          onFailed: () => {
            ended = true;
          },
        },
      );
      const settled = async (): Promise<number> => {
        for (let before = -1; before !== chunks || chunks === 0; await sleep(150)) before = chunks;
        return chunks;
      };
      expect(await settled()).toBe(EVENT_WINDOW);
      thread.credit(id, 3);
      expect(await settled()).toBe(EVENT_WINDOW + 3);
      expect(ended).toBe(false);
      // Others are served meanwhile, and the job can be called off while it waits.
      expect(await storeOf(own, made).has([tip])).toEqual([true]);
      thread.post({ kind: "abort", id });
      await settled();
      expect({ ended, chunks }).toEqual({ ended: true, chunks: EVENT_WINDOW + 3 });
    } finally {
      await own.close();
    }
  });

  it("end when the iteration is left", async () => {
    for await (const event of store.createPack({ wants: [tip], haves: [] }))
      if (event.kind === "bytes") break;
    const started = performance.now();
    while (pool.running().some((thread) => thread.jobs > 0)) {
      expect(performance.now() - started).toBeLessThan(1000);
      await sleep(5);
    }
  });

  it("are told when their worker dies, and the pool goes on", async () => {
    const own = createWorkerPool({ heavyWorkers: 1 });
    try {
      const mine = storeOf(own, made);
      const iterator = mine.createPack({ wants: [tip], haves: [] })[Symbol.asyncIterator]();
      await iterator.next();
      const question = mine.has([tip]);
      await question;
      const asked = mine.unreachable([made.commits[0] as ObjectId], [tip]).catch((error: unknown) => error);
      await Promise.all(own.running().map((thread) => thread.terminate()));
      const unavailable = code("objects/unavailable");
      expect(await asked).toEqual(unavailable);
      await expect(
        (async () => {
          for (;;) if ((await iterator.next()).done) return;
        })(),
      ).rejects.toThrow(unavailable);
      expect(await mine.has([tip])).toEqual([true]);
      expect(
        (await bytesOf(mine.createPack({ wants: [tip], haves: [made.commits[2990] as ObjectId] }))).length,
      ).toBeGreaterThan(100);
      // An iteration that is begun after its worker died gets another one.
      const later = mine.createPack({ wants: [tip], haves: [tip] });
      await Promise.all(own.running().map((thread) => thread.terminate()));
      expect(await bytesOf(later)).toHaveLength(32);
    } finally {
      await own.close();
    }
    await expect(storeOf(own, made).has([tip])).rejects.toThrow("closed");
    await expect(storeOf(own, made).unreachable([tip], [])).rejects.toThrow("closed");
  });
});
