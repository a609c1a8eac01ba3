import { delim, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { type Answer, bandsOf, history, section, serve } from "./story.ts";

function fetch(repository: MemoryRepository, ...lines: Writable[]): Promise<Answer> {
  return serve(repository, { input: [encodePackets(["command=fetch", delim, ...lines, "done", flush])] });
}

/** Lines of the shallow-info section, and the commits that came. */
function parts({ packets }: Answer): [string[], string[]] {
  const end = packets.indexOf("packfile\n");
  return [packets.slice(0, end), history(bandsOf(packets).data)];
}

function repositoryOfFive() {
  const repository = new MemoryRepository();
  return { repository, commits: repository.five() };
}

describe("a fetch with a boundary", () => {
  it("gives as many commits as asked", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , , c4, c5] = commits;
    expect(parts(await fetch(repository, `want ${c5}`, "deepen 2"))).toEqual([
      ["shallow-info\n", `shallow ${c4}`, "delim"],
      ["c4", "c5"],
    ]);
  });

  it("deepens: the old boundary stays one, and its parents are wanted", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, c4, c5] = commits;
    const lines = [`want ${c5}`, `have ${c5}`, `shallow ${c5}`, "deepen 3"];
    expect(parts(await fetch(repository, ...lines))).toEqual([
      ["shallow-info\n", `shallow ${c3}`, `unshallow ${c5}`, "delim"],
      ["c3", "c4"],
    ]);
    expect(repository.objects.orders[0]).toMatchObject({ wants: [c5, c4], haves: [c5], shallow: [c5, c3] });
  });

  it("takes the old boundary for had, also without a word of it", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, c2, c3, c4, c5] = commits;
    for (const [lines, sent] of [
      [
        [`shallow ${c4}`, "deepen 4"],
        ["c2", "c3", "c5"],
      ],
      [[`shallow ${c4}`, "deepen 1"], ["c5"]],
    ] as const)
      expect(parts(await fetch(repository, `want ${c5}`, ...lines))[1]).toEqual(sent);
    expect(repository.objects.orders[0]).toMatchObject({ wants: [c5, c3], haves: [c4], shallow: [c4, c2] });
  });

  it("counts from the client's boundary when asked", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, c4, c5] = commits;
    const lines = [`want ${c5}`, `have ${c5}`, `shallow ${c4}`, "deepen 1", "deepen-relative"];
    expect(parts(await fetch(repository, ...lines))[0]).toEqual([
      "shallow-info\n",
      `shallow ${c3}`,
      `unshallow ${c4}`,
      "delim",
    ]);
  });

  it("counts from every boundary that some ref reaches, not only from those of what is wanted", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1, , c3, c4] = commits;
    const lines = [`want ${c1}`, `shallow ${c4}`];
    expect(parts(await fetch(repository, ...lines, "deepen 1", "deepen-relative"))[0]).toEqual([
      "shallow-info\n",
      `shallow ${c3}`,
      `unshallow ${c4}`,
      "delim",
    ]);
    expect(parts(await fetch(repository, ...lines, "deepen 2147483647"))[0]).toEqual([
      "shallow-info\n",
      `unshallow ${c4}`,
      "delim",
    ]);
  });

  it("unshallows", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , , c4, c5] = commits;
    const lines = [`want ${c5}`, `have ${c5}`, `shallow ${c4}`, "deepen 2147483647"];
    expect(parts(await fetch(repository, ...lines))).toEqual([
      ["shallow-info\n", `unshallow ${c4}`, "delim"],
      ["c1", "c2", "c3"],
    ]);
  });

  it("unshallows no commit that the client could not see, and so shows none of its parents", async () => {
    const { repository, commits } = repositoryOfFive();
    const parent = repository.commit("secret parent");
    const secret = repository.commit("secret", [parent]);
    const lines = [`want ${commits[4]}`, `shallow ${secret}`, `shallow ${commits[3]}`, "deepen 2147483647"];
    expect(parts(await fetch(repository, ...lines))).toEqual([
      ["shallow-info\n", `unshallow ${commits[3]}`, "delim"],
      ["c1", "c2", "c3", "c5"],
    ]);
    expect(repository.objects.orders[0]?.shallow).toEqual([secret, commits[3]]);
  });

  it("ends at a time, or at a ref", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, c4, c5] = commits;
    repository.refs.set("refs/tags/stop", c3);
    repository.refs.set("refs/heads/halt", c3);
    for (const line of [
      "deepen-since 1000000240",
      "deepen-not stop",
      "deepen-not refs/heads/halt",
      "deepen-not halt",
    ])
      expect(parts(await fetch(repository, `want ${c5}`, line))).toEqual([
        ["shallow-info\n", `shallow ${c4}`, "delim"],
        ["c4", "c5"],
      ]);
  });

  it("does not cross the boundary of a client that does not deepen", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, , c5] = commits;
    const answer = await fetch(repository, `want ${c5}`, `have ${c3}`, `shallow ${c3}`);
    expect(parts(answer)).toEqual([
      ["shallow-info\n", "delim"],
      ["c4", "c5"],
    ]);
    expect(repository.objects.orders[0]?.shallow).toEqual([c3]);
  });

  it("tells v2 clients where the server's own history ends", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, c4, c5] = commits;
    repository.objects.boundary = [c3];
    expect(parts(await fetch(repository, `want ${c5}`))).toEqual([
      ["shallow-info\n", `shallow ${c3}`, "delim"],
      ["c3", "c4", "c5"],
    ]);
    expect(parts(await fetch(repository, `want ${c5}`, `shallow ${c4}`, `have ${c4}`))[0]).toEqual([
      "shallow-info\n",
      `shallow ${c3}`,
      "delim",
    ]);
  });
});

describe("a boundary is refused", () => {
  it.each([
    [["deepen-since 2000000000"], "no commits selected for shallow requests"],
    [["deepen-not none"], "git upload-pack: deepen-not is not a ref: deepen-not none"],
    [["deepen-not main"], "git upload-pack: ambiguous deepen-not: deepen-not main"],
    [
      ["deepen 1", "deepen-since 5"],
      "git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together",
    ],
    [
      ["deepen 1", "deepen-not v"],
      "git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together",
    ],
  ])("%j", async (lines, reason) => {
    const { repository, commits } = repositoryOfFive();
    repository.refs.set("refs/tags/main", commits[0]);
    const { packets, error } = await fetch(repository, `want ${commits[4]}`, ...lines);
    expect(packets).toEqual([`ERR ${reason}`]);
    expect(error?.reported).toBe(true);
  });

  it("when it is an id instead of a ref, or leaves the refs", async () => {
    const { repository, commits } = repositoryOfFive();
    for (const name of [commits[0], "../../config", "config"]) {
      const { packets } = await fetch(repository, `want ${commits[4]}`, `deepen-not ${name}`);
      expect(packets).toEqual([`ERR git upload-pack: deepen-not is not a ref: deepen-not ${name}`]);
    }
  });

  it("when it is no commit; one that we lack is passed over", async () => {
    const { repository, commits } = repositoryOfFive();
    const blob = repository.blob("c1");
    const bad = await fetch(repository, `want ${commits[4]}`, `shallow ${blob}`);
    expect(bad.packets).toEqual([`ERR invalid shallow object ${blob}`]);
    const lacking = await fetch(repository, `want ${commits[4]}`, `shallow ${"ab".repeat(20)}`);
    expect(parts(lacking)[1]).toHaveLength(5);
  });

  it("when there are too many lines of it", async () => {
    const { repository, commits } = repositoryOfFive();
    const options = { limits: { maxShallows: 2, maxDeepenNot: 2 } };
    const ids = ["aa", "bb", "cc"].map((byte) => byte.repeat(20));
    for (const [lines, name] of [
      [ids.map((id) => `shallow ${id}`), "maxShallows"],
      [ids.map((id) => `deepen-not ${id}`), "maxDeepenNot"],
    ] as const) {
      const input = [encodePackets(["command=fetch", delim, `want ${commits[4]}`, ...lines, flush])];
      expect((await serve(repository, { input, options })).packets).toEqual([
        `ERR the request exceeds ${name} (2)`,
      ]);
    }
  });
});

describe("a boundary in v0", () => {
  it("stands before any acknowledgment, in every stateless round", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, c2, , c4, c5] = commits;
    const wants = section(`want ${c5} multi_ack_detailed side-band-64k`, "deepen 2");
    const info = [`shallow ${c4}`, "flush"];
    const call = async (...input: (Uint8Array | string)[]) =>
      (await serve(repository, { version: 0, input: [wants, ...input] })).packets;
    expect(await call()).toEqual(info);
    expect(await call(section(`have ${"ab".repeat(20)}`))).toEqual([...info, "NAK\n"]);
    const last = await call(encodePackets([`have ${c2}`, "done"]));
    expect(last.slice(0, 4)).toEqual([...info, `ACK ${c2} common\n`, `ACK ${c2}\n`]);
    expect(history(bandsOf(last).data)).toEqual(["c4", "c5"]);
  });

  it("is not mentioned to a client that only has one", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, , c5] = commits;
    const input = [
      section(`want ${c5} side-band-64k`, `shallow ${c3}`),
      encodePackets([`have ${c3}`, "done"]),
    ];
    const { packets } = await serve(repository, { version: 0, input });
    expect(packets[0]).toBe(`ACK ${c3}\n`);
    expect(history(bandsOf(packets).data)).toEqual(["c4", "c5"]);
  });

  it("counts from the client's boundary by capability", async () => {
    const { repository, commits } = repositoryOfFive();
    const [, , c3, c4, c5] = commits;
    const input = [section(`want ${c5} deepen-relative`, `shallow ${c4}`, "deepen 1")];
    const { packets } = await serve(repository, { version: 0, input });
    expect(packets).toEqual([`shallow ${c3}`, `unshallow ${c4}`, "flush"]);
  });
});
