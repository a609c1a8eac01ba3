import { ObjectsError, type PackEvent } from "@x/objects";
import { delim, encodeLatin1, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, callOf, section, serve } from "./story.ts";

const bytes = (text: string): PackEvent => ({ kind: "bytes", bytes: encodeLatin1(text) });

function packOf(...events: (PackEvent | Error)[]) {
  return async function* () {
    for (const event of events) {
      if (event instanceof Error) throw event;
      yield event;
    }
  };
}

function repositoryWith(pack: MemoryRepository["objects"]["pack"]) {
  const repository = new MemoryRepository();
  const [, , , , c5] = repository.five();
  repository.objects.pack = pack;
  return {
    repository,
    v2: encodePackets(["command=fetch", delim, `want ${c5}`, "done", flush]),
    want: `want ${c5}`,
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("sending a pack", () => {
  it("keeps bytes in order and texts between them", async () => {
    const { repository, v2 } = repositoryWith(
      packOf(
        { kind: "progress", text: "Counting\u2026\r" },
        bytes("PA"),
        { kind: "progress", text: "done\n" },
        bytes("CK"),
      ),
    );
    const { packets } = await serve(repository, { input: [v2] });
    expect(packets).toEqual([
      "packfile\n",
      "\x02Counting\xe2\x80\xa6\r",
      "\x01PA",
      "\x02done\n",
      "\x01CK",
      "flush",
    ]);
  });

  it("cuts large chunks so that none of ours is above 64 KiB", async () => {
    const big = "x".repeat(65536);
    const { repository, v2, want } = repositoryWith(packOf(bytes(big), bytes("tail")));
    for (const capability of ["side-band", "side-band-64k", ""]) {
      const input = [section(`${want} ${capability}`), encodePackets(["done"])];
      const { text, packets } = await serve(repository, { version: 0, input });
      if (capability === "") expect(text).toBe(`0008NAK\n${big}tail`);
      else expect(bandsOf(packets).data).toBe(`${big}tail`);
    }
    expect(bandsOf((await serve(repository, { input: [v2] })).packets).data).toBe(`${big}tail`);
  });

  it("keeps a silent line alive with side-band, and never inside a packet", async () => {
    const slow = async function* () {
      await pause(60);
      yield bytes("PACK");
      await pause(60);
      yield bytes("END");
    };
    const { repository, v2, want } = repositoryWith(slow);
    const options = { limits: { keepaliveMs: 10 } };
    const bands = bandsOf((await serve(repository, { input: [v2], options })).packets);
    expect(bands.data).toBe("PACKEND");
    expect(bands.empty).toBeGreaterThan(3);
    const bare = await serve(repository, {
      version: 0,
      input: [section(want), encodePackets(["done"])],
      options,
    });
    expect(bare.text).toBe("0008NAK\nPACKEND");
  });

  it("takes the repository's own time for that, in seconds, and never where it is 0", async () => {
    const slow = async function* () {
      await pause(1200);
      yield bytes("PACK");
    };
    const empties = async (setting: string, keepaliveMs: number) => {
      const { repository, v2 } = repositoryWith(slow);
      repository.configure("uploadpack.keepAlive", setting);
      return bandsOf((await serve(repository, { input: [v2], options: { limits: { keepaliveMs } } })).packets)
        .empty;
    };
    expect(
      await Promise.all([
        empties("0", 10),
        empties("1", 60_000),
        empties("9999999999", 10),
        empties("1k", 10),
      ]),
    ).toEqual([0, 1, 0, 0]);
  });

  it("says on band 3 that it failed, without a word of our insides", async () => {
    const { repository, v2 } = repositoryWith(
      packOf(bytes("PACK"), new ObjectsError("objects/corrupt", "/srv/secret.pack is broken")),
    );
    const { packets, text, error } = await serve(repository, { input: [v2] });
    expect(bandsOf(packets).error).toBe(
      "aborting due to possible repository corruption on the remote side.\n",
    );
    expect(packets.at(-1)).not.toBe("flush");
    expect(text).not.toContain("secret");
    expect(error).toMatchObject({ code: "server-core/internal", reported: true });
    expect(error?.cause).toMatchObject({ message: expect.stringContaining("secret") });
  });

  it("breaks off a bare pack that failed", async () => {
    const { repository, want } = repositoryWith(packOf(bytes("PA"), new Error("disk")));
    const { text, error } = await serve(repository, {
      version: 0,
      input: [section(want), encodePackets(["done"])],
    });
    expect(text).toBe("0008NAK\nPA");
    expect(error).toMatchObject({ code: "server-core/internal", reported: true });
  });

  it("names a limit that the pack met", async () => {
    const { repository, v2 } = repositoryWith(
      packOf(new ObjectsError("objects/limit-exceeded", "too large an object")),
    );
    expect(bandsOf((await serve(repository, { input: [v2] })).packets).error).toBe("too large an object\n");
  });
});

describe("a pack that nobody waits for any more", () => {
  function endless() {
    const state = { ended: false, aborted: false };
    const pack: MemoryRepository["objects"]["pack"] = async function* (_, options) {
      options?.signal?.addEventListener("abort", () => {
        state.aborted = true;
      });
      try {
        for (;;) yield bytes("more");
      } finally {
        state.ended = true;
      }
    };
    return { state, pack };
  }

  it("is ended when the consumer leaves", async () => {
    const { state, pack } = endless();
    const { repository, v2 } = repositoryWith(pack);
    let chunks = 0;
    for await (const _ of createGitService({ repositories: async () => repository })(callOf({ input: [v2] })))
      if (++chunks === 5) break;
    expect(state).toEqual({ ended: true, aborted: true });
  });

  it("is ended when the call is called off, with no last word", async () => {
    const { state, pack } = endless();
    const { repository, v2 } = repositoryWith(pack);
    const controller = new AbortController();
    const run = createGitService({ repositories: async () => repository })(
      callOf({ input: [v2], signal: controller.signal }),
    )[Symbol.asyncIterator]();
    await run.next();
    await run.next();
    controller.abort();
    expect(state.aborted).toBe(true);
  });

  it("is ended at once while it is silent", async () => {
    let ended = false;
    let isSilent = () => {};
    const silent = new Promise<void>((resolve) => {
      isSilent = resolve;
    });
    const { repository, v2 } = repositoryWith(async function* (_, options) {
      yield bytes("PACK");
      await new Promise((_, reject) => {
        isSilent();
        options?.signal?.addEventListener("abort", () => {
          ended = true;
          reject(new Error("called off"));
        });
      });
    });
    const service = createGitService({ repositories: async () => repository });
    const run = service(callOf({ input: [v2] }))[Symbol.asyncIterator]();
    await run.next();
    await run.next();
    const waiting = run.next();
    const outcome = expect(waiting).rejects.toMatchObject({ code: "server-core/aborted", reported: true });
    await silent;
    await run.return?.();
    expect(ended).toBe(true);
    await outcome;
  });
});
