import type { ObjectId } from "@x/objects";
import { encodeLatin1, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import type { GitServiceOptions } from "../src/index.ts";
import { encodePack } from "./memory-objects.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { type Answer, bandsOf, packetsOf, serve } from "./story.ts";

type Command = readonly [ref: string, from: ObjectId | undefined, to: ObjectId | undefined];

interface PushOptions extends Partial<GitServiceOptions> {
  readonly caps?: string;
  readonly pack?: Uint8Array | string | undefined;
  readonly before?: readonly string[];
  readonly mode?: "rpc" | "duplex";
}

/** A pushed commit that the repository does not have, and the pack that brings it. */
function bring(repository: MemoryRepository, name: string, parents: readonly ObjectId[] = []) {
  const id = repository.commit(name, parents);
  const tree = repository.tree(name);
  const pack = encodePack([
    repository.lose(id),
    repository.lose(tree),
    repository.lose(repository.blob(name)),
  ]);
  return { id, pack };
}

function push(
  repository: MemoryRepository,
  commands: readonly Command[],
  options: PushOptions = {},
): Promise<Answer> {
  const zero = "0".repeat(repository.objectFormat === "sha1" ? 40 : 64);
  const { caps = "report-status side-band-64k", pack, before = [], mode = "rpc", ...service } = options;
  const lines = commands.map(
    ([ref, from, to], i) =>
      `${from ?? zero} ${to ?? zero} ${ref}${i === 0 ? `\0 ${caps} object-format=${repository.objectFormat}` : ""}`,
  );
  const input = [encodePackets([...before, ...lines, flush])];
  if (pack !== undefined) input.push(typeof pack === "string" ? encodeLatin1(pack) : pack);
  return serve(repository, { service: "git-receive-pack", version: 0, mode, input, options: service });
}

/** The lines of the report, and the texts for the user. */
function report(answer: Answer): string[] {
  return packetsOf(bandsOf(answer.packets).data).map((line) => line.trimEnd());
}

const EMPTY_PACK = encodePack([]);

describe.each(["sha1", "sha256"] as const)("a push, %s", (format) => {
  it("creates a branch in an empty repository", async () => {
    const repository = new MemoryRepository(format);
    const { id, pack } = bring(repository, "first");
    const answer = await push(repository, [["refs/heads/main", undefined, id]], { pack });
    expect(answer.error).toBeUndefined();
    expect(report(answer)).toEqual(["unpack ok", "ok refs/heads/main", "flush"]);
    expect(answer.packets.at(-1)).toBe("flush");
    expect(bandsOf(answer.packets).progress).toBe("Unpacking objects: 100% (3/3), done.\n");
    expect(repository.refs.id("refs/heads/main")).toBe(id);
    expect(repository.objects.graph.get(id)).toBeDefined();
    expect(repository.objects.quarantines.map(({ state }) => state)).toEqual(["published"]);
  });

  it("fast-forwards, forces, tags and deletes in one go, and reports in order", async () => {
    const repository = new MemoryRepository(format);
    const [c1, , , c4, c5] = repository.five();
    repository.refs.set("refs/heads/old", c5);
    repository.refs.set("refs/heads/gone", c1);
    const { id, pack } = bring(repository, "new", [c5]);
    const commands: Command[] = [
      ["refs/heads/main", c5, id],
      ["refs/heads/gone", c1, undefined],
      ["refs/heads/old", c5, c4],
      ["refs/tags/v1", undefined, c1],
    ];
    expect(report(await push(repository, commands, { pack }))).toEqual([
      "unpack ok",
      ...commands.map(([ref]) => `ok ${ref}`),
      "flush",
    ]);
    expect([...repository.refs.stored.keys()].sort()).toEqual([
      "HEAD",
      "refs/heads/main",
      "refs/heads/old",
      "refs/tags/v1",
    ]);
    expect(repository.refs.id("refs/heads/old")).toBe(c4);
  });
});

/** Has quarantines publish ahead of what `settle` waits for. */
function publishAhead(repository: MemoryRepository, settle: () => Promise<void>): void {
  const receive = repository.objects.receive.bind(repository.objects);
  repository.objects.receive = async () => {
    const quarantine = await receive();
    return Object.assign(quarantine, {
      publishAhead: async () => {
        await quarantine.publish();
        const settled = settle();
        settled.catch(() => {});
        return { settled };
      },
    });
  };
}

describe("a push", () => {
  it("of deletions alone brings no pack, and none is waited for", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.refs.set("refs/heads/a", c1);
    repository.refs.set("refs/tags/b", c1);
    const commands: Command[] = [
      ["refs/heads/a", c1, undefined],
      ["refs/tags/b", c1, undefined],
    ];
    expect(report(await push(repository, commands))).toEqual([
      "unpack ok",
      "ok refs/heads/a",
      "ok refs/tags/b",
      "flush",
    ]);
    expect(repository.objects.quarantines).toEqual([]);
  });

  it("that deletes what neither side has is fine, and says so; what the client did not see stays", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.refs.set("refs/heads/unseen", c1);
    const answer = await push(repository, [
      ["refs/heads/none", undefined, undefined],
      ["refs/heads/unseen", undefined, undefined],
    ]);
    expect(report(answer)).toEqual([
      "unpack ok",
      "ok refs/heads/none",
      "ng refs/heads/unseen incorrect old value provided",
      "flush",
    ]);
    expect(bandsOf(answer.packets).progress).toContain("warning: deleting a non-existent ref\n");
    expect(repository.refs.id("refs/heads/unseen")).toBe(c1);
  });

  it("of what is there already brings an empty pack", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const answer = await push(repository, [["refs/heads/b", undefined, c1]], { pack: EMPTY_PACK });
    expect(report(answer)).toEqual(["unpack ok", "ok refs/heads/b", "flush"]);
  });

  it.each([["0000"], [""]])("of nothing is answered by nothing: %j", async (input) => {
    const repository = new MemoryRepository();
    const { text, error } = await serve(repository, {
      service: "git-receive-pack",
      version: 0,
      input: [input],
    });
    expect([text, error]).toEqual(["", undefined]);
  });

  it("deletes before it creates, so that a name can become a directory", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.refs.set("refs/heads/a", c1);
    const commands: Command[] = [
      ["refs/heads/a/b", undefined, c1],
      ["refs/heads/a", c1, undefined],
    ];
    const answer = await push(repository, commands, { pack: EMPTY_PACK });
    expect(report(answer)).toEqual(["unpack ok", "ok refs/heads/a/b", "ok refs/heads/a", "flush"]);
  });

  it("is reported bare without side-band, and not at all when nobody asked", async () => {
    const repository = new MemoryRepository();
    const [c1, c2] = repository.five();
    const bare = await push(repository, [["refs/heads/b", undefined, c1]], {
      caps: "report-status-v2",
      pack: EMPTY_PACK,
    });
    expect(bare.packets).toEqual(["unpack ok\n", "ok refs/heads/b\n", "flush"]);
    const mute = await push(repository, [["refs/heads/c", undefined, c2]], { caps: "", pack: EMPTY_PACK });
    expect(mute.text).toBe("");
    const band = await push(repository, [["refs/heads/d", undefined, c2]], {
      caps: "side-band-64k quiet",
      pack: EMPTY_PACK,
    });
    expect(band.packets).toEqual(["flush"]);
    expect(["b", "c", "d"].map((name) => repository.refs.id(`refs/heads/${name}`))).toEqual([c1, c2, c2]);
  });

  it("shows no progress to a quiet client", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const options = { caps: "report-status side-band-64k quiet", pack: EMPTY_PACK };
    expect(
      bandsOf((await push(repository, [["refs/tags/t", undefined, c1]], options)).packets).progress,
    ).toBe("");
  });

  it("keeps a name's bytes", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const ref = "refs/heads/\xff\xfe\x80";
    expect(report(await push(repository, [[ref, undefined, c1]], { pack: EMPTY_PACK }))[1]).toBe(`ok ${ref}`);
    expect(repository.refs.id(ref)).toBe(c1);
  });

  it("keeps the line alive after the pack is in", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const preReceive = () => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 60));
    const options = { pack: EMPTY_PACK, hooks: { preReceive }, limits: { keepaliveMs: 10 } };
    const answer = await push(repository, [["refs/heads/b", undefined, c1]], options);
    expect(bandsOf(answer.packets).empty).toBeGreaterThan(1);
    expect(report(answer)).toEqual(["unpack ok", "ok refs/heads/b", "flush"]);
  });
});

describe("a pack that cannot be taken", () => {
  it("fails the whole push with its reason, and leaves nothing", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    const commands: Command[] = [
      ["refs/heads/a", undefined, id],
      ["refs/heads/b", undefined, id],
    ];
    for (const bad of ["", "JUNK", pack.subarray(0, 20)]) {
      const answer = await push(repository, commands, { pack: bad });
      expect(report(answer)).toEqual([
        "unpack eof before pack header was fully read",
        "ng refs/heads/a unpacker error",
        "ng refs/heads/b unpacker error",
        "flush",
      ]);
      expect(answer.error).toBeUndefined();
    }
    expect(repository.objects.quarantines.map(({ state }) => state)).toEqual(Array(3).fill("discarded"));
    expect(repository.objects.graph.get(id)).toBeUndefined();
    expect(repository.refs.stored.size).toBe(1);
  });

  it("is one with bytes behind it over HTTP", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    const garbage = new Uint8Array([...pack, 1, 2, 3]);
    expect(report(await push(repository, [["refs/heads/a", undefined, id]], { pack: garbage }))[0]).toBe(
      "unpack garbage after the pack",
    );
  });

  it("is one above the limit, the server's or the repository's", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    const commands: Command[] = [["refs/heads/a", undefined, id]];
    const reason = "unpack pack exceeds maximum allowed size";
    const limits = { receive: { maxPackBytes: 20 } };
    expect(report(await push(repository, commands, { pack, limits }))[0]).toBe(reason);
    repository.configure("receive.maxInputSize", "20");
    expect(report(await push(repository, commands, { pack }))[0]).toBe(reason);
    repository.configure("receive.maxInputSize", "1k");
    expect(report(await push(repository, commands, { pack }))[0]).toBe("unpack ok");
  });

  it("is described in git's general words when the fault is ours", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    repository.objects.receive = async () => {
      throw new Error("ENOSPC /srv/objects");
    };
    const answer = await push(repository, [["refs/heads/a", undefined, id]], { pack });
    expect(report(answer)).toEqual([
      "unpack unable to start object transaction",
      "ng refs/heads/a unpacker error",
      "flush",
    ]);
    expect(answer.text).not.toContain("srv");
  });
});

describe("objects that do not connect", () => {
  it("fail the refs that need them and no others", async () => {
    const repository = new MemoryRepository();
    const [c1, , , , c5] = repository.five();
    const lost = repository.commit("lost", [c5]);
    const { id, pack } = bring(repository, "child", [lost]);
    repository.lose(lost);
    const commands: Command[] = [
      ["refs/heads/bad", undefined, id],
      ["refs/heads/good", undefined, c1],
      ["refs/heads/none", undefined, "ab".repeat(20) as ObjectId],
    ];
    expect(report(await push(repository, commands, { pack }))).toEqual([
      "unpack ok",
      "ng refs/heads/bad missing necessary objects",
      "ok refs/heads/good",
      "ng refs/heads/none missing necessary objects",
      "flush",
    ]);
  });

  it("fail the pack where the repository wants its objects checked", async () => {
    const repository = new MemoryRepository();
    const lost = repository.commit("lost");
    const { id, pack } = bring(repository, "child", [lost]);
    repository.lose(lost);
    const child: Command = ["refs/heads/child", undefined, id];
    const none: Command = ["refs/heads/none", undefined, "ab".repeat(20) as ObjectId];
    repository.configure("transfer.fsckObjects", "true");
    expect(report(await push(repository, [child, none], { pack }))).toEqual([
      "unpack index-pack abnormal exit",
      "ng refs/heads/child unpacker error",
      "ng refs/heads/none unpacker error",
      "flush",
    ]);
    const missing = ["unpack ok", "ng refs/heads/none missing necessary objects", "flush"];
    expect(report(await push(repository, [none], { pack }))).toEqual(missing);
    repository.configure("receive.fsckObjects", "false");
    expect(report(await push(repository, [child], { pack }))[0]).toBe("unpack ok");
  });

  it("fail everything that was to be atomic", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const commands: Command[] = [
      ["refs/heads/good", undefined, c1],
      ["refs/heads/none", undefined, "ab".repeat(20) as ObjectId],
    ];
    const answer = await push(repository, commands, {
      pack: EMPTY_PACK,
      caps: "report-status side-band-64k atomic",
    });
    expect(report(answer)).toEqual([
      "unpack ok",
      "ng refs/heads/good atomic push failure",
      "ng refs/heads/none missing necessary objects",
      "flush",
    ]);
    expect(repository.refs.transactions).toEqual([]);
    expect(repository.objects.quarantines[0]?.state).toBe("discarded");
  });

  it("are called a shallow update where the pusher's history ends early", async () => {
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    const lost = repository.commit("lost", [c5]);
    const { id, pack } = bring(repository, "child", [lost]);
    repository.lose(lost);
    const before = [`shallow ${id}`];
    expect(report(await push(repository, [["refs/heads/b", undefined, id]], { pack, before }))[1]).toBe(
      "ng refs/heads/b shallow update not allowed",
    );
    const fine = bring(repository, "fine", [c5]);
    const options = { pack: fine.pack, before: [`shallow ${c5}`] };
    expect(report(await push(repository, [["refs/heads/c", undefined, fine.id]], options))[1]).toBe(
      "ok refs/heads/c",
    );
  });
});

describe("an old value that is not true", () => {
  const other = "12".repeat(20) as ObjectId;

  it("is never reported as done", async () => {
    const repository = new MemoryRepository();
    const [c1, c2, , , c5] = repository.five();
    repository.refs.set("refs/heads/a", c1);
    const commands: Command[] = [
      ["refs/heads/main", c2, c1],
      ["refs/heads/a", undefined, c2],
      ["refs/heads/new", c1, c2],
      ["refs/heads/lost", c1, undefined],
      ["refs/tags/x", undefined, undefined],
      ["refs/heads/fine", undefined, c5],
    ];
    const answer = await push(repository, commands, { pack: EMPTY_PACK });
    expect(report(answer)).toEqual([
      "unpack ok",
      "ng refs/heads/main incorrect old value provided",
      "ng refs/heads/a reference already exists",
      "ng refs/heads/new reference does not exist",
      "ng refs/heads/lost reference does not exist",
      "ok refs/tags/x",
      "ok refs/heads/fine",
      "flush",
    ]);
    expect(repository.refs.id("refs/heads/main")).toBe(c5);
    expect(bandsOf(answer.packets).progress).toContain(
      "error: refs/heads/main: incorrect old value provided\n",
    );
  });

  it("is noticed when it becomes untrue between looking and writing", async () => {
    const repository = new MemoryRepository();
    const [c1, , , c4, c5] = repository.five();
    repository.refs.beforeTransact = () => repository.refs.set("refs/heads/main", c4);
    const answer = await push(repository, [["refs/heads/main", c5, c1]], { pack: EMPTY_PACK });
    expect(report(answer)[1]).toBe("ng refs/heads/main incorrect old value provided");
    expect(repository.refs.id("refs/heads/main")).toBe(c4);
  });

  it("does not let a ref be deleted because we lack the object it names", async () => {
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    repository.refs.set("refs/heads/a", c5);
    const answer = await push(repository, [["refs/heads/a", other, undefined]]);
    expect(report(answer)[1]).toBe("ng refs/heads/a incorrect old value provided");
    expect(repository.refs.id("refs/heads/a")).toBe(c5);
  });

  it("fails everything that was to be atomic, in C git's words", async () => {
    const repository = new MemoryRepository();
    const [c1, c2, , , c5] = repository.five();
    const commands: Command[] = [
      ["refs/heads/new", undefined, c1],
      ["refs/heads/main", c2, c1],
    ];
    const answer = await push(repository, commands, {
      pack: EMPTY_PACK,
      caps: "report-status side-band-64k atomic",
    });
    expect(report(answer).slice(1, 3)).toEqual([
      "ng refs/heads/new atomic transaction failed",
      "ng refs/heads/main atomic transaction failed",
    ]);
    expect(repository.refs.id("refs/heads/new")).toBeUndefined();
    expect(repository.refs.id("refs/heads/main")).toBe(c5);
  });
});

describe("pre-receive", () => {
  it("sees the commands and the objects, talks to the user, and nothing is kept yet", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    const seen: unknown[] = [];
    const answer = await push(repository, [["refs/heads/a", undefined, id]], {
      pack,
      hooks: {
        preReceive: async ({ commands, objects, progress }) => {
          seen.push(commands, await objects.has([id]), repository.objects.graph.get(id));
          progress("checking\n");
          return undefined;
        },
      },
    });
    expect(seen).toEqual([[{ ref: "refs/heads/a", oldId: "0".repeat(40), newId: id }], [true], undefined]);
    expect(bandsOf(answer.packets).progress).toContain("checking\n");
    expect(report(answer)[1]).toBe("ok refs/heads/a");
  });

  it("refuses one ref or all, and what is refused leaves nothing", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const { id, pack } = bring(repository, "first");
    const commands: Command[] = [
      ["refs/heads/a", undefined, id],
      ["refs/heads/b", undefined, c1],
    ];
    const ask = async (preReceive: NonNullable<GitServiceOptions["hooks"]>["preReceive"], caps?: string) =>
      report(
        await push(repository, commands, {
          pack,
          hooks: preReceive ? { preReceive } : {},
          ...(caps ? { caps } : {}),
        }),
      ).slice(1, 3);
    expect(await ask(async () => "closed\n today")).toEqual([
      "ng refs/heads/a closed today",
      "ng refs/heads/b closed today",
    ]);
    expect(
      await ask(async () => {
        throw new Error("secret");
      }),
    ).toEqual(["ng refs/heads/a pre-receive hook declined", "ng refs/heads/b pre-receive hook declined"]);
    const one = async () => new Map([["refs/heads/b", "not b"]]);
    expect(await ask(one, "report-status side-band-64k atomic")).toEqual([
      "ng refs/heads/a atomic push failure",
      "ng refs/heads/b not b",
    ]);
    expect(repository.objects.graph.get(id)).toBeUndefined();
    expect(await ask(one)).toEqual(["ok refs/heads/a", "ng refs/heads/b not b"]);
  });
});

describe("a fault of the store", () => {
  it("is reported per ref when objects cannot be kept", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    const receive = repository.objects.receive.bind(repository.objects);
    repository.objects.receive = async () => {
      const quarantine = await receive();
      quarantine.publish = async () => {
        throw new Error("EIO");
      };
      return quarantine;
    };
    expect(report(await push(repository, [["refs/heads/a", undefined, id]], { pack }))).toEqual([
      "unpack ok",
      "ng refs/heads/a unable to migrate objects to permanent storage",
      "flush",
    ]);
    expect(repository.refs.transactions).toEqual([]);
    expect(repository.objects.quarantines[0]?.state).toBe("discarded");
  });

  it("is reported per ref, and changes none, when what is published already does not last", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.refs.set("refs/heads/gone", c1);
    const { id, pack } = bring(repository, "first");
    publishAhead(repository, () => Promise.reject(new Error("EIO")));
    const commands: Command[] = [
      ["refs/heads/gone", c1, undefined],
      ["refs/heads/a", undefined, id],
    ];
    expect(report(await push(repository, commands, { pack }))).toEqual([
      "unpack ok",
      "ng refs/heads/gone unable to migrate objects to permanent storage",
      "ng refs/heads/a unable to migrate objects to permanent storage",
      "flush",
    ]);
    expect(repository.refs.id("refs/heads/gone")).toBe(c1);
    expect(repository.refs.id("refs/heads/a")).toBeUndefined();
  });

  it("changes no ref before what is published will last", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    let tell = () => {};
    const isPreparing = new Promise<void>((resolve) => {
      repository.refs.beforeTransact = resolve;
    });
    publishAhead(repository, () => new Promise((resolve) => (tell = resolve)));
    const answer = push(repository, [["refs/heads/a", undefined, id]], { pack });
    await isPreparing;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    expect(repository.refs.id("refs/heads/a")).toBeUndefined();
    tell();
    expect(report(await answer)).toEqual(["unpack ok", "ok refs/heads/a", "flush"]);
    expect(repository.refs.id("refs/heads/a")).toBe(id);
  });

  it("is reported per ref when refs cannot be written", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.refs.transact = async () => {
      throw new Error("EROFS");
    };
    expect(report(await push(repository, [["refs/heads/a", undefined, c1]], { pack: EMPTY_PACK }))[1]).toBe(
      "ng refs/heads/a failed to update refs",
    );
  });

  it("ends the push on band 3 when it is anything else", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.objects.headers = async () => {
      throw new Error("/srv broke");
    };
    const options = { caps: "report-status side-band-64k" };
    repository.refs.set("refs/heads/a", c1);
    const { packets, error } = await push(repository, [["refs/heads/a", c1, undefined]], options);
    expect(bandsOf(packets).error).toBe("internal server error\n");
    expect(error).toMatchObject({ code: "server-core/internal", reported: true });
  });
});

it("a client that leaves in the middle of its pack leaves nothing behind", async () => {
  const repository = new MemoryRepository();
  const { id, pack } = bring(repository, "first");
  const controller = new AbortController();
  async function* input() {
    yield encodePackets([`${"0".repeat(40)} ${id} refs/heads/a\0side-band-64k report-status`, flush]);
    yield pack.subarray(0, 10);
    controller.abort(new Error("gone"));
    await new Promise(() => {});
  }
  const { text, error } = await serve(repository, {
    service: "git-receive-pack",
    version: 0,
    input: input(),
    signal: controller.signal,
  });
  expect(text).toBe("");
  expect(error?.code).toBe("server-core/aborted");
  expect(repository.objects.quarantines.map(({ state }) => state)).toEqual(["discarded"]);
  expect(repository.refs.stored.size).toBe(1);
});
