import type { ObjectStore } from "@x/objects";
import { decodeLatin1, encodeLatin1, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, type GitServiceOptions, ServiceError } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bring, commandLine } from "./push-story.ts";
import { bandsOf, type CallOptions, callOf, packetsOf } from "./story.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, ms = 2000): Promise<void> {
  for (const end = performance.now() + ms; !condition(); ) {
    if (performance.now() > end) throw new Error("waited in vain");
    await sleep(2);
  }
}

function serverOf(repository: MemoryRepository, options: Partial<GitServiceOptions>) {
  const { limits, ...rest } = options;
  const service = createGitService({
    repositories: async () => repository,
    services: ["git-upload-pack", "git-receive-pack", "git-upload-archive"],
    limits: { keepaliveMs: 20, ...limits },
    ...rest,
  });
  const start = (call: CallOptions) => {
    const run = service(callOf(call))[Symbol.asyncIterator]();
    let text = "";
    let failure: unknown;
    const all = (async () => {
      try {
        for (let next = await run.next(); next.done !== true; next = await run.next())
          text += decodeLatin1(next.value);
      } catch (error) {
        failure = error;
      }
    })();
    return { run, all, text: () => text, failure: () => failure as ServiceError | undefined };
  };
  return Object.assign(start, { service });
}

describe("archives, where too much is being made", () => {
  /** Archives that begin when they are told to. */
  function slowArchives() {
    const repository = new MemoryRepository();
    repository.five();
    const begin: (() => void)[] = [];
    const objects: ObjectStore = repository.objects;
    let ended = 0;
    objects.createArchive = async function* () {
      try {
        await new Promise<void>((resolve) => begin.push(resolve));
        for (let i = 0; i < 3; i++) yield { kind: "bytes", bytes: encodeLatin1("ARCHIVE") };
      } finally {
        ended++;
      }
    };
    return { repository, begin, ended: () => ended };
  }
  const words = (...all: string[]) => [encodePackets([...all.map((word) => `argument ${word}\n`), flush])];
  const archive: CallOptions = { service: "git-upload-archive", version: 0, input: words("main") };
  const bytesOf = (text: string) => bandsOf(packetsOf(text).slice(2)).data;

  it("wait for each other, and hear meanwhile that the server lives", async () => {
    const { repository, begin } = slowArchives();
    const start = serverOf(repository, { limits: { maxPacks: 1 } });
    const first = start(archive);
    await until(() => begin.length === 1);
    const second = start(archive);
    await until(() => bandsOf(packetsOf(second.text()).slice(2)).empty >= 2);
    expect(second.text().startsWith("0008ACK\n0000")).toBe(true);
    expect(begin).toHaveLength(1);
    begin[0]?.();
    await until(() => begin.length === 2);
    begin[1]?.();
    await Promise.all([first.all, second.all]);
    expect([bytesOf(first.text()), bytesOf(second.text())]).toEqual(Array(2).fill("ARCHIVE".repeat(3)));
  });

  it("are turned away in place of the ACK when the line is full, but for what needs no work", async () => {
    const { repository, begin } = slowArchives();
    const start = serverOf(repository, { limits: { maxPacks: 1, maxQueuedPacks: 0 } });
    const first = start(archive);
    await until(() => begin.length === 1);
    for (const mode of ["rpc", "duplex"] as const) {
      const late = start({ ...archive, mode });
      await late.all;
      expect([late.text(), late.failure()]).toMatchObject([
        "",
        { code: "server-core/busy", reported: false, retryAfterMs: expect.any(Number) },
      ]);
    }
    for (const [input, answer] of [
      [words("--list"), "tar\ntgz"],
      [words("nope"), "no such ref: nope"],
    ] as const) {
      const other = start({ ...archive, input });
      await other.all;
      expect(other.text()).toContain(answer);
    }
    begin[0]?.();
    await first.all;
    const next = start(archive);
    await until(() => begin.length === 2);
    begin[1]?.();
    await next.all;
    expect(bytesOf(next.text())).toBe("ARCHIVE".repeat(3));
  });

  it("are told on the band for errors when their wait was too long", async () => {
    const { repository, begin } = slowArchives();
    const start = serverOf(repository, { limits: { maxPacks: 1, maxPackWaitMs: 100 } });
    const first = start(archive);
    await until(() => begin.length === 1);
    const second = start(archive);
    await second.all;
    const { progress, error } = bandsOf(packetsOf(second.text()).slice(2));
    expect(progress).toMatch(/^fatal: the server is busy: no pack could be made for 1 seconds/);
    expect(error).toBe("git upload-archive: archiver died with error");
    expect(second.failure()).toMatchObject({ code: "server-core/busy", reported: true });
    begin[0]?.();
    await first.all;
  });

  it("give their place up when nobody reads them for a while, and when their clients leave", async () => {
    const { repository, begin, ended } = slowArchives();
    const start = serverOf(repository, { limits: { maxPacks: 1 } });
    const unread = start.service(callOf(archive))[Symbol.asyncIterator]();
    await unread.next();
    const frame = unread.next();
    await until(() => begin.length === 1);
    begin[0]?.();
    await frame;
    const second = start(archive);
    await sleep(500);
    expect(begin).toHaveLength(1);
    await until(() => begin.length === 2, 4000);
    expect(ended()).toBe(0);
    await unread.return?.(undefined);
    expect(ended()).toBe(1);
    begin[1]?.();
    await second.all;
    expect(bytesOf(second.text())).toBe("ARCHIVE".repeat(3));

    const left = start(archive);
    await until(() => begin.length === 3);
    void left.run.return?.(undefined);
    begin[2]?.();
    const next = start(archive);
    await until(() => begin.length === 4);
    begin[3]?.();
    await next.all;
    expect(bytesOf(next.text())).toBe("ARCHIVE".repeat(3));
  });
});

describe("pushes, where too many are being taken in", () => {
  /** A push whose pack stops on its way until it is told to go on. */
  function stalledPush(repository: MemoryRepository, name: string, caps = "report-status side-band-64k") {
    const { id, pack } = bring(repository, name);
    const line = `${commandLine(repository, [`refs/heads/${name}`, undefined, id])}\0 ${caps} object-format=sha1`;
    const head = encodePackets([line, flush]);
    let go: () => void = () => {};
    let fail: (error: Error) => void = () => {};
    const gone = new Promise<void>((resolve, reject) => {
      go = resolve;
      fail = reject;
    });
    async function* input() {
      yield head;
      yield pack.subarray(0, 5);
      await gone;
      yield pack.subarray(5);
    }
    const call: CallOptions = { service: "git-receive-pack", version: 0 };
    return { call: { ...call, input: input() }, whole: { ...call, input: [head, pack] }, go, fail };
  }

  it("wait for each other, and for no fetch", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const [one, two] = [stalledPush(repository, "one"), stalledPush(repository, "two")];
    const start = serverOf(repository, { limits: { maxPushes: 1, maxPacks: 1 } });
    const first = start(one.call);
    await until(() => repository.objects.quarantines.length === 1);
    const second = start(two.whole);
    await sleep(50);
    expect(repository.objects.quarantines).toHaveLength(1);
    const listing = start({ input: [encodePackets(["command=ls-refs", flush])] });
    await listing.all;
    expect(listing.text()).toContain("refs/heads/main");
    one.go();
    await Promise.all([first.all, second.all]);
    for (const [{ text }, name] of [
      [first, "one"],
      [second, "two"],
    ] as const)
      expect(bandsOf(packetsOf(text())).data).toContain(`ok refs/heads/${name}`);
  });

  it.each([
    ["rpc", "report-status side-band-64k", false, /^$/],
    [
      "duplex",
      "report-status side-band-64k",
      true,
      /0000[0-9a-f]{4}.the server is busy: too many pushes are/,
    ],
    [
      "duplex",
      "report-status",
      true,
      /ERR the server is busy: too many pushes are being taken in, and 0 wait/,
    ],
  ] as const)("are turned away over %s with %j when the line is full", async (mode, caps, reported, told) => {
    const repository = new MemoryRepository();
    const tip = repository.five()[0];
    repository.refs.set("refs/heads/old", tip);
    const [one, two] = [stalledPush(repository, "one"), stalledPush(repository, "two", caps)];
    const start = serverOf(repository, { limits: { maxPushes: 1, maxQueuedPushes: 0 } });
    const first = start(one.call);
    await until(() => repository.objects.quarantines.length === 1);
    const late = start({ ...two.whole, mode });
    await late.all;
    expect(late.failure()).toMatchObject({ code: "server-core/busy", reported });
    expect(late.text()).toMatch(told);
    const remove = commandLine(repository, ["refs/heads/old", tip, undefined]);
    const removal = start({
      ...two.whole,
      input: [encodePackets([`${remove}\0 report-status object-format=sha1`, flush])],
    });
    await removal.all;
    expect(removal.text()).toContain("ok refs/heads/old");
    one.go();
    await first.all;
    expect(bandsOf(packetsOf(first.text())).data).toContain("ok refs/heads/one");
    expect(await repository.refs.get("refs/heads/two")).toBeUndefined();
  });

  it("of one repository keep no other waiting: maxPushesPerRepository", async () => {
    const [busy, other] = [new MemoryRepository(), new MemoryRepository()];
    const service = createGitService({
      repositories: async ({ repository }) => (repository === "/busy" ? busy : other),
      services: ["git-receive-pack"],
      limits: { maxPushes: 2, maxPushesPerRepository: 1, maxQueuedPushes: 0 },
    });
    const run = async (call: CallOptions, repository: string) => {
      let text = "";
      for await (const chunk of service(callOf({ ...call, repository }))) text += decodeLatin1(chunk);
      return bandsOf(packetsOf(text)).data;
    };
    const [one, two] = [stalledPush(busy, "one"), stalledPush(busy, "two")];
    const first = run(one.call, "/busy");
    await until(() => busy.objects.quarantines.length === 1);
    await expect(run(two.whole, "/busy")).rejects.toMatchObject({ code: "server-core/busy" });
    expect(await run(stalledPush(other, "three").whole, "/other")).toContain("ok refs/heads/three");
    one.go();
    expect(await first).toContain("ok refs/heads/one");
  });

  it("leave their places when their clients leave, and while hooks run", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const [one, two, three] = ["one", "two", "three"].map((name) => stalledPush(repository, name)) as [
      ReturnType<typeof stalledPush>,
      ReturnType<typeof stalledPush>,
      ReturnType<typeof stalledPush>,
    ];
    const allow: (() => void)[] = [];
    const preReceive = () => new Promise<undefined>((resolve) => allow.push(() => resolve(undefined)));
    const start = serverOf(repository, { limits: { maxPushes: 1 }, hooks: { preReceive } });
    const gone = new AbortController();
    const first = start({ ...one.call, signal: gone.signal });
    await until(() => repository.objects.quarantines.length === 1);
    gone.abort();
    one.fail(new Error("reset"));
    await first.all;
    const second = start(two.whole);
    await until(() => allow.length === 1);
    const third = start(three.whole);
    await until(() => repository.objects.quarantines.length === 3);
    await until(() => allow.length === 2);
    for (const go of allow) go();
    await Promise.all([second.all, third.all]);
    expect(bandsOf(packetsOf(third.text())).data).toContain("ok refs/heads/three");
  });

  it("are told on the band for errors when their wait was too long", async () => {
    const repository = new MemoryRepository();
    const [one, two] = [stalledPush(repository, "one"), stalledPush(repository, "two")];
    const start = serverOf(repository, { limits: { maxPushes: 1, maxPushWaitMs: 60 } });
    const first = start(one.call);
    await until(() => repository.objects.quarantines.length === 1);
    const second = start({ ...two.whole, mode: "duplex" });
    await second.all;
    expect(second.failure()).toBeInstanceOf(ServiceError);
    expect(second.text()).toContain("\u0003the server is busy: no push could be taken in for 1 seconds");
    one.go();
    await first.all;
  });
});
