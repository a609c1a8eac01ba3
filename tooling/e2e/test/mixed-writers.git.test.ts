import { renameSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { expectSound, leftoversIn, reachableIn } from "./compare.ts";
import { copyRepository, grow, makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { FORMATS, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
const rich = temporaryDirectory("rich");
for (const format of FORMATS) await makeRich(`${rich}/${format}.git`, format);
const server = await startServer(root);

/** What C git does to a repository to keep it in shape. */
const UPKEEP: readonly (readonly string[])[] = [
  ["repack", "-adq"],
  ["pack-refs", "--all"],
  ["gc", "-q"],
  ["repack", "-adfq"],
  ["commit-graph", "write", "--reachable"],
  ["repack", "-dq"],
  ["multi-pack-index", "write"],
  ["gc", "-q", "--aggressive"],
];

describe.each(FORMATS)("%s", (format) => {
  it("C git's upkeep while we serve clones and take pushes: none of them fails", async () => {
    const name = `busy-${format}.git`;
    const there = copyRepository(`${rich}/${format}.git`, `${root}/${name}`);
    const failures: string[] = [];
    let working = true;
    const note = (what: string, { status, stderr }: { status: number; stderr: string }) => {
      if (status !== 0) failures.push(`${what}: ${stderr}`);
    };
    const upkeep = async () => {
      let round = 0;
      // Not by the clock: until the others are done.
      for (; working; round++) {
        const args = UPKEEP[round % UPKEEP.length] as string[];
        note(args.join(" "), await tryGit(args, { cwd: there }));
      }
      return round;
    };
    const clones = async (transport: "git" | "http") => {
      const way = wayTo(server, transport, 2);
      for (let i = 0; i < 8; i++) {
        const directory = `${temporaryDirectory("clone")}/c`;
        note("clone", await way.tryGit(["clone", "-q", "--mirror", way.url(name), directory]));
        note("fsck", await tryGit(["fsck", "--strict"], { cwd: directory }));
      }
    };
    const pushes = async (transport: "git" | "http") => {
      const way = wayTo(server, transport, 0);
      const directory = `${temporaryDirectory("work")}/w`;
      await git(["clone", "-q", "--bare", `${rich}/${format}.git`, directory]);
      const tips: string[] = [];
      for (let i = 0; i < 8; i++) {
        const tip = await grow(directory, "main", 3);
        // Nothing is deleted: repack -ad drops at once what no ref holds, whoever may be reading it.
        note(
          "push",
          await way.tryGit(["push", "-q", way.url(name), `main:refs/heads/${transport}/${i}`], {
            cwd: directory,
          }),
        );
        tips.push(`${tip} refs/heads/${transport}/${i}`);
      }
      return tips;
    };
    const maintained = upkeep();
    const [, , fromGit, fromHttp] = await Promise.all([
      clones("git"),
      clones("http"),
      pushes("git"),
      pushes("http"),
    ]);
    working = false;
    expect(await maintained).toBeGreaterThan(3);
    expect(failures).toEqual([]);
    await expectSound(there);
    expect(leftoversIn(there)).toEqual([]);
    const list = (await git(["for-each-ref", "--format=%(objectname) %(refname)"], { cwd: there })).split(
      "\n",
    );
    expect(list).toEqual(expect.arrayContaining([...fromGit, ...fromHttp]));
    expect(list.filter((line) => /refs\/heads\/(?:git|http)\//.test(line))).toHaveLength(
      fromGit.length + fromHttp.length,
    );
  });

  it("C git and we in turn: what one wrote, the other serves at once", async () => {
    const name = `turns-${format}.git`;
    const there = copyRepository(`${rich}/${format}.git`, `${root}/${name}`);
    const work = `${temporaryDirectory("work")}/w`;
    await git(["clone", "-q", "--mirror", there, work]);
    for (const [i, args] of [...UPKEEP, ["prune", "--expire=now"]].entries()) {
      const way = wayTo(server, i % 2 === 0 ? "git" : "http", i % 3 === 0 ? 0 : 2);
      const direct = await grow(there, "lonely", 1);
      expect((await way.git(["ls-remote", way.url(name), "refs/heads/lonely"])).split("\t")[0]).toBe(direct);
      await way.git(["fetch", "-q", way.url(name), "+refs/heads/lonely:refs/heads/lonely"], { cwd: work });
      expect(await git(["rev-parse", "lonely"], { cwd: work })).toBe(direct);
      const pushed = await grow(work, "main", 1);
      await way.git(["push", "-q", way.url(name), "main"], { cwd: work });
      expect(await git(["rev-parse", "main"], { cwd: there })).toBe(pushed);
      await git(args, { cwd: there });
      expect((await way.git(["ls-remote", way.url(name), "refs/heads/main"])).split("\t")[0]).toBe(pushed);
      await expectSound(there);
    }
    const way = wayTo(server, "git", 2);
    await way.git(["fetch", "-q", "--prune", way.url(name), "+refs/*:refs/*"], { cwd: work });
    expect(await reachableIn(work)).toEqual(await reachableIn(there));
  });

  it("a repository that is taken away and comes back", async () => {
    const name = `gone-${format}.git`;
    const there = copyRepository(`${rich}/${format}.git`, `${root}/${name}`);
    const way = wayTo(server, "git", 2);
    const before = await way.git(["ls-remote", way.url(name)]);
    await git(["clone", "-q", "--mirror", there, `${root}/other-${name}`]);
    renameSync(there, `${there}.away`);
    expect((await way.tryGit(["ls-remote", way.url(name)])).status).toBe(128);
    renameSync(`${root}/other-${name}`, there);
    await grow(there, "main", 2);
    expect(await way.git(["ls-remote", way.url(name)])).not.toBe(before);
    const clone = `${temporaryDirectory("clone")}/c`;
    await way.git(["clone", "-q", "--mirror", way.url(name), clone]);
    expect(await reachableIn(clone)).toEqual(await reachableIn(there));
  });
});
