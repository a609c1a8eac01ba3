import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, objectsOf, reachableIn, refsOf } from "./compare.ts";
import { copyRepository, makeRich } from "./fixtures.ts";
import { comparable } from "./push-rig.ts";
import { startServer } from "./server.ts";
import { COMBINATIONS, FORMATS, once, stockWay, type Way, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
const rich = temporaryDirectory("rich");
const server = await startServer(root);

/** A name of bytes that are no UTF-8. */
const BYTES = "refs/heads/\xff\xfe-\xe4";

/** How a repository's HEAD and refs may be, made from a rich one. */
const KINDS = new Map<string, (directory: string) => Promise<unknown>>([
  ["unborn-among-others", (cwd) => git(["symbolic-ref", "HEAD", "refs/heads/not/yet"], { cwd })],
  ["detached", (cwd) => git(["update-ref", "--no-deref", "HEAD", "main~1"], { cwd })],
  ["head-is-symref-to-symref", (cwd) => git(["symbolic-ref", "HEAD", "refs/heads/alias"], { cwd })],
  ["head-is-no-branch", (cwd) => git(["symbolic-ref", "HEAD", "refs/pull/1/head"], { cwd })],
  ["dangling-symref", (cwd) => git(["symbolic-ref", "refs/heads/leads-nowhere", "refs/heads/none"], { cwd })],
  ["remote-head", (cwd) => git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"], { cwd })],
  [
    "odd-names",
    async (cwd) => {
      const id = await git(["rev-parse", "main"], { cwd });
      const names = [
        BYTES,
        "refs/heads/@",
        "refs/heads/-dash",
        "refs/heads/HEAD",
        'refs/heads/"q"',
        "refs/heads/$(id)",
        "refs/heads/x;y",
        "refs/heads/__proto__",
        "refs/heads/MAIN",
        "refs/heads/100%",
        "refs/odd/\u00e4",
        `refs/heads/${"n/".repeat(100)}x`,
      ];
      const input = Buffer.from(names.map((name) => `create ${name} ${id}\n`).join(""), "latin1");
      await git(["update-ref", "--stdin"], { cwd, input });
    },
  ],
  [
    "odd-names-packed",
    async (cwd) => {
      await KINDS.get("odd-names")?.(cwd);
      await git(["pack-refs", "--all"], { cwd });
    },
  ],
]);

for (const format of FORMATS) {
  await git([
    "init",
    "-q",
    "--bare",
    "-b",
    "trunk",
    `--object-format=${format}`,
    `${root}/empty-${format}.git`,
  ]);
  await makeRich(`${rich}/${format}.git`, format);
  for (const [kind, change] of KINDS)
    await change(copyRepository(`${rich}/${format}.git`, `${root}/${kind}-${format}.git`));
}

/** What a clone is, and what git said while it was made. */
async function cloneAndLook(way: Way, name: string, flags: readonly string[]) {
  const directory = `${temporaryDirectory("clone")}/c`;
  const { status, stderr } = comparable(await way.tryGit(["clone", ...flags, way.url(name), directory]));
  if (status !== 0) return { directory, status, stderr };
  const [refs, format] = await Promise.all([
    refsOf(directory),
    git(["rev-parse", "--show-object-format"], { cwd: directory }),
  ]);
  return { directory, status, stderr: stderr.replace(/'\S*\/c'/, "'c'"), refs, format };
}

describe.each(COMBINATIONS)("over $label", ({ transport, version, format }) => {
  const ours = wayTo(server, transport, version);
  const stock = stockWay(root, version);

  it.each(["empty", ...KINDS.keys()].filter((kind) => kind !== "odd-names"))("%s", async (kind) => {
    const name = `${kind}-${format}.git`;
    const list = (way: Way) => way.git(["ls-remote", "--symref", way.url(name)]);
    expect(await list(ours)).toBe(await once(stock, [name, "list"], () => list(stock)));
    for (const flags of [[], ["--mirror"]]) {
      const [mine, theirs] = await Promise.all([
        cloneAndLook(ours, name, flags),
        once(stock, [name, ...flags], () => cloneAndLook(stock, name, flags)),
      ]);
      expect({ ...mine, directory: "" }).toEqual({ ...theirs, directory: "" });
      if (mine.status !== 0 || flags.length === 0) continue;
      await expectSound(mine.directory);
      expect(await objectsOf(mine.directory)).toEqual(await objectsOf(theirs.directory));
    }
  });

  it("a name that is no UTF-8 survives a push, a listing and a deletion", async () => {
    const name = `pushed-${format}-${transport}-${version}.git`;
    await git(["init", "-q", "--bare", `--object-format=${format}`, `${root}/${name}`]);
    const from = `${root}/odd-names-${format}.git`;
    await ours.git(["push", "-q", ours.url(name), "refs/*:refs/*"], { cwd: from });
    const listed = await git(["for-each-ref", "--format=%(refname)"], { cwd: `${root}/${name}` });
    expect(listed.split("\n")).toContain(BYTES);
    expect(await reachableIn(`${root}/${name}`)).toEqual(await reachableIn(from));
    const copy = `${temporaryDirectory("copy")}/c.git`;
    await git(["clone", "-q", "--mirror", from, copy]);
    await git(["update-ref", "--stdin"], { cwd: copy, input: Buffer.from(`delete ${BYTES}\n`, "latin1") });
    await ours.git(["push", "-q", "--prune", ours.url(name), "refs/heads/*:refs/heads/*"], { cwd: copy });
    const left = await git(["for-each-ref", "--format=%(refname)"], { cwd: `${root}/${name}` });
    expect(left.split("\n")).not.toContain(BYTES);
    expect(left.split("\n").length).toBe(listed.split("\n").length - 1);
    await expectSound(`${root}/${name}`);
  });
});
