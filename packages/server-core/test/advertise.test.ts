import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { serve } from "./story.ts";

const FETCH =
  "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative " +
  "no-progress include-tag multi_ack_detailed";
const PUSH = "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta";

describe.each(["sha1", "sha256"] as const)("the announcement of a %s repository", (format) => {
  const own = `object-format=${format} agent=x/1`;
  const zero = "0".repeat(format === "sha1" ? 40 : 64);

  it("lists HEAD, then refs in byte order, tags with what they peel to", async () => {
    const repository = new MemoryRepository(format);
    const c1 = repository.commit("c1");
    const c2 = repository.commit("c2", [c1]);
    repository.refs.set("refs/heads/main", c2);
    repository.refs.set("refs/heads/\xff", c1);
    const inner = repository.tag("inner", c2);
    const outer = repository.tag("outer", inner);
    repository.refs.set("refs/tags/outer", outer);
    repository.refs.set("refs/tags/light", c2);
    const { packets } = await serve(repository, { version: 0, mode: "advertise" });
    expect(packets).toEqual([
      `${c2} HEAD\0${FETCH} no-done symref=HEAD:refs/heads/main ${own}\n`,
      `${c2} refs/heads/main\n`,
      `${c1} refs/heads/\xff\n`,
      `${c2} refs/tags/light\n`,
      `${outer} refs/tags/outer\n`,
      `${c2} refs/tags/outer^{}\n`,
      "flush",
    ]);
  });

  it("says what it can do when it is empty", async () => {
    const repository = new MemoryRepository(format);
    expect((await serve(repository, { version: 0, mode: "duplex" })).packets).toEqual([
      `${zero} capabilities^{}\0${FETCH} ${own}\n`,
      "flush",
    ]);
    const push = await serve(repository, { service: "git-receive-pack", version: 0, mode: "advertise" });
    expect(push.packets).toEqual([`${zero} capabilities^{}\0${PUSH} ${own}\n`, "flush"]);
  });

  it("starts with its version in v1, for both services, and is v0 to a v2 push", async () => {
    const repository = new MemoryRepository(format);
    for (const service of ["git-upload-pack", "git-receive-pack"] as const) {
      const { packets } = await serve(repository, { service, version: 1, mode: "advertise" });
      expect(packets[0]).toBe("version 1\n");
      expect(packets[1]).toMatch(/^0+ capabilities/);
    }
    const push = await serve(repository, { service: "git-receive-pack", version: 2, mode: "advertise" });
    expect(push.packets[0]).toMatch(/^0+ capabilities/);
  });

  it("is a list of capabilities in v2", async () => {
    const { packets } = await serve(new MemoryRepository(format), { mode: "advertise" });
    expect(packets).toEqual([
      "version 2\n",
      "agent=x/1\n",
      "ls-refs=unborn\n",
      "fetch=shallow wait-for-done\n",
      "server-option\n",
      `object-format=${format}\n`,
      "flush",
    ]);
  });
});

describe("HEAD in v0", () => {
  it("is not there while it is unborn, though other refs are", async () => {
    const repository = new MemoryRepository();
    repository.refs.set("refs/heads/other", repository.commit("a"));
    const { packets } = await serve(repository, { version: 0, mode: "advertise" });
    expect(packets[0]).toMatch(/^[0-9a-f]{40} refs\/heads\/other\0/);
    expect(packets[0]).not.toContain("symref");
  });

  it("has no symref capability when it is detached", async () => {
    const repository = new MemoryRepository();
    repository.refs.set("HEAD", repository.commit("a"));
    const { packets } = await serve(repository, { version: 0, mode: "advertise" });
    expect(packets[0]).toMatch(/^[0-9a-f]{40} HEAD\0/);
    expect(packets[0]).not.toContain("symref");
    expect(packets).toHaveLength(2);
  });

  it("is not announced for a push, nor is what tags peel to", async () => {
    const repository = new MemoryRepository();
    const commit = repository.commit("a");
    repository.refs.set("refs/heads/main", commit);
    const tag = repository.tag("v1", commit);
    repository.refs.set("refs/tags/v1", tag);
    const options = { service: "git-receive-pack", version: 0, mode: "advertise" } as const;
    expect((await serve(repository, options)).packets).toEqual([
      `${commit} refs/heads/main\0${PUSH} object-format=sha1 agent=x/1\n`,
      `${tag} refs/tags/v1\n`,
      "flush",
    ]);
  });
});

describe("an announcement", () => {
  it("passes over refs that lead to nothing, and logs them", async () => {
    const repository = new MemoryRepository();
    const commit = repository.commit("a");
    const lost = repository.commit("b");
    const tagged = repository.commit("c");
    repository.refs.set("refs/heads/main", commit);
    repository.refs.set("refs/heads/lost", lost);
    repository.refs.set("refs/tags/lost", repository.tag("lost", tagged));
    repository.refs.point("refs/heads/dangling", "refs/heads/none");
    repository.refs.point("refs/heads/loop", "refs/heads/loop");
    repository.refs.point("refs/heads/out", "../config");
    repository.lose(lost);
    repository.lose(tagged);
    const broken: unknown[] = [];
    const logger = {
      debug: () => {},
      info: () => {},
      error: () => {},
      warn: (fields: object) => void broken.push((fields as { ref: string }).ref),
    };
    const { packets } = await serve(repository, { version: 0, mode: "advertise", options: { logger } });
    expect(packets.map((line) => line.split(/[ \0]/)[1])).toEqual(["HEAD", "refs/heads/main\n", undefined]);
    expect(broken.sort()).toEqual([
      "refs/heads/dangling",
      "refs/heads/loop",
      "refs/heads/lost",
      "refs/heads/out",
      "refs/tags/lost",
    ]);
  });

  it("shows where the server's own history ends, for both services", async () => {
    const repository = new MemoryRepository();
    const [, c2] = repository.five();
    repository.objects.boundary = [c2];
    for (const service of ["git-upload-pack", "git-receive-pack"] as const) {
      const { packets } = await serve(repository, { service, version: 0, mode: "advertise" });
      expect(packets.slice(-2)).toEqual([`shallow ${c2}\n`, "flush"]);
    }
  });

  it("of many refs comes in few large chunks", async () => {
    const repository = new MemoryRepository();
    const commit = repository.commit("a");
    for (let i = 0; i < 20_000; i++) repository.refs.set(`refs/heads/branch-${i}`, commit);
    repository.refs.batchSize = 1000;
    const answer = await serve(repository, { version: 0, mode: "advertise" });
    expect(answer.packets).toHaveLength(20_001);
    expect(answer.text.endsWith("0000")).toBe(true);
  });
});
