import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { type ObjectId, type ObjectType, parseObjectId } from "@x/objects";
import { delim, encodeLatin1, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { packetsOf, serve } from "./story.ts";

type Setting = readonly [key: string, value: string];
type View = { readonly settings?: readonly Setting[]; readonly namespace?: string };

/** A repository of stock git with two namespaces, and a way to make its copy in memory. */
async function makeShared(format: "sha1" | "sha256") {
  const theirs = await createTestRepository({ objectFormat: format });
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) ids.push(await theirs.commit(`c${i}`));
  const point = (name: string, i: number) => theirs.git("update-ref", name, ids[i] as string);
  await point("refs/hidden/one", 5);
  await point("refs/hidden/two", 1);
  await point("refs/hiddenish/three", 1);
  await theirs.git("tag", "-a", "-m", "v1", "v1", ids[1] as string);
  await theirs.git("tag", "-a", "-m", "v2", "magic/v2", "v1");
  await theirs.git("tag", "light", ids[0] as string);
  await theirs.git("reset", "--hard", "-q", ids[4] as string);
  for (const space of ["a", "a/refs/namespaces/b"]) {
    const below = `refs/namespaces/${space}`;
    await point(`${below}/refs/heads/one`, 2);
    await point(`${below}/refs/heads/two`, 3);
    await point(`${below}/refs/hidden/x`, 1);
    await theirs.git("update-ref", `${below}/refs/tags/v1`, await theirs.git("rev-parse", "v1"));
    await theirs.git("symbolic-ref", `${below}/HEAD`, `${below}/refs/heads/two`);
    await theirs.git("symbolic-ref", `${below}/refs/heads/alias`, `${below}/refs/heads/one`);
  }
  await theirs.git("symbolic-ref", "refs/namespaces/unborn/HEAD", "refs/namespaces/unborn/refs/heads/none");
  await theirs.git("pack-refs", "--all");
  return { theirs, ids: ids as ObjectId[], ours: await copy(theirs.directory, format) };
}

async function copy(cwd: string, format: "sha1" | "sha256"): Promise<(view: View) => MemoryRepository> {
  const objects: [ObjectType, Uint8Array][] = [];
  const all = await git(["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"], {
    cwd,
  });
  for (const line of all.split("\n")) {
    const [type = "", name = ""] = line.split(" ");
    objects.push([
      type as ObjectType,
      encodeLatin1((await tryGit(["cat-file", type, name], { cwd })).stdout),
    ]);
  }
  const refs = await git(["for-each-ref", "--format=%(objectname) %(refname) %(symref)"], { cwd });
  return ({ settings = [], namespace }) => {
    const ours = new MemoryRepository(format);
    for (const [type, data] of objects) ours.objects.graph.add(type, data);
    for (const line of refs.split("\n")) {
      const [id = "", name = "", target = ""] = line.trimEnd().split(" ");
      if (target === "") ours.refs.set(name, parseObjectId(id, format) as ObjectId);
      else ours.refs.point(name, target);
    }
    // for-each-ref passes over symbolic refs that lead to nothing.
    ours.refs.point("refs/namespaces/unborn/HEAD", "refs/namespaces/unborn/refs/heads/none");
    for (const [key, value] of settings) ours.configure(key, value);
    ours.namespace = namespace?.replace(/[^/]+/g, "refs/namespaces/$&").concat("/");
    return ours;
  };
}

const comparable = (text: string) =>
  packetsOf(text).map((line) =>
    line.replace(/agent=[^\s\0]+/, "agent=x").replace(/session-id=[^\s\0]+/, "session-id=s"),
  );

const VIEWS: readonly [string, View][] = [
  ["everything", {}],
  ["hidden refs", { settings: [["transfer.hideRefs", "refs/hidden"]] }],
  ["a slash too many", { settings: [["transfer.hideRefs", "refs/hidden//"]] }],
  ["half a component", { settings: [["transfer.hideRefs", "refs/hid"]] }],
  [
    "an exception and its exception",
    {
      settings: [
        ["transfer.hideRefs", "refs/tags"],
        ["transfer.hideRefs", "!refs/tags/magic"],
        ["transfer.hideRefs", "refs/tags/magic/none"],
      ],
    },
  ],
  [
    "uploadpack's rules",
    {
      settings: [
        ["uploadpack.hideRefs", "refs/tags"],
        ["transfer.hideRefs", "!refs/tags/light"],
      ],
    },
  ],
  [
    "receive's rules",
    {
      settings: [
        ["receive.hideRefs", "refs/tags"],
        ["transfer.hideRefs", "!refs/tags/light"],
      ],
    },
  ],
  ["the full name", { settings: [["transfer.hideRefs", "^refs/hidden"]] }],
  ["a hidden HEAD", { settings: [["transfer.hideRefs", "HEAD"]] }],
  ["a namespace", { namespace: "a" }],
  ["a namespace within", { namespace: "a/b" }],
  ["a namespace with nothing in it", { namespace: "none" }],
  ["a namespace that is unborn", { namespace: "unborn" }],
  ["a namespace with hidden refs", { namespace: "a", settings: [["transfer.hideRefs", "refs/hidden"]] }],
  [
    "a namespace, and a stored name that does not count",
    { namespace: "a", settings: [["transfer.hideRefs", "refs/namespaces/a/refs/hidden"]] },
  ],
  [
    "a namespace, and a stored name that does",
    { namespace: "a", settings: [["transfer.hideRefs", "^refs/namespaces/a/refs/hidden"]] },
  ],
  [
    "a namespace, and full names outside",
    { namespace: "a", settings: [["transfer.hideRefs", "^refs/hidden"]] },
  ],
  [
    "a namespace, and an exception by its full name",
    {
      namespace: "a",
      settings: [
        ["transfer.hideRefs", "refs/heads"],
        ["transfer.hideRefs", "!^refs/namespaces/a/refs/heads/two"],
      ],
    },
  ],
  ["tips", { settings: [["uploadpack.allowTipSHA1InWant", "true"]] }],
  ["reachable objects", { settings: [["uploadpack.allowReachableSHA1InWant", "1"]] }],
  ["any object", { settings: [["uploadpack.allowAnySHA1InWant", "yes"]] }],
  [
    "any object, but not tips",
    {
      settings: [
        ["uploadpack.allowAnySHA1InWant", "on"],
        ["uploadpack.allowTipSHA1InWant", "off"],
      ],
    },
  ],
  ["session ids", { settings: [["transfer.advertiseSID", "true"]] }],
];

describe.each(["sha1", "sha256"] as const)(
  "of a %s repository, stock git and we show the same of",
  async (format) => {
    const { theirs, ours } = await makeShared(format);
    const zero = "0".repeat(format === "sha1" ? 40 : 64);
    const stock = (view: View, args: readonly string[], version: number, input?: Uint8Array) =>
      tryGit(
        [
          ...(view.settings ?? []).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
          ...args,
          theirs.gitDirectory,
        ],
        {
          env: {
            GIT_PROTOCOL: `version=${version}`,
            ...(view.namespace === undefined ? {} : { GIT_NAMESPACE: view.namespace }),
          },
          ...(input === undefined ? {} : { input }),
        },
      );

    it.each(VIEWS)("%s, announced", async (_, view) => {
      const repository = ours(view);
      for (const service of ["upload-pack", "receive-pack"] as const)
        for (const version of [0, 1] as const) {
          const answer = await stock(view, [service, "--http-backend-info-refs"], version);
          const mine = await serve(repository, { service: `git-${service}`, version, mode: "advertise" });
          const lines = comparable(mine.text);
          const expected = comparable(answer.stdout);
          // 2.39 forgets its capabilities where a namespace is empty; later versions tell them.
          if (expected.at(-2) === undefined || expected.at(-2) === "version 1\n")
            expected.splice(-1, 0, lines.find((line) => line.startsWith(zero)) ?? "none");
          // A HEAD that is hidden leaks from C git by its symref.
          if (view.settings?.some(([, value]) => value === "HEAD"))
            expected.push(
              ...expected.splice(0).map((line) => line.replace(" symref=HEAD:refs/heads/main", "")),
            );
          expect(lines).toEqual(expected);
        }
    });

    it.each(VIEWS)("%s, in ls-refs", async (_, view) => {
      const repository = ours(view);
      const questions = [
        ["peel", "symrefs", "unborn"],
        ["symrefs", "unborn", "ref-prefix HEAD", "ref-prefix refs/heads/", "ref-prefix refs/tags/v"],
        ["peel", "ref-prefix refs/hid"],
        ["ref-prefix refs/namespaces/"],
        ["ref-prefix one", "ref-prefix refs/heads/one"],
      ];
      for (const question of questions) {
        const request = encodePackets([
          "command=ls-refs",
          `object-format=${format}`,
          delim,
          ...question,
          flush,
        ]);
        const answer = await stock(view, ["upload-pack", "--stateless-rpc"], 2, request);
        const mine = await serve(repository, { input: [request] });
        // C git lists the HEAD of a namespace twice: it lies among the refs.
        const expected = comparable(answer.stdout).filter((line, i, all) => all.indexOf(line) === i);
        expect(comparable(mine.text)).toEqual(expected);
      }
    });
  },
);

describe("stock git and we give and refuse the same in v0", async () => {
  const { theirs, ids, ours } = await makeShared("sha1");
  const [c0, , c2, c3, c4, c5] = ids as [ObjectId, ObjectId, ObjectId, ObjectId, ObjectId, ObjectId];
  const lost = await git(["commit-tree", "-m", "lost", `${c4}^{tree}`], { cwd: theirs.directory });
  const lostText = (await tryGit(["cat-file", "commit", lost], { cwd: theirs.directory })).stdout;
  const tag = (await git(["rev-parse", "v1"], { cwd: theirs.directory })) as ObjectId;
  const allow = (kind: string, value: string): Setting => [`uploadpack.allow${kind}SHA1InWant`, value];
  const hide: Setting = ["transfer.hideRefs", "refs/hidden"];
  // Our default and git's differ on purpose only where nothing is set.
  const POLICIES: [string, View][] = [
    ["only tips", { settings: [hide, allow("Tip", "false"), allow("Reachable", "false")] }],
    ["tips", { settings: [hide, allow("Tip", "true")] }],
    ["reachable", { settings: [hide, allow("Reachable", "true")] }],
    ["both", { settings: [hide, allow("Reachable", "true"), allow("Tip", "true")] }],
    ["any", { settings: [hide, allow("Any", "true")] }],
    ["reachable in a namespace", { namespace: "a", settings: [hide, allow("Reachable", "true")] }],
    ["tips in a namespace", { namespace: "a", settings: [allow("Tip", "true")] }],
  ];
  const WANTS: [string, string][] = [
    ["a tip", c4],
    ["a tip of a namespace", c3],
    ["what a tip reaches", c2],
    ["a root", c0],
    ["a hidden tip", c5],
    ["a tag", tag],
    ["what no ref reaches", lost],
    ["what is not there", "ab".repeat(20)],
  ];
  const cases = POLICIES.flatMap(([policy, view]) =>
    WANTS.flatMap(([what, id]) =>
      (["duplex", "rpc"] as const).map((mode): [string, string, "duplex" | "rpc", View, string] => [
        policy,
        what,
        mode,
        view,
        id,
      ]),
    ),
  );
  it.each(cases)("with %s: %s, %s", async (_, __, mode, view, id) => {
    const repository = ours(view);
    repository.objects.graph.add("commit", encodeLatin1(lostText));
    const request = encodePackets([`want ${id} ofs-delta\n`, flush, "done\n"]);
    const stateless = mode === "rpc" ? ["--stateless-rpc"] : [];
    const settings = (view.settings ?? []).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    const answer = await tryGit([...settings, "upload-pack", ...stateless, theirs.gitDirectory], {
      input: request,
      env: {
        GIT_PROTOCOL: "version=0",
        ...(view.namespace === undefined ? {} : { GIT_NAMESPACE: view.namespace }),
      },
    });
    const mine = await serve(repository, { version: 0, mode, input: [request] });
    const verdict = (text: string) => /ERR [^\n]*|NAK/.exec(text)?.[0];
    expect(verdict(mine.text)).toBe(verdict(answer.stdout));
    expect(verdict(mine.text)).toBeDefined();
  });
});

describe("stock git and we judge pushes to hidden refs and namespaces alike:", async () => {
  const { theirs, ids, ours } = await makeShared("sha1");
  const [c0, c1, , c3, , c5] = ids as [ObjectId, ObjectId, ObjectId, ObjectId, ObjectId, ObjectId];
  const zero = "0".repeat(40);
  const hide: Setting = ["receive.hideRefs", "refs/hidden"];
  const CASES: [string, View, string][] = [
    ["an update", { settings: [hide] }, `${c5} ${c3} refs/hidden/one`],
    ["a deletion", { settings: [hide] }, `${c5} ${zero} refs/hidden/one`],
    ["a creation", { settings: [hide] }, `${zero} ${c3} refs/hidden/new`],
    ["no change", { settings: [hide] }, `${c5} ${c5} refs/hidden/one`],
    ["a ref that is not hidden", { settings: [hide] }, `${c1} ${c1} refs/hiddenish/three`],
    [
      "hidden for fetches only",
      { settings: [["uploadpack.hideRefs", "refs/hidden"]] },
      `${c1} ${c1} refs/hidden/two`,
    ],
    ["a namespace's hidden ref", { namespace: "a", settings: [hide] }, `${c1} ${c3} refs/hidden/x`],
    [
      "a stored name",
      { namespace: "a", settings: [["receive.hideRefs", "^refs/namespaces/a/refs/heads"]] },
      `${zero} ${c0} refs/heads/new`,
    ],
    [
      "a stored name without ^",
      { namespace: "a", settings: [["receive.hideRefs", "refs/namespaces/a/refs/heads"]] },
      `${zero} ${c0} refs/heads/new`,
    ],
  ];
  it.each(CASES)("%s", async (_, view, command) => {
    const repository = ours(view);
    const request = encodePackets([`${command}\0 report-status`, flush]);
    const pack = command.includes(` ${zero} `) ? "" : "PACK\x00\x00\x00\x02\x00\x00\x00\x00";
    const trailer =
      pack === "" ? "" : "\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";
    const settings = (view.settings ?? []).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    // On a copy: what is allowed changes it.
    const target = temporaryDirectory("push");
    await git(["clone", "-q", "--mirror", theirs.directory, target]);
    const answer = await tryGit([...settings, "receive-pack", "--stateless-rpc", target], {
      input: Buffer.concat([request, Buffer.from(pack + trailer, "latin1")]),
      ...(view.namespace === undefined ? {} : { env: { GIT_NAMESPACE: view.namespace } }),
    });
    const input = pack === "" ? [request] : [request, "PACK\nEND\n"];
    const mine = await serve(repository, { service: "git-receive-pack", version: 0, input });
    expect(packetsOf(mine.text)).toEqual(packetsOf(answer.stdout));
  });

  it("changes refs below the namespace only", async () => {
    const repository = ours({ namespace: "a" });
    const request = encodePackets([
      `${zero} ${c0} refs/heads/new\0 report-status`,
      `${c3} ${c0} refs/heads/two`,
      flush,
    ]);
    const input = [request, "PACK\nEND\n"];
    const { packets } = await serve(repository, { service: "git-receive-pack", version: 0, input });
    expect(packets).toEqual(["unpack ok\n", "ok refs/heads/new\n", "ok refs/heads/two\n", "flush"]);
    expect(repository.refs.id("refs/namespaces/a/refs/heads/new")).toBe(c0);
    expect(repository.refs.id("refs/namespaces/a/refs/heads/two")).toBe(c0);
    expect(repository.refs.id("refs/heads/new")).toBeUndefined();
  });
});
