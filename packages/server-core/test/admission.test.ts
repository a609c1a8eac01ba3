import type { PackEvent } from "@x/objects";
import { decodeLatin1, delim, encodeLatin1, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, type GitServiceOptions, ServiceError } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, type CallOptions, callOf, packetsOf, section } from "./story.ts";

/** A repository whose packs begin when they are told to. */
function slowRepository() {
  const repository = new MemoryRepository();
  const commits = repository.five();
  const begin: (() => void)[] = [];
  let made = 0;
  repository.objects.pack = async function* (): AsyncGenerator<PackEvent> {
    made++;
    await new Promise<void>((resolve) => begin.push(resolve));
    yield { kind: "bytes", bytes: encodeLatin1("PACK") };
    yield { kind: "bytes", bytes: encodeLatin1("rest") };
  };
  const want = commits[4];
  const v2 = encodePackets(["command=fetch", delim, `want ${want}`, "done", flush]);
  return { repository, commits, v2, begin, made: () => made };
}

type Slow = ReturnType<typeof slowRepository>;

function serverOf(slow: Slow, options: Partial<GitServiceOptions> = {}) {
  const { limits, ...rest } = options;
  const service = createGitService({
    repositories: async () => slow.repository,
    limits: { maxPacks: 1, keepaliveMs: 20, ...limits },
    ...rest,
  });
  return (call: CallOptions = {}) => {
    const run = service(callOf({ input: [slow.v2], ...call }))[Symbol.asyncIterator]();
    let text = "";
    const all = (async () => {
      for (;;) {
        const next = await run.next();
        if (next.done) return { text, packets: packetsOf(text) };
        text += decodeLatin1(next.value);
      }
    })();
    return { run, all, text: () => text };
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 2000; !condition(); ) {
    if (performance.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const failureOf = async (all: Promise<unknown>): Promise<ServiceError> => {
  const error: unknown = await all.catch((thrown: unknown) => thrown);
  if (error instanceof ServiceError) return error;
  throw new Error("it did not fail");
};

describe("fetches when too many packs are being made", () => {
  it("wait for each other, and hear meanwhile that the server lives", async () => {
    const slow = slowRepository();
    const start = serverOf(slow);
    const first = start();
    await until(() => slow.made() === 1);
    const second = start();
    await until(() => bandsOf(packetsOf(second.text())).empty >= 2);
    expect(packetsOf(second.text())[0]).toBe("packfile\n");
    expect(slow.made()).toBe(1);
    slow.begin[0]?.();
    // With the first bytes there the next one begins, whether they are read or not.
    await until(() => slow.made() === 2);
    slow.begin[1]?.();
    for (const { packets } of [await first.all, await second.all])
      expect(bandsOf(packets).data).toBe("PACKrest");
  });

  it.each([0, 2] as const)("wait so in v%d over a connection", async (version) => {
    const slow = slowRepository();
    const start = serverOf(slow);
    const input =
      version === 2 ? [slow.v2] : [section(`want ${slow.commits[4]} side-band-64k`), encodePackets(["done"])];
    const call = { version, mode: "duplex", input } as const;
    const first = start(call);
    await until(() => slow.made() === 1);
    const second = start(call);
    await until(() => bandsOf(packetsOf(second.text())).empty >= 1);
    slow.begin[0]?.();
    await until(() => slow.made() === 2);
    slow.begin[1]?.();
    for (const { packets } of [await first.all, await second.all])
      expect(bandsOf(packets).data).toBe("PACKrest");
  });

  it("are turned away before anything is sent when the line is full", async () => {
    const slow = slowRepository();
    const start = serverOf(slow, { limits: { maxQueuedPacks: 0 } });
    const first = start();
    await until(() => slow.made() === 1);
    const second = start();
    expect(await failureOf(second.all)).toMatchObject({ code: "server-core/busy", reported: false });
    expect(second.text()).toBe("");
    const third = start({ mode: "duplex" });
    expect(await failureOf(third.all)).toMatchObject({ code: "server-core/busy", reported: true });
    expect(third.text()).toContain("ERR the server is busy: too many packs are being made");
    slow.begin[0]?.();
    expect(bandsOf((await first.all).packets).data).toBe("PACKrest");
  });

  it("are told on the band for errors when their wait was too long", async () => {
    const slow = slowRepository();
    const start = serverOf(slow, { limits: { maxPackWaitMs: 100 } });
    const first = start();
    await until(() => slow.made() === 1);
    const second = start();
    expect(await failureOf(second.all)).toMatchObject({ code: "server-core/busy", reported: true });
    expect(bandsOf(packetsOf(second.text())).error).toContain("the server is busy: no pack could be made");
    slow.begin[0]?.();
    await first.all;
  });

  it("leave the line at once when their clients leave", async () => {
    const slow = slowRepository();
    const start = serverOf(slow, { limits: { maxQueuedPacks: 1 } });
    const first = start();
    await until(() => slow.made() === 1);
    const gone = new AbortController();
    const second = start({ signal: gone.signal });
    await until(() => second.text() !== "");
    gone.abort();
    expect((await failureOf(second.all)).code).toBe("server-core/aborted");
    const third = start();
    slow.begin[0]?.();
    await until(() => slow.made() === 2);
    slow.begin[1]?.();
    await first.all;
    expect(bandsOf((await third.all).packets).data).toBe("PACKrest");
  });

  it("leave their place when their clients leave while the pack is made", async () => {
    const slow = slowRepository();
    const start = serverOf(slow);
    const first = start();
    await until(() => slow.made() === 1);
    void first.run.return?.(undefined);
    slow.begin[0]?.();
    const second = start();
    await until(() => slow.made() === 2);
    slow.begin[1]?.();
    expect(bandsOf((await second.all).packets).data).toBe("PACKrest");
  });

  it("do not wait for what needs no pack", async () => {
    const slow = slowRepository();
    const start = serverOf(slow, { limits: { maxQueuedPacks: 0 } });
    const first = start();
    await until(() => slow.made() === 1);
    const listing = start({ input: [encodePackets(["command=ls-refs", flush])] });
    expect((await listing.all).packets.join("")).toContain("refs/heads/main");
    const [tip] = [slow.commits[4]];
    const nothing = encodePackets(["command=fetch", delim, `want ${tip}`, `have ${tip}`, "done", flush]);
    const same = start({ input: [nothing] });
    await until(() => slow.made() === 2);
    for (const go of slow.begin) go();
    await Promise.all([first.all, same.all]);
  });
});
