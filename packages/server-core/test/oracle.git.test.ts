import { join } from "node:path";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { type ObjectId, parseObjectId } from "@x/objects";
import { delim, encodeLatin1, encodePackets, flush, type Writable } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { packetsOf, serve } from "./story.ts";
import { comparable, makeTwins, type Twins } from "./twins.ts";

async function bothAnswer(twins: Twins, version: 0 | 2, request: Uint8Array): Promise<void> {
  const theirs = await tryGit(["upload-pack", "--stateless-rpc", twins.gitDirectory], {
    input: request,
    env: { GIT_PROTOCOL: `version=${version}` },
  });
  const ours = await serve(twins.ours, { version, input: [request] });
  expect(comparable(ours.text)).toEqual(comparable(theirs.stdout));
}

describe.each(["sha1", "sha256"] as const)("beside stock git, %s", async (format) => {
  const twins = await makeTwins(format);
  const { id } = twins;
  const unknown = (byte: string) => byte.repeat(format === "sha1" ? 20 : 32);

  it("announces the same", async () => {
    for (const version of [0, 1] as const)
      for (const service of ["upload-pack", "receive-pack"] as const) {
        const theirs = await tryGit([service, "--http-backend-info-refs", twins.gitDirectory], {
          env: { GIT_PROTOCOL: `version=${version}` },
        });
        const ours = await serve(twins.ours, { service: `git-${service}`, version, mode: "advertise" });
        expect(comparable(ours.text)).toEqual(comparable(theirs.stdout));
      }
    // C git 2.39 does not offer wait-for-done in the same words, so only the lines' keys are held together.
    const theirs = await tryGit(["upload-pack", "--http-backend-info-refs", twins.gitDirectory], {
      env: { GIT_PROTOCOL: "version=2" },
    });
    const keys = (text: string) => packetsOf(text).map((packet) => packet.split("=")[0]);
    const known = new Set(keys((await serve(twins.ours, { mode: "advertise" })).text));
    expect(keys(theirs.stdout).filter((key) => known.has(key))).toEqual([...known]);
  });

  const common = [`agent=test`, `object-format=${format}`];
  const v2 = (command: string, ...lines: Writable[]) =>
    encodePackets([`command=${command}\n`, ...common, delim, ...lines, flush]);

  it.each([
    ["everything", ["peel\n", "symrefs\n", "unborn\n"]],
    ["names only", []],
    ["prefixes", ["peel", "symrefs", "ref-prefix refs/tags/", "ref-prefix HEAD"]],
    ["a part of a name", ["ref-prefix refs/heads/m"]],
    ["nothing that exists", ["ref-prefix refs/none/"]],
    ["the empty prefix", ["ref-prefix "]],
  ])("lists refs in v2: %s", async (_, lines) => {
    await bothAnswer(twins, 2, v2("ls-refs", ...lines));
  });

  const want = (name: string) => `want ${id(name)}\n`;
  const have = (name: string) => `have ${id(name)}\n`;
  const V2_FETCHES: [string, () => Writable[]][] = [
    ["a clone", () => [want("main"), "done\n"]],
    ["a clone without done", () => [want("main")]],
    ["common haves, not enough", () => [want("main"), want("side"), `have ${unknown("ab")}\n`]],
    ["common haves, enough", () => [want("main"), want("v2"), have("main~4"), have("main~3")]],
    ["haves and done", () => [want("main"), have("side"), "done\n"]],
    ["wait-for-done without wants", () => ["wait-for-done\n", have("side"), have("v1")]],
    ["no wants", () => [have("side"), "done\n"]],
    ["a depth", () => [want("main"), "deepen 2\n", "done\n"]],
    ["a depth of all", () => [want("main"), "deepen 2147483647\n", "done\n"]],
    [
      "a depth for a shallow client",
      () => [want("main"), `shallow ${id("main~1")}\n`, "deepen 4\n", "done\n"],
    ],
    ["unshallow", () => [want("main"), `shallow ${id("main~1")}\n`, "deepen 2147483647\n", "done\n"]],
    [
      "relative depth",
      () => [want("main"), `shallow ${id("main~1")}\n`, "deepen 2\n", "deepen-relative\n", "done\n"],
    ],
    ["a time", () => [want("main"), "deepen-since 1112912173\n", "done\n"]],
    ["the beginning of time", () => [want("main"), "deepen-since 0\n", "done\n"]],
    ["a ref to stop at", () => [want("main"), "deepen-not side\n", "done\n"]],
    ["a shallow client that does not deepen", () => [want("main"), `shallow ${id("main~1")}\n`, "done\n"]],
    ["a shallow commit we lack", () => [want("main"), `shallow ${unknown("ef")}\n`, "deepen 1\n", "done\n"]],
  ];
  it.each(V2_FETCHES)("answers in v2: %s", async (_, lines) => {
    await bothAnswer(twins, 2, v2("fetch", ...lines()));
  });

  const CAPABILITIES = ["", " multi_ack", " multi_ack_detailed", " multi_ack_detailed no-done"];
  const V0_FETCHES: [string, (first: string) => Writable[]][] = [
    ["a clone", (caps) => [`want ${id("main")}${caps}\n`, flush, "done\n"]],
    ["unknown haves", (caps) => [`want ${id("main")}${caps}\n`, flush, `have ${unknown("ab")}\n`, flush]],
    [
      "common and unknown haves",
      (caps) => [
        `want ${id("main")}${caps}\n`,
        want("side"),
        flush,
        have("side"),
        `have ${unknown("ab")}\n`,
        have("light"),
        `have ${unknown("cd")}\n`,
        flush,
      ],
    ],
    ["only common haves", (caps) => [`want ${id("main")}${caps}\n`, flush, have("main~1"), flush]],
    [
      "haves and done",
      (caps) => [`want ${id("main")}${caps}\n`, flush, have("main~1"), `have ${unknown("ab")}\n`, "done\n"],
    ],
    [
      "unknown haves and done",
      (caps) => [`want ${id("main")}${caps}\n`, flush, `have ${unknown("ab")}\n`, "done\n"],
    ],
    ["a depth", (caps) => [`want ${id("main")}${caps}\n`, "deepen 2\n", flush, "done\n"]],
    ["a depth, only asked", (caps) => [`want ${id("main")}${caps}\n`, "deepen 2\n", flush]],
    [
      "unshallow",
      (caps) => [
        `want ${id("main")}${caps}\n`,
        `shallow ${id("main~1")}`,
        "deepen 2147483647\n",
        flush,
        "done\n",
      ],
    ],
    [
      "a shallow client that does not deepen",
      (caps) => [`want ${id("main")}${caps}\n`, `shallow ${id("main~1")}`, flush, have("main~1"), "done\n"],
    ],
    ["a want that was not offered", (caps) => [`want ${unknown("ab")}${caps}\n`, flush, "done\n"]],
    ["what a tip reaches", (caps) => [`want ${id("main~3")}${caps}\n`, flush, "done\n"]],
    ["nothing", () => [flush]],
  ];
  const cases = V0_FETCHES.flatMap(([name, lines]) =>
    // Without multi_ack C git acknowledges a parent of what it has acknowledged once more, which no client reads.
    CAPABILITIES.filter((caps) => caps !== "" || !name.startsWith("common and")).map(
      (caps): [string, string, (first: string) => Writable[]] => [name, caps, lines],
    ),
  );
  it.each(cases)("answers in v0: %s with [%s]", async (_, caps, lines) => {
    await bothAnswer(twins, 0, encodePackets(lines(`${caps} side-band-64k ofs-delta`)));
  });
});

it("reports deletions and refused names as stock git does", async () => {
  const bare = join(temporaryDirectory("bare"), "r.git");
  const { directory, ...theirs } = await createTestRepository();
  await theirs.commit("c1");
  for (const name of ["a", "b"]) await theirs.git("branch", name);
  await git(["clone", "-q", "--mirror", directory, bare]);
  const hex = await theirs.git("rev-parse", "main");
  const id = parseObjectId(hex, "sha1") as ObjectId;
  const ours = new MemoryRepository();
  const { stdout } = await tryGit(["cat-file", "commit", hex], { cwd: directory });
  ours.objects.graph.add("commit", encodeLatin1(stdout));
  for (const name of ["main", "a", "b"]) ours.refs.set(`refs/heads/${name}`, id);
  const zero = "0".repeat(40);
  const request = encodePackets([
    `${id} ${zero} refs/heads/a\0 report-status side-band-64k object-format=sha1 quiet`,
    `${id} ${zero} refs/heads/main`,
    `${id} ${zero} refs/heads/..bad`,
    flush,
  ]);
  const answer = await tryGit(["receive-pack", "--stateless-rpc", bare], { input: request });
  const mine = await serve(ours, { service: "git-receive-pack", version: 0, input: [request] });
  const report = (text: string) =>
    packetsOf(text)
      .filter((packet) => packet.startsWith("\x01"))
      .join("")
      .replaceAll("\x01", "");
  expect(packetsOf(report(mine.text))).toEqual(packetsOf(report(answer.stdout)));
  expect(report(mine.text)).toContain("ng refs/heads/main deletion of the current branch prohibited");
});
