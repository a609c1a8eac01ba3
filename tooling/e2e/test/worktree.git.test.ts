import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { startServer } from "./server.ts";
import { stockWay, TRANSPORTS, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
const main = await createTestRepository({ directory: `${root}/main` });
for (const message of ["one", "two", "three"]) await main.commit(message);
await main.git("update-ref", "refs/bisect/bad", "HEAD");
await main.git("update-ref", "refs/worktree/w", "HEAD~1");
await main.git("worktree", "add", "-q", "-b", "side", `${root}/linked`, "HEAD~1");
await main.git("worktree", "add", "-q", "--detach", `${root}/detached`, "HEAD~2");
const inLinked = (...args: string[]) => git(args, { cwd: `${root}/linked` });
await inLinked("update-ref", "refs/bisect/good", "HEAD");
await inLinked("update-ref", "refs/rewritten/r", "HEAD");
await inLinked("symbolic-ref", "refs/heads/to-other", "worktrees/detached/HEAD");
await inLinked("symbolic-ref", "refs/heads/to-main", "main-worktree/refs/bisect/bad");
await main.git("pack-refs", "--all");

// As a submodule has it: `.git` is a file that names the directory.
cpSync(`${root}/main/.git`, `${root}/modules/sub`, { recursive: true });
rmSync(`${root}/modules/sub/worktrees`, { recursive: true });
mkdirSync(`${root}/sub`);
writeFileSync(`${root}/sub/.git`, "gitdir: ../modules/sub\n");

const server = await startServer(root);

describe.each(TRANSPORTS)("work trees over %s", (transport) => {
  it.each(
    ["main", "linked", "detached", "sub"].flatMap((name) =>
      [0, 2].map((version) => [name, version] as const),
    ),
  )("%s is listed as stock git lists it, v%s", async (name, version) => {
    const [ours, stock] = [wayTo(server, transport, version as 0 | 2), stockWay(root, version as 0 | 2)];
    const mine = await ours.git(["ls-remote", "--symref", ours.url(name)]);
    expect(mine).toBe(await stock.git(["ls-remote", "--symref", stock.url(name)]));
    expect(mine).toContain("refs/heads/side\n");
  });

  it("gives each its own HEAD", async () => {
    const way = wayTo(server, transport, 2);
    const directory = temporaryDirectory("clone");
    await way.git(["clone", "-q", way.url("linked"), `${directory}/c`]);
    expect((await git(["symbolic-ref", "HEAD"], { cwd: `${directory}/c` })).trim()).toBe("refs/heads/side");
  });
});
