import { type ObjectId, parseObjectId } from "@x/objects";
import { decodeLatin1, encodeLatin1 } from "@x/pktline";
import { describe, expect, it } from "vitest";
import type { PushHooks, WorkTree } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bring, type Command, EMPTY_PACK, push, shownBy, verdictsOf } from "./push-story.ts";
import { packetsOf, serve } from "./story.ts";

async function capabilities(repository: MemoryRepository): Promise<string[]> {
  const { packets } = await serve(repository, {
    service: "git-receive-pack",
    version: 0,
    mode: "advertise",
    options: { sessionId: () => "sid" },
  });
  return (packets[0] as string).trimEnd().split("\0")[1]?.split(" ") ?? [];
}

function seen(repository: MemoryRepository): string[] {
  return [...repository.refs.stored.keys()].filter((name) => name.startsWith("refs/")).sort();
}

describe("what a push can have", () => {
  it("is offered in git's order, each under its key", async () => {
    const repository = new MemoryRepository();
    const first = "report-status report-status-v2 delete-refs side-band-64k quiet".split(" ");
    const last = ["object-format=sha1", "agent=x/1"];
    expect(await capabilities(repository)).toEqual([...first, "atomic", "ofs-delta", ...last]);
    repository.configure("receive.advertiseAtomic", "false");
    repository.configure("repack.useDeltaBaseOffset", "false");
    repository.configure("receive.advertisePushOptions", "true");
    repository.configure("transfer.advertiseSID", "true");
    expect(await capabilities(repository)).toEqual([...first, "push-options", "session-id=sid", ...last]);
  });

  it("is not had where it is not offered", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.configure("receive.advertiseAtomic", "no");
    const commands: Command[] = [
      ["refs/heads/a", undefined, c1],
      ["refs/x", undefined, c1],
    ];
    let options: unknown = "not asked";
    const preReceive: PushHooks["preReceive"] = async ({ pushOptions, atomic }) => {
      options = [pushOptions, atomic];
      return undefined;
    };
    const caps = "report-status side-band-64k atomic push-options";
    const answer = await push(repository, commands, { caps, service: { hooks: { preReceive } } });
    expect(verdictsOf(answer)).toEqual(["ok refs/heads/a", "ng refs/x funny refname"]);
    expect(options).toEqual([undefined, false]);
  });

  it("is refused when a setting makes no sense", async () => {
    for (const key of ["receive.advertiseAtomic", "receive.denyDeletes", "receive.denyCurrentBranch"]) {
      const repository = new MemoryRepository();
      const [c1] = repository.five();
      repository.configure(key, "perhaps");
      const { error } = await push(repository, [["refs/heads/a", undefined, c1]]);
      expect(error).toMatchObject({ code: "server-core/repository-unusable" });
    }
  });
});

describe("push options", () => {
  const caps = "report-status side-band-64k push-options";

  async function ask(pushOptions: readonly string[], limits = {}) {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.configure("receive.advertisePushOptions", "true");
    const told: unknown[] = [];
    const look = async (context: { pushOptions: readonly string[] | undefined }) => {
      told.push(context.pushOptions);
      return undefined;
    };
    const hooks: PushHooks = {
      prePush: look,
      preReceive: look,
      postReceive: async (context) => void (await look(context)),
    };
    const answer = await push(repository, [["refs/heads/a", undefined, c1]], {
      caps,
      pushOptions,
      service: { hooks, limits },
    });
    return { answer, told };
  }

  it("reach hooks byte for byte, empty ones too", async () => {
    const options = ["ci.skip", "", 'a="b" ; $(x)', "\xff\xfe"];
    const { answer, told } = await ask(["ci.skip\n", ...options.slice(1)]);
    expect(verdictsOf(answer)).toEqual(["ok refs/heads/a"]);
    expect(told).toEqual([options, options, options]);
    expect((await ask([])).told).toEqual([[], [], []]);
  });

  it.each([
    [["a\0b"], {}, "a push option holds a NUL or a line feed"],
    [["a\nb\n"], {}, "a push option holds a NUL or a line feed"],
    [["a", "b", "c"], { maxPushOptions: 2 }, "the request exceeds maxPushOptions (2)"],
    [["aa", "bb"], { maxPushOptionBytes: 3 }, "the request exceeds maxPushOptionBytes (3)"],
  ])("%j is refused", async (options, limits, message) => {
    const { answer, told } = await ask(options, limits);
    expect(answer.error?.message).toBe(message);
    expect(answer.packets.at(-1)).toBe(`\x03${message}\n`);
    expect(told).toEqual([]);
  });
});

describe("names", () => {
  it("that are too long are refused, and can be deleted", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const long = `refs/heads/${"a".repeat(251)}`;
    const deep = `refs/heads${"/a".repeat(2044)}`;
    const fine = [`refs/heads/${"b".repeat(250)}`, `refs/heads${"/b".repeat(2043)}`];
    const commands = [long, deep, ...fine].map((ref): Command => [ref, undefined, c1]);
    const answer = await push(repository, commands);
    expect(verdictsOf(answer)).toEqual([
      `ng ${long} failed to update ref`,
      `ng ${deep} failed to update ref`,
      ...fine.map((ref) => `ok ${ref}`),
    ]);
    expect(shownBy(answer)).toContain(`error: cannot lock ref '${long}': File name too long\n`);
    repository.refs.set(long, c1);
    expect(verdictsOf(await push(repository, [[long, c1, undefined]]))).toEqual([`ok ${long}`]);
  });

  it("cannot move a cursor where they are shown", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const answer = await push(repository, [["refs/heads/\x1b[2J", undefined, c1]]);
    expect(shownBy(answer)).toBe("error: refusing to update funny ref 'refs/heads/?[2J' remotely\n");
  });
});

describe("a ref that leads to nothing stored", () => {
  it("is told to pushers, so that they can delete it, but not as what need not be sent", async () => {
    const lost = parseObjectId("ab".repeat(20), "sha1") as ObjectId;
    const repository = new MemoryRepository();
    repository.namespace = "refs/namespaces/team/";
    const [c1] = repository.five();
    for (const [name, id] of [
      ["refs/heads/elsewhere", c1],
      ["refs/heads/elsewhere-broken", lost],
      ["refs/namespaces/team/refs/heads/broken", lost],
    ] as const)
      repository.refs.set(name, id);
    const { text } = await serve(repository, {
      service: "git-receive-pack",
      version: 0,
      mode: "advertise",
    });
    const told = packetsOf(text).map((packet) => packet.replace(/\0.*/s, "\n"));
    expect(told).toContain(`${c1} .have\n`);
    expect(told.filter((packet) => packet.startsWith(lost))).toEqual([`${lost} refs/heads/broken\n`]);
  });

  it("may be deleted by who cannot know its value, and by who does", async () => {
    const lost = parseObjectId("ab".repeat(20), "sha1") as ObjectId;
    for (const old of [undefined, lost]) {
      const repository = new MemoryRepository();
      repository.refs.set("refs/heads/broken", lost);
      const answer = await push(repository, [["refs/heads/broken", old, undefined]]);
      expect(verdictsOf(answer)).toEqual(["ok refs/heads/broken"]);
      expect(shownBy(answer)).toBe("warning: allowing deletion of corrupt ref\n");
      expect(seen(repository)).toEqual([]);
    }
    const repository = new MemoryRepository();
    repository.refs.set("refs/heads/broken", lost);
    const other = parseObjectId("cd".repeat(20), "sha1") as ObjectId;
    expect(verdictsOf(await push(repository, [["refs/heads/broken", other, undefined]]))).toEqual([
      "ng refs/heads/broken incorrect old value provided",
    ]);
  });
});

describe("a branch that is checked out", () => {
  function withTrees(...branches: (string | undefined)[]) {
    const repository = new MemoryRepository();
    const commits = repository.five();
    repository.refs.set("refs/heads/linked", commits[0]);
    const updates: unknown[][] = [];
    let verdict: string | undefined;
    const trees = branches.map(
      (branch, i): WorkTree => ({
        directory: `/tree${i}`,
        branch,
        update: async (from, to) => {
          updates.push([i, from, to]);
          return verdict;
        },
      }),
    );
    const workTrees = Object.assign(repository, { workTrees: async () => trees });
    const decline = (reason: string | undefined) => {
      verdict = reason;
    };
    return { repository: workTrees, commits, updates, decline };
  }

  it("in any work tree is not pushed to, with git's advice", async () => {
    const { repository, commits } = withTrees("refs/heads/main", undefined, "refs/heads/linked");
    const [c1, c2] = commits;
    const answer = await push(repository, [["refs/heads/linked", c1, c2]]);
    expect(verdictsOf(answer)).toEqual(["ng refs/heads/linked branch is currently checked out"]);
    expect(shownBy(answer)).toMatch(
      /^error: refusing to update checked out branch: refs\/heads\/linked\nerror: By default, updating the current branch in a non-bare repository\nis denied/,
    );
    repository.configure("receive.denyCurrentBranch", "refuse");
    const short = await push(repository, [["refs/heads/linked", c1, undefined]]);
    expect(shownBy(short)).toBe("error: refusing to update checked out branch: refs/heads/linked\n");
    repository.configure("receive.denyCurrentBranch", "ignore");
    const gone = await push(repository, [["refs/heads/linked", c1, undefined]]);
    expect(verdictsOf(gone)).toEqual(["ng refs/heads/linked deletion of the current branch prohibited"]);
    expect(shownBy(gone)).toMatch(/^error: By default, deleting the current branch is denied, because/);
    repository.configure("receive.denyDeleteCurrent", "warn");
    const warned = await push(repository, [["refs/heads/linked", c1, undefined]]);
    expect([...verdictsOf(warned), shownBy(warned)]).toEqual([
      "ok refs/heads/linked",
      "warning: deleting the current branch\n",
    ]);
  });

  it("is brought up to date with updateInstead, or stays as it is with its ref", async () => {
    const { repository, commits, updates, decline } = withTrees("refs/heads/main", "refs/heads/linked");
    const [c1, c2, c3] = commits;
    repository.configure("receive.denyCurrentBranch", "updateInstead");
    expect(verdictsOf(await push(repository, [["refs/heads/linked", c1, c2]]))).toEqual([
      "ok refs/heads/linked",
    ]);
    expect(updates.splice(0)).toEqual([[1, c1, c2]]);
    decline("Working directory has unstaged changes");
    expect(verdictsOf(await push(repository, [["refs/heads/linked", c2, c3]]))).toEqual([
      "ng refs/heads/linked Working directory has unstaged changes",
    ]);
    expect(repository.refs.id("refs/heads/linked")).toBe(c2);
    updates.splice(0);
    decline(undefined);
    expect(verdictsOf(await push(repository, [["refs/heads/linked", c1, c3]]))).toEqual([
      "ng refs/heads/linked incorrect old value provided",
    ]);
    expect(updates).toEqual([]);
  });

  it("is left to the push-to-checkout hook where there is one", async () => {
    const { repository, commits, updates } = withTrees("refs/heads/main", "refs/heads/linked");
    const [c1, c2, c3] = commits;
    repository.configure("receive.denyCurrentBranch", "updateInstead");
    const asked: string[] = [];
    let answer: string | false | undefined;
    const hooks: PushHooks = {
      pushToCheckout: async (_, { ref }, workTree) => {
        asked.push(`${ref} ${workTree}`);
        return answer;
      },
    };
    const once = async (from: ObjectId, to: ObjectId) =>
      verdictsOf(await push(repository, [["refs/heads/linked", from, to]], { service: { hooks } }))[0];
    expect(await once(c1, c2)).toBe("ok refs/heads/linked");
    expect([asked, updates]).toEqual([["refs/heads/linked /tree1"], []]);
    answer = "push-to-checkout hook declined";
    expect(await once(c2, c3)).toBe("ng refs/heads/linked push-to-checkout hook declined");
    answer = false;
    expect(await once(c2, c3)).toBe("ok refs/heads/linked");
    expect(updates).toEqual([[1, c2, c3]]);
  });
});

describe("tips of alternates", () => {
  const have = async (repository: MemoryRepository, limits = {}) => {
    const { text } = await serve(repository, {
      service: "git-receive-pack",
      version: 0,
      mode: "advertise",
      options: { limits },
    });
    return packetsOf(text).filter((packet) => packet.endsWith(" .have\n"));
  };

  it("are told once each, those of refs not at all, up to a limit", async () => {
    const repository = new MemoryRepository();
    const [c1, c2, c3, , c5] = repository.five();
    const { lent } = repository.objects;
    for (const [i, id] of [c5, c1, c2, c2, c3].entries()) lent.set(`refs/heads/lent${i}`, id);
    expect(await have(repository)).toEqual([c1, c2, c3].map((id) => `${id} .have\n`));
    expect(await have(repository, { maxAlternateTips: 2 })).toEqual([`${c1} .have\n`]);
    lent.set("refs/tags/t", c1);
    repository.configure("core.alternateRefsPrefixes", "refs/tags/ refs/other");
    expect(await have(repository)).toEqual([`${c1} .have\n`]);
  });

  it("connect what is pushed", async () => {
    const repository = new MemoryRepository();
    const base = repository.commit("base");
    repository.lose(repository.blob("base"));
    const { id, pack } = bring(repository, "next", [base]);
    const command: Command = ["refs/heads/a", undefined, id];
    expect(verdictsOf(await push(repository, [command], { pack }))).toEqual([
      "ng refs/heads/a missing necessary objects",
    ]);
    repository.objects.lent.set("refs/heads/a", base);
    expect(verdictsOf(await push(repository, [command], { pack }))).toEqual(["ok refs/heads/a"]);
  });
});

describe("objects that do not connect", () => {
  it("are told of by the place where history breaks off", async () => {
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    const lost = repository.commit("lost", [c5]);
    const middle = bring(repository, "middle", [c5, lost]);
    const { id, pack } = bring(repository, "tip", [middle.id]);
    const both = encodeLatin1(decodeLatin1(middle.pack).replace("END\n", "") + decodeLatin1(pack).slice(5));
    const commands: Command[] = [["refs/heads/a", undefined, id]];
    const where = `error: Could not read ${lost}\nfatal: Failed to traverse parents of commit ${middle.id}\n`;
    repository.lose(lost);
    let aside = "";
    const call = {
      aside: (text: Uint8Array) => {
        aside += decodeLatin1(text);
      },
    };
    const answer = await push(repository, commands, { pack: both, call });
    expect(verdictsOf(answer)).toEqual(["ng refs/heads/a missing necessary objects"]);
    expect(shownBy(answer)).toContain(where);
    expect(aside).toBe(where);
    aside = "";
    await push(repository, commands, { pack: both, call, caps: "report-status" });
    expect(aside).toContain(where);
  });
});

describe("a push from where history ends early", () => {
  function shallowPush() {
    const repository = new MemoryRepository();
    const lost = repository.commit("lost");
    const root = bring(repository, "root", [lost]);
    for (const id of [lost, repository.tree("lost"), repository.blob("lost")]) repository.lose(id);
    const options = { pack: root.pack, before: [`shallow ${root.id}`] };
    return { repository, root: root.id, options, command: ["refs/heads/a", undefined, root.id] as Command };
  }

  it("is refused unless the repository may end there too", async () => {
    const { repository, options, command } = shallowPush();
    expect(verdictsOf(await push(repository, [command], options))).toEqual([
      "ng refs/heads/a shallow update not allowed",
    ]);
    expect(repository.objects.boundary).toEqual([]);
    repository.configure("receive.shallowUpdate", "true");
    expect(verdictsOf(await push(repository, [command], { ...options, before: [] }))).toEqual([
      "ng refs/heads/a missing necessary objects",
    ]);
  });

  it("makes the repository end there, for the refs that are taken", async () => {
    const { repository, root, options, command } = shallowPush();
    repository.configure("receive.shallowUpdate", "true");
    const refuse = { hooks: { update: async () => "closed" } };
    expect(verdictsOf(await push(repository, [command], { ...options, service: refuse }))).toEqual([
      "ng refs/heads/a closed",
    ]);
    expect(repository.objects.boundary).toEqual([]);
    expect(verdictsOf(await push(repository, [command], options))).toEqual(["ok refs/heads/a"]);
    expect(repository.objects.boundary).toEqual([root]);
  });

  it("fails by itself when that cannot be kept", async () => {
    const { repository, options, command } = shallowPush();
    const [c1] = repository.five();
    repository.configure("receive.shallowUpdate", "true");
    repository.objects.addShallow = async () => {
      throw new Error("EIO");
    };
    const commands: Command[] = [command, ["refs/heads/b", undefined, c1]];
    expect(verdictsOf(await push(repository, commands, options))).toEqual([
      "ng refs/heads/a shallow error",
      "ok refs/heads/b",
    ]);
  });

  it("needs nothing where all of its history is here", async () => {
    const repository = new MemoryRepository();
    const [, , , c4, c5] = repository.five();
    const { id, pack } = bring(repository, "next", [c5]);
    const before = [`shallow ${c4}`];
    expect(verdictsOf(await push(repository, [["refs/heads/main", c5, id]], { pack, before }))).toEqual([
      "ok refs/heads/main",
    ]);
    expect(repository.objects.boundary).toEqual([]);
  });
});

describe("proc-receive", () => {
  function prepared(...rules: string[]) {
    const repository = new MemoryRepository();
    const commits = repository.five();
    for (const rule of rules) repository.configure("receive.procReceiveRefs", rule);
    return { repository, commits };
  }

  it.each([
    ["refs/for", "refs/for refs/for/main", "refs/forth/main refs/heads/a"],
    ["refs/for/", "refs/for refs/for/main", "refs/forth/main refs/heads/a"],
    ["a:refs/for", "refs/for/main", "refs/heads/main"],
    ["d:refs/for", "", "refs/for/main refs/heads/main"],
    ["!:refs/heads", "", "refs/for/main refs/tags/a"],
    ["adm!:refs/heads", "refs/for/main refs/tags/a", "refs/heads/a refs/heads/b/c"],
  ])("of %s gets %j, not %j", async (rule, handed, kept) => {
    const { repository, commits } = prepared(rule);
    const refs = [...handed.split(" "), ...kept.split(" ")].filter((ref) => ref !== "");
    let asked: string[] = [];
    const hooks: PushHooks = {
      procReceive: async ({ commands }) => {
        asked = commands.map(({ ref }) => ref);
        return new Map();
      },
    };
    await push(
      repository,
      refs.map((ref) => [ref, undefined, commits[0]]),
      { service: { hooks } },
    );
    expect(asked.join(" ")).toBe(handed);
  });

  it("tells what it did, which version 2 of the report and later hooks hear", async () => {
    const { repository, commits } = prepared("refs/for");
    const [c1, c2, c3] = commits;
    const told: unknown[] = [];
    const hooks: PushHooks = {
      procReceive: async () =>
        new Map([
          [
            "refs/for/main",
            [
              { status: "done", ref: "refs/pull/1", oldId: c1, newId: c2, forcedUpdate: true },
              { status: "done", ref: "refs/pull/2" },
            ],
          ],
          ["refs/for/plain", [{ status: "done" }]],
          ["refs/for/no", [{ status: "refused", reason: "closed" }]],
          ["refs/for/own", [{ status: "fall-through" }]],
        ]),
      postReceive: async ({ commands }) => void told.push(commands),
      postUpdate: async ({ commands }) => void told.push(commands.map(({ ref }) => ref)),
    };
    const names = ["main", "plain", "no", "own"];
    const commands = names.map((name): Command => [`refs/for/${name}`, undefined, c3]);
    const service = { hooks };
    expect(verdictsOf(await push(repository, commands, { service }))).toEqual([
      "ok refs/for/main",
      "option refname refs/pull/1",
      `option old-oid ${c1}`,
      `option new-oid ${c2}`,
      "option forced-update",
      "ok refs/for/main",
      "option refname refs/pull/2",
      "ok refs/for/plain",
      "ng refs/for/no closed",
      "ok refs/for/own",
    ]);
    expect(seen(repository)).toEqual(["refs/for/own", "refs/heads/main"]);
    const zero = "0".repeat(40);
    expect(told).toEqual([
      [
        { ref: "refs/pull/1", oldId: c1, newId: c2 },
        { ref: "refs/pull/2", oldId: zero, newId: c3 },
        { ref: "refs/for/plain", oldId: zero, newId: c3 },
        { ref: "refs/for/own", oldId: zero, newId: c3 },
      ],
      ["refs/for/main", "refs/for/plain", "refs/for/own"],
    ]);
    const caps = "report-status side-band-64k";
    const old = await push(repository, commands.slice(0, 2), { service, caps });
    expect(verdictsOf(old)).toEqual(["ok refs/for/main", "ok refs/for/plain"]);
  });

  it("fails what it does not answer, and what it was not asked", async () => {
    const { repository, commits } = prepared("refs/for");
    const commands = ["refs/for/a", "refs/for/b", "refs/heads/c"].map(
      (ref): Command => [ref, undefined, commits[0]],
    );
    const ask = async (procReceive: PushHooks["procReceive"], caps = "report-status side-band-64k") => {
      const hooks = procReceive === undefined ? {} : { procReceive };
      const answer = await push(repository, commands, { caps, service: { hooks } });
      repository.refs.stored.delete("refs/heads/c");
      return [
        ...verdictsOf(answer).map((line) => line.replace(/refs\/(?:for|heads)\//, "")),
        shownBy(answer),
      ];
    };
    const failed = "fail to run proc-receive hook";
    const missing = "error: cannot find hook 'proc-receive'\n";
    expect(await ask(undefined)).toEqual([`ng a ${failed}`, `ng b ${failed}`, "ok c", missing]);
    expect(await ask(async () => undefined)).toEqual([`ng a ${failed}`, `ng b ${failed}`, "ok c", missing]);
    const throws = async () => {
      throw new Error("/secret");
    };
    expect(await ask(throws)).toEqual([`ng a ${failed}`, `ng b ${failed}`, "ok c", ""]);
    const some: PushHooks["procReceive"] = async () => new Map([["refs/for/a", [{ status: "done" }]]]);
    const silent = "ng b proc-receive failed to report status";
    expect(await ask(some)).toEqual(["ok a", silent, "ok c", ""]);
    const atomic = "report-status side-band-64k atomic";
    expect(await ask(some, atomic)).toEqual(["ok a", silent, `ng c ${failed}`, ""]);
    const strange: PushHooks["procReceive"] = async () =>
      new Map(
        ["refs/for/a", "refs/for/b", "refs/heads/c", "refs/for/z"].map((ref) => [ref, [{ status: "done" }]]),
      );
    expect(await ask(strange)).toEqual([
      "ok a",
      "ok b",
      "ok c",
      "error: proc-receive reported status on unexpected ref: refs/heads/c\nerror: proc-receive reported status on unknown ref: refs/for/z\n",
    ]);
  });
});

describe("reflogs", () => {
  it.each([
    ["http", {}, "anonymous <anonymous@http.192.0.2.1>"],
    ["http", { user: "alice" }, "alice <alice@http.192.0.2.1>"],
    ["git", { user: "a<b>\n" }, "ab <ab@192.0.2.1>"],
    ["git", { user: "é" }, "\xc3\xa9 <\xc3\xa9@192.0.2.1>"],
    ["stdio", { committer: "C O Mitter <c@example.com>" }, "C O Mitter <c@example.com>"],
  ])("of %s for %j name %s", async (transport, peer, committer) => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    let entry: unknown;
    const transact = repository.refs.transact.bind(repository.refs);
    repository.refs.transact = (edits, options) => {
      entry = options.reflog;
      return transact(edits, options);
    };
    const call = { transport, peer: { address: "192.0.2.1", ...peer } };
    await push(repository, [["refs/heads/a", undefined, c1]], { call, pack: EMPTY_PACK });
    expect(entry).toEqual({ committer, message: "push" });
  });
});
