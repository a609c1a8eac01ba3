import { git } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
import { EVENT_WINDOW } from "../src/pool/worker-protocol.ts";
import {
  bytesOf,
  emptyRepository,
  gitPack,
  inPieces,
  locationOf,
  type MadeRepository,
  makeRepository,
  storeOf,
} from "./made-repository.ts";

let inline: WorkerPool;
let threads: WorkerPool;
beforeAll(() => {
  inline = createWorkerPool({ inline: true });
  threads = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => Promise.all([inline.close(), threads.close()]));

describe.each<ObjectFormat>(["sha1", "sha256"])("a worker in the asking thread, %s", (format) => {
  let made: MadeRepository;
  let tip: ObjectId;
  beforeAll(async () => {
    made = await makeRepository(format, 40);
    tip = made.commits.at(-1) as ObjectId;
  });

  it("answers as one in a thread of its own", async () => {
    const [here, there] = [storeOf(inline, made), storeOf(threads, made)];
    const ids = [...made.commits, ...made.tags, "1".repeat(tip.length) as ObjectId];
    expect(await here.headers(ids)).toEqual(await there.headers(ids));
    expect(await here.peel(made.tags)).toEqual(await there.peel(made.tags));
    expect(await here.read(tip)).toEqual(await there.read(tip));
    const request = { wants: [tip], haves: [] };
    expect(Buffer.from(await bytesOf(here.createPack(request)))).toEqual(
      Buffer.from(await bytesOf(there.createPack(request))),
    );
  });

  it("takes a push", async () => {
    const target = await emptyRepository(format);
    const quarantine = await storeOf(inline, target).receive();
    const chunks = inPieces(await gitPack(made.directory, [tip]), 1000);
    await quarantine.takePack(chunks, { limits: {} });
    expect(await quarantine.unconnected([tip], [])).toEqual([]);
    await quarantine.publish();
    await quarantine.discard();
    expect(await target.git("cat-file", "-t", tip)).toBe("commit");
  });
});

it("goes no further ahead of its reader than a thread does", async () => {
  const made = await emptyRepository("sha1");
  // Incompressible, so that it takes many chunks.
  let state = 1;
  const input = Buffer.alloc(4_000_000).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  });
  const blob = (await git(["hash-object", "-w", "--stdin"], { cwd: made.directory, input })) as ObjectId;
  const own = createWorkerPool({ inline: true });
  let bytes = 0;
  const ended = new Promise<Error>((resolve) => {
    own.pick("heavy").start(
      "createPack",
      locationOf(made.directory, "sha1"),
      { request: { wants: [blob], haves: [] } },
      {
        onEvent: (event) => {
          if (event.kind === "bytes") bytes++;
        },
        onTaken: () => {},
        onDone: () => resolve(new Error("it was not held up")),
        onFailed: resolve,
      },
    );
  });
  for (let before = -1; before !== bytes || bytes === 0; ) {
    before = bytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(bytes).toBe(EVENT_WINDOW);
  await own.close();
  expect(await ended).toMatchObject({ code: "objects/unavailable" });
});
