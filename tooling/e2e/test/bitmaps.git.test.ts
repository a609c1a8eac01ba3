import { readdirSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, objectsOf, refsOf } from "./compare.ts";
import { grow, makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { FORMATS, stockWay, type Way, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
for (const format of FORMATS) {
  const directory = `${root}/${format}.git`;
  await makeRich(directory, format);
  await git(["repack", "-adbq"], { cwd: directory });
  if (!readdirSync(`${directory}/objects/pack`).some((name) => name.endsWith(".bitmap")))
    throw new Error("git wrote no bitmaps");
}
const server = await startServer(root);

const CLONES: readonly string[][] = [
  ["--mirror"],
  ["--single-branch"],
  ["--branch=v1"],
  ["--no-tags", "--single-branch"],
  ["--depth=2"],
  ["--bare", "--filter=blob:none"],
];

describe.each(FORMATS.flatMap((format) => ([0, 2] as const).map((version) => ({ format, version }))))(
  "a repository with bitmaps, $format, version $version",
  ({ format, version }) => {
    const ours = wayTo(server, "git", version);
    const stock = stockWay(root, version);
    const clone = async (way: Way, flags: readonly string[]) => {
      const directory = `${temporaryDirectory("clone")}/c`;
      await way.git(["clone", "-q", ...flags, way.url(`${format}.git`), directory]);
      return directory;
    };
    const same = async (one: string, other: string) => {
      expect(await objectsOf(one)).toEqual(await objectsOf(other));
      expect(await refsOf(one)).toEqual(await refsOf(other));
    };

    it.each(CLONES)("is cloned as from stock git: %s", async (...flags) => {
      await git(["config", "uploadpack.allowFilter", "true"], { cwd: `${root}/${format}.git` });
      const [mine, theirs] = await Promise.all([clone(ours, flags), clone(stock, flags)]);
      await same(mine, theirs);
      if (!flags.includes("--filter=blob:none")) await expectSound(mine);
    });

    it("is fetched from as from stock git when it has grown, with tags that ride along", async () => {
      const [mine, theirs] = await Promise.all([clone(ours, []), clone(stock, [])]);
      const tip = await grow(`${root}/${format}.git`, "main", 7);
      const repository = { cwd: `${root}/${format}.git` };
      await git(["tag", "-a", "-m", "new", `new-${version}`, tip], repository);
      for (const [way, directory] of [
        [ours, mine],
        [stock, theirs],
      ] as const)
        await way.git(["-C", directory, "fetch", "-q", "origin"]);
      await same(mine, theirs);
      expect((await refsOf(mine)).some((line) => line.startsWith(`refs/tags/new-${version} `))).toBe(true);
      await expectSound(mine);
    });
  },
);
