import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { serve } from "./story.ts";

const lsRefs = (repository: MemoryRepository, ...lines: string[]) =>
  serve(repository, { input: [encodePackets(["command=ls-refs", delim, ...lines, flush])] });

describe("lsrefs.unborn", () => {
  it.each([
    [undefined, "ls-refs=unborn\n", 2],
    ["advertise", "ls-refs=unborn\n", 2],
    ["allow", "ls-refs\n", 2],
    ["ignore", "ls-refs\n", 1],
  ])("%s: announces %j", async (value, announced, lines) => {
    const repository = new MemoryRepository();
    if (value !== undefined) repository.configure("lsrefs.unborn", value);
    expect((await serve(repository, { mode: "advertise" })).packets).toContain(announced);
    expect((await lsRefs(repository, "unborn", "symrefs")).packets).toHaveLength(lines);
  });

  it("is nothing else", async () => {
    const repository = new MemoryRepository();
    repository.configure("lsrefs.unborn", "Advertise");
    const { text, error } = await serve(repository, { mode: "advertise" });
    expect(text).toBe("");
    expect(error?.message).toBe("invalid value for 'lsrefs.unborn': 'Advertise'");
  });
});

describe("session ids", () => {
  async function ask(options: Parameters<typeof serve>[1], on = true) {
    const repository = new MemoryRepository();
    repository.five();
    if (on) repository.configure("transfer.advertiseSID", "true");
    const lines: { sessionId?: string; clientSessionId?: string }[] = [];
    const log = (fields: object) => void lines.push(fields);
    const logger = { debug: log, info: log, warn: log, error: log };
    const answer = await serve(repository, { ...options, options: { logger } });
    return { ...answer, line: lines.at(-1) };
  }
  const idIn = (packets: readonly string[]) =>
    packets.map((packet) => /session-id=([!-~]+)/.exec(packet)?.[1]).find((id) => id !== undefined);

  it.each([
    ["git-upload-pack", 0],
    ["git-upload-pack", 1],
    ["git-upload-pack", 2],
    ["git-receive-pack", 0],
  ] as const)("are announced by %s in v%d, another one each time, and logged", async (service, version) => {
    const first = await ask({ service, version, mode: "advertise" });
    const second = await ask({ service, version, mode: "advertise" });
    expect(idIn(first.packets)).toMatch(/^[0-9a-f-]{36}$/);
    expect(idIn(first.packets)).toBe(first.line?.sessionId);
    expect(idIn(second.packets)).not.toBe(idIn(first.packets));
    expect((await ask({ service, version, mode: "advertise" }, false)).text).not.toContain("session-id");
  });

  const fetch = (capability: string) =>
    encodePackets(["command=ls-refs", "object-format=sha1", capability, flush]);

  it("of clients are logged, without what could write lines of its own", async () => {
    const { line, error } = await ask({ input: [fetch("session-id=a\nb\x1b[1m")] });
    expect(error).toBeUndefined();
    expect(line?.clientSessionId).toBe("a?b?[1m");
    const { line: long } = await ask({ input: [fetch(`session-id=${"x".repeat(5000)}`)] });
    expect(long?.clientSessionId).toHaveLength(256);
    const { line: v0 } = await ask({
      version: 0,
      input: [encodePackets([`want ${"ab".repeat(20)} ofs-delta session-id=them`, flush])],
    });
    expect(v0?.clientSessionId).toBe("them");
    const { line: push } = await ask({
      service: "git-receive-pack",
      version: 0,
      input: [encodePackets([`${"ab".repeat(20)} ${"0".repeat(40)} refs/heads/x\0 session-id=me`, flush])],
    });
    expect(push?.clientSessionId).toBe("me");
  });

  it("are an unknown capability in v2 where they were not announced", async () => {
    const { packets } = await ask({ input: [fetch("session-id=x")] }, false);
    expect(packets).toEqual(["ERR unknown capability 'session-id=x'"]);
  });
});

describe("what is not shown", () => {
  function hidden(...rules: string[]) {
    const repository = new MemoryRepository();
    const [, c2] = repository.five();
    repository.refs.set("refs/heads/secret", c2);
    repository.refs.point("refs/heads/alias", "refs/heads/secret");
    for (const rule of rules) repository.configure("transfer.hideRefs", rule);
    return repository;
  }
  const names = (packets: readonly string[]) =>
    packets.filter((line) => line !== "flush").map((line) => line.split(/[ \0\n]/)[1]);

  it("is a symbolic ref that leads to a hidden one, and HEAD where it does", async () => {
    expect(names((await lsRefs(hidden())).packets)).toContain("refs/heads/alias");
    expect(names((await lsRefs(hidden("refs/heads/secret"), "symrefs")).packets)).not.toContain(
      "refs/heads/alias",
    );
    const repository = hidden("refs/heads/main");
    expect(names((await lsRefs(repository, "symrefs", "unborn")).packets)).not.toContain("HEAD");
    const { packets } = await serve(repository, { version: 0, mode: "advertise" });
    expect(packets.join("")).not.toMatch(/HEAD|refs\/heads\/main/);
  });

  it("is where an unborn HEAD leads, if that is hidden", async () => {
    const repository = new MemoryRepository();
    repository.configure("transfer.hideRefs", "refs/heads");
    expect((await lsRefs(repository, "symrefs", "unborn")).packets).toEqual(["flush"]);
  });

  it("is no place to stop at, and reads like what is missing", async () => {
    const repository = hidden("refs/heads/secret");
    const main = repository.refs.id("refs/heads/main");
    const ask = async (name: string) =>
      (
        await serve(repository, {
          input: [
            encodePackets(["command=fetch", delim, `want ${main}`, `deepen-not ${name}`, "done", flush]),
          ],
        })
      ).packets.at(-1);
    const answers = await Promise.all(["secret", "nothing"].map(ask));
    expect(answers[0]?.replace("secret", "nothing")).toBe(answers[1]);
    expect(answers[1]).toMatch(/^ERR /);
  });

  it("brings no tag along", async () => {
    const repository = hidden("refs/tags/secret");
    const main = repository.refs.id("refs/heads/main") as string;
    for (const name of ["open", "secret"])
      repository.refs.set(`refs/tags/${name}`, repository.tag(name, main as never));
    await serve(repository, {
      input: [encodePackets(["command=fetch", delim, `want ${main}`, "include-tag", "done", flush])],
    });
    const [order] = repository.objects.orders;
    expect(order?.tags?.map(({ tag }) => tag)).toEqual([repository.refs.id("refs/tags/open")]);
  });

  it("is a name outside of the namespace, or a symbolic ref that leads there", async () => {
    const repository = hidden();
    repository.namespace = "refs/namespaces/a/";
    const main = repository.refs.id("refs/heads/main") as never;
    repository.refs.set("refs/namespaces/a/refs/heads/x", main);
    repository.refs.set("refs/namespaces/ab/refs/heads/y", main);
    repository.refs.point("refs/namespaces/a/refs/heads/out", "refs/heads/main");
    repository.refs.point("refs/namespaces/a/HEAD", "refs/heads/main");
    expect(names((await lsRefs(repository, "symrefs", "unborn")).packets)).toEqual(["refs/heads/x"]);
  });

  it("cannot be pushed to by another name, nor out of the namespace", async () => {
    const push = async (repository: MemoryRepository, ref: string) => {
      const main = repository.refs.id("refs/heads/main");
      const lines = [`${"0".repeat(40)} ${main} ${ref}\0 report-status`, flush];
      const input = [encodePackets(lines), "PACK\nEND\n"];
      return (await serve(repository, { service: "git-receive-pack", version: 0, input })).packets;
    };
    const repository = hidden("refs/heads/secret");
    expect(await push(repository, "refs/heads/alias")).toContain(
      "ng refs/heads/alias deny updating a hidden ref\n",
    );
    const narrow = hidden();
    narrow.namespace = "refs/namespaces/a/";
    narrow.refs.point("refs/namespaces/a/refs/heads/out", "refs/heads/main");
    expect(await push(narrow, "refs/heads/out")).toContain("ng refs/heads/out broken symref\n");
    expect(narrow.refs.transactions).toEqual([]);
  });
});

it("ends a flood of prefixes at the bytes of a request, and compares none twice", async () => {
  const repository = new MemoryRepository();
  repository.five();
  const lines = Array.from({ length: 50_000 }, (_, i) => `ref-prefix refs/heads/${i % 7}\n`);
  const { packets } = await lsRefs(repository, ...lines);
  expect(packets).toEqual(["flush"]);
  const { error } = await serve(repository, {
    input: [encodePackets(["command=ls-refs", delim, ...lines, flush])],
    options: { limits: { maxFetchRequestBytes: 100_000 } },
  });
  expect(error?.code).toBe("server-core/limit-exceeded");
});

describe("HEAD whose object is lost", () => {
  function damaged() {
    const repository = new MemoryRepository();
    const [c1, , , , c5] = repository.five();
    repository.refs.set("refs/heads/whole", c1);
    repository.lose(c5);
    return { repository, c1, c5 };
  }

  // A client that gets everything but what HEAD holds would take the repository for one without a branch.
  it("is announced, as in C git, though its branch is not", async () => {
    const { repository, c1, c5 } = damaged();
    const { packets } = await serve(repository, { version: 0, mode: "advertise" });
    expect(packets[0]).toMatch(new RegExp(`^${c5} HEAD\0.* symref=HEAD:refs/heads/main `));
    expect(packets.slice(1)).toEqual([`${c1} refs/heads/whole\n`, "flush"]);
    expect((await lsRefs(repository, "peel", "symrefs")).packets).toEqual([
      `${c5} HEAD symref-target:refs/heads/main\n`,
      `${c1} refs/heads/whole\n`,
      "flush",
    ]);
  });

  it("cannot be had", async () => {
    const { repository, c5 } = damaged();
    const input = [encodePackets(["command=fetch", delim, `want ${c5}`, "done", flush])];
    expect((await serve(repository, { input })).packets).toEqual([`ERR upload-pack: not our ref ${c5}`]);
  });
});
