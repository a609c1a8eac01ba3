import type { ObjectId } from "@x/objects";
import { encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { encodePack } from "./memory-objects.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, packetsOf, serve } from "./story.ts";

type Command = readonly [ref: string, from: ObjectId | undefined, to: ObjectId | undefined];
const ZERO = "0".repeat(40);

async function verdicts(
  repository: MemoryRepository,
  commands: readonly Command[],
  caps = "",
): Promise<string[]> {
  const lines = commands.map(
    ([ref, from, to], i) =>
      `${from ?? ZERO} ${to ?? ZERO} ${ref}${i === 0 ? `\0report-status side-band-64k ${caps}` : ""}`,
  );
  const input = [encodePackets([...lines, flush]), encodePack([])];
  const answer = await serve(repository, { service: "git-receive-pack", version: 0, input });
  return packetsOf(bandsOf(answer.packets).data)
    .slice(1, -1)
    .map((line) => line.trimEnd());
}

function repositoryOfFive() {
  const repository = new MemoryRepository();
  return { repository, commits: repository.five() };
}

describe("names", () => {
  const BAD = [
    "HEAD config refs refs/ refs/x refs/stash refs/heads/../../config refs/heads/a..b refs/heads/.x refs/heads/x.lock",
    "refs/heads/x.lock/y refs/heads/a. refs/heads//a refs/heads/a/ refs/heads/a~b refs/heads/a^ refs/heads/a:b",
    "refs/heads/a? refs/heads/* refs/heads/[ refs/heads/\\ refs/heads/a@{b refs/heads/\x7f refs/heads/\x01 .. /refs/heads/a",
  ]
    .join(" ")
    .split(" ");

  it.each([...BAD, "refs/heads/a b"])("%j is funny", async (ref) => {
    const { repository, commits } = repositoryOfFive();
    expect(await verdicts(repository, [[ref, undefined, commits[0]]])).toEqual([`ng ${ref} funny refname`]);
    expect(repository.refs.transactions).toEqual([]);
  });

  it.each(["refs/heads/@", "refs/heads/-dash", "refs/heads/HEAD", 'refs/"q"/$(id)', "refs/heads/__proto__"])(
    "%j is fine",
    async (ref) => {
      const { repository, commits } = repositoryOfFive();
      expect(await verdicts(repository, [[ref, undefined, commits[0]]])).toEqual([`ok ${ref}`]);
    },
  );

  it("of one level can be deleted", async () => {
    const { repository, commits } = repositoryOfFive();
    repository.refs.set("refs/stash", commits[0]);
    expect(await verdicts(repository, [["refs/stash", commits[0], undefined]])).toEqual(["ok refs/stash"]);
  });

  it("twice in one push fail all of it", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1, c2] = commits;
    const commands: Command[] = [
      ["refs/heads/a", undefined, c1],
      ["refs/heads/b", undefined, c1],
      ["refs/heads/a", undefined, c2],
    ];
    const refused = (reason: string) => ["a", "b", "a"].map((name) => `ng refs/heads/${name} ${reason}`);
    expect(await verdicts(repository, commands)).toEqual(refused("failed to update refs"));
    expect(await verdicts(repository, commands, "atomic")).toEqual(refused("atomic transaction failed"));
    expect(repository.refs.transactions).toEqual([]);
  });

  it("that need the same place conflict", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1] = commits;
    expect(await verdicts(repository, [["refs/heads/main/sub", undefined, c1]])).toEqual([
      "ng refs/heads/main/sub refname conflict",
    ]);
  });

  it.each([
    ["shows", "'refs/heads/main' exists; cannot create 'refs/heads/main/sub'", ""],
    ["does not show", "refs/heads/main/sub: refname conflict", "refs/heads/main\n!refs/heads/main/sub"],
  ])("conflict with what a session %s", async (_, words, hideRefs) => {
    const { repository, commits } = repositoryOfFive();
    for (const rule of hideRefs.split("\n")) repository.configure("receive.hideRefs", rule);
    const input = [
      encodePackets([`${ZERO} ${commits[0]} refs/heads/main/sub\0report-status side-band-64k`, flush]),
      encodePack([]),
    ];
    const answer = await serve(repository, { service: "git-receive-pack", version: 0, input });
    expect(bandsOf(answer.packets).progress).toContain(`error: ${words}\n`);
  });
});

describe("values", () => {
  it("of branches are commits; those of tags may be anything", async () => {
    const { repository, commits } = repositoryOfFive();
    const tree = repository.tree("c1");
    const tag = repository.tag("v1", commits[0]);
    const commands: Command[] = [
      ["refs/heads/tree", undefined, tree],
      ["refs/heads/tag", undefined, tag],
      ["refs/tags/tree", undefined, tree],
      ["refs/tags/v1", undefined, tag],
    ];
    repository.refs.set("refs/keep/tree", tree);
    repository.refs.set("refs/keep/tag", tag);
    expect(await verdicts(repository, commands)).toEqual([
      "ng refs/heads/tree invalid new value provided",
      "ng refs/heads/tag invalid new value provided",
      "ok refs/tags/tree",
      "ok refs/tags/v1",
    ]);
  });
});

describe("settings", () => {
  it("receive.denyNonFastForwards forbids rewriting branches, not tags", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1, c2, , c4, c5] = commits;
    repository.refs.set("refs/heads/old", c1);
    repository.refs.set("refs/tags/t", c5);
    repository.configure("receive.denyNonFastForwards", "true");
    expect(
      await verdicts(repository, [
        ["refs/heads/main", c5, c4],
        ["refs/heads/old", c1, c2],
        ["refs/tags/t", c5, c1],
      ]),
    ).toEqual(["ng refs/heads/main non-fast-forward", "ok refs/heads/old", "ok refs/tags/t"]);
    repository.configure("receive.denyNonFastForwards", "no");
    expect(await verdicts(repository, [["refs/heads/main", c5, c4]])).toEqual(["ok refs/heads/main"]);
  });

  it("receive.denyDeletes forbids deleting branches, not tags", async () => {
    const { repository, commits } = repositoryOfFive();
    repository.refs.set("refs/heads/a", commits[0]);
    repository.refs.set("refs/tags/t", commits[0]);
    repository.configure("receive.denyDeletes", "1");
    expect(
      await verdicts(repository, [
        ["refs/heads/a", commits[0], undefined],
        ["refs/tags/t", commits[0], undefined],
      ]),
    ).toEqual(["ng refs/heads/a deletion prohibited", "ok refs/tags/t"]);
  });

  it.each([
    [undefined, "ng refs/heads/main deletion of the current branch prohibited"],
    ["refuse", "ng refs/heads/main deletion of the current branch prohibited"],
    ["true", "ng refs/heads/main deletion of the current branch prohibited"],
    ["ignore", "ok refs/heads/main"],
    ["Warn", "ok refs/heads/main"],
    ["false", "ok refs/heads/main"],
  ])("receive.denyDeleteCurrent = %s", async (value, verdict) => {
    const { repository, commits } = repositoryOfFive();
    if (value !== undefined) repository.configure("receive.denyDeleteCurrent", value);
    expect(await verdicts(repository, [["refs/heads/main", commits[4], undefined]])).toEqual([verdict]);
  });

  it.each([
    [undefined, "ng refs/heads/main branch is currently checked out"],
    ["refuse", "ng refs/heads/main branch is currently checked out"],
    ["updateInstead", "ng refs/heads/main denyCurrentBranch = updateInstead needs a worktree"],
    ["ignore", "ok refs/heads/main"],
    ["warn", "ok refs/heads/main"],
  ])("receive.denyCurrentBranch = %s, beside a work tree only", async (value, verdict) => {
    const { repository, commits } = repositoryOfFive();
    if (value !== undefined) repository.configure("receive.denyCurrentBranch", value);
    repository.bare = false;
    expect(await verdicts(repository, [["refs/heads/main", commits[4], commits[3]]])).toEqual([verdict]);
    const other = repositoryOfFive();
    expect(await verdicts(other.repository, [["refs/heads/main", other.commits[4], commits[3]]])).toEqual([
      "ok refs/heads/main",
    ]);
  });
});

describe("symbolic refs", () => {
  it("stand for their targets", async () => {
    const { repository, commits } = repositoryOfFive();
    repository.refs.point("refs/heads/alias", "refs/heads/main");
    expect(await verdicts(repository, [["refs/heads/alias", commits[4], commits[3]]])).toEqual([
      "ok refs/heads/alias",
    ]);
    expect(repository.refs.id("refs/heads/main")).toBe(commits[3]);
    expect(await verdicts(repository, [["refs/heads/alias", commits[3], undefined]])).toEqual([
      "ng refs/heads/alias deletion of the current branch prohibited",
    ]);
  });

  it("may be pushed together with their targets when both say the same", async () => {
    const { repository, commits } = repositoryOfFive();
    const [c1, , , c4, c5] = commits;
    repository.refs.point("refs/heads/alias", "refs/heads/main");
    expect(
      await verdicts(repository, [
        ["refs/heads/alias", c5, c4],
        ["refs/heads/main", c5, c4],
      ]),
    ).toEqual(["ok refs/heads/alias", "ok refs/heads/main"]);
    expect(
      await verdicts(repository, [
        ["refs/heads/alias", c4, c5],
        ["refs/heads/main", c4, c1],
      ]),
    ).toEqual([
      "ng refs/heads/alias inconsistent aliased update",
      "ng refs/heads/main inconsistent aliased update",
    ]);
    expect(
      await verdicts(repository, [
        ["refs/heads/alias", c5, c1],
        ["refs/heads/main", c5, c1],
      ]),
    ).toEqual([
      "ng refs/heads/alias incorrect old value provided",
      "ng refs/heads/main incorrect old value provided",
    ]);
  });

  it("that lead nowhere are broken", async () => {
    const { repository, commits } = repositoryOfFive();
    repository.refs.point("refs/heads/loop", "refs/heads/loop");
    expect(await verdicts(repository, [["refs/heads/loop", undefined, commits[0]]])).toEqual([
      "ng refs/heads/loop broken symref",
    ]);
  });

  it("are found among many commands too", async () => {
    const { repository, commits } = repositoryOfFive();
    repository.refs.point("refs/heads/alias", "refs/heads/main");
    const many = Array.from({ length: 300 }, (_, i): Command => [`refs/tags/t${i}`, undefined, commits[0]]);
    const answer = await verdicts(repository, [...many, ["refs/heads/alias", commits[4], commits[3]]]);
    expect(new Set(answer.map((line) => line.split(" ")[0]))).toEqual(new Set(["ok"]));
    expect(repository.refs.id("refs/heads/main")).toBe(commits[3]);
  });
});
