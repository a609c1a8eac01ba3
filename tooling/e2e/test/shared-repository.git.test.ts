import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { BIN } from "./server.ts";

const root = temporaryDirectory("shared-repository");
let work: Awaited<ReturnType<typeof createTestRepository>>;
beforeAll(async () => {
  work = await createTestRepository();
  for (let i = 1; i <= 3; i++) await work.commit(`${i}`, { a: `${i}\n`, [`f${i}`]: `${i}\n` });
});

/** The name for one of a kind: what is in it differs from push to push, or is ours alone. */
function kindOf(path: string): string {
  return path.replace(/^objects\/[0-9a-f]{2}(?=\/|$)/, "objects/XX").replace(/[0-9a-f]{38,64}/, "ID");
}

/** The modes of everything in a repository that a push made. */
function modesOf(directory: string, before: ReadonlySet<string>): ReadonlyMap<string, string> {
  const modes = new Map<string, string>();
  for (const path of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    if (before.has(path)) continue;
    modes.set(kindOf(path), (lstatSync(`${directory}/${path}`).mode & 0o7777).toString(8));
  }
  return modes;
}

/** Two pushes under a umask that lets nobody else in; gives the modes of what is new. */
async function push(how: "stock" | "ours", shared: string | undefined, unpack: boolean) {
  const directory = `${root}/${how}-${shared}-${unpack}`;
  await git(["init", "-q", "--bare", directory]);
  const there = (...args: string[]) => git(args, { cwd: directory });
  if (shared !== undefined) await there("config", "core.sharedRepository", shared);
  await there("config", "core.logAllRefUpdates", "always");
  await there("config", "pack.writeReverseIndex", "true");
  await there("config", "receive.unpackLimit", unpack ? "100" : "1");
  const receiver = `${root}/${how}.sh`;
  const command = how === "stock" ? "git receive-pack" : `${process.execPath} ${BIN} receive-pack`;
  writeFileSync(receiver, `#!/bin/sh\numask 077\nexec ${command} "$@"\n`);
  chmodSync(receiver, 0o755);
  const before = new Set(readdirSync(directory, { recursive: true, encoding: "utf8" }));
  const to = (...specs: string[]) =>
    tryGit(["push", "-q", `--receive-pack=${receiver}`, directory, ...specs], { cwd: work.directory });
  for (const specs of [
    ["main~1:refs/heads/main", "main~2:refs/heads/deep/er/one", "main~2:refs/heads/gone"],
    ["main:refs/heads/main"],
  ])
    expect((await to(...specs)).stderr).toBe("");
  await there("pack-refs", "--all", "--no-prune");
  chmodSync(`${directory}/packed-refs`, 0o600);
  expect((await to(":refs/heads/gone")).stderr).toBe("");
  return { modes: modesOf(directory, before) };
}

describe("what is made in a repository that several users share", () => {
  for (const shared of ["group", "all", "0640", undefined])
    for (const unpack of [false, true])
      it(`has the modes that C git gives it: ${shared}, ${unpack ? "loose objects" : "packs"}`, async () => {
        const stock = await push("stock", shared, unpack);
        const ours = await push("ours", shared, unpack);
        const extra = [...ours.modes].filter(([path]) => !stock.modes.has(path));
        expect(ours.modes.size).toBe(stock.modes.size + 1);
        const common = [...ours.modes].filter(([path]) => stock.modes.has(path));
        expect(new Map(common)).toEqual(new Map([...stock.modes].filter(([path]) => ours.modes.has(path))));
        // Nothing that C git makes is wanting.
        expect([...stock.modes.keys()].filter((path) => !ours.modes.has(path))).toEqual([]);
        // What is ours alone lets in whom the rest lets in.
        for (const [path, mode] of extra) expect([path, mode]).toEqual([path, stock.modes.get("logs/refs")]);
        expect(extra.map(([path]) => path)).toEqual(["xgit-journal"]);
        expect(common.length).toBeGreaterThan(10);
      });

  it.each(["group", "0640"])("is read by clients of the dumb protocol: %s", async (shared) => {
    const made = async (how: string, command: string) => {
      const directory = `${root}/info-${how}-${shared}`;
      await git(["clone", "-q", "--bare", work.directory, directory]);
      await git(["config", "core.sharedRepository", shared], { cwd: directory });
      execFileSync("sh", ["-c", `umask 077; rm -rf info objects/info; ${command}`], { cwd: directory });
      return ["info", "info/refs", "objects/info", "objects/info/packs"].map((path) =>
        (lstatSync(`${directory}/${path}`).mode & 0o7777).toString(8),
      );
    };
    const ours = await made("ours", `${process.execPath} ${BIN} update-server-info`);
    expect(ours).toEqual(await made("stock", "git update-server-info"));
  });

  it("lets other processes see that a pack is guarded", async () => {
    const directory = `${root}/guarded`;
    await git(["init", "-q", "--bare", directory]);
    await git(["config", "core.sharedRepository", "group"], { cwd: directory });
    await git(["config", "receive.unpackLimit", "1"], { cwd: directory });
    const hook = `${directory}/hooks/reference-transaction`;
    writeFileSync(hook, "#!/bin/sh\nstat -c %a objects/pack/*.keep >>modes\n");
    chmodSync(hook, 0o755);
    const receiver = `${root}/guarded.sh`;
    writeFileSync(receiver, `#!/bin/sh\numask 077\nexec ${process.execPath} ${BIN} receive-pack "$@"\n`);
    chmodSync(receiver, 0o755);
    await git(["push", "-q", `--receive-pack=${receiver}`, directory, "main"], { cwd: work.directory });
    expect(new Set(readFileSync(`${directory}/modes`, "utf8").trim().split("\n"))).toEqual(new Set(["440"]));
  });

  it("refuses what would shut its owner out", async () => {
    const directory = `${root}/bad`;
    execFileSync("git", ["init", "-q", "--bare", directory]);
    await git(["config", "core.sharedRepository", "0440"], { cwd: directory });
    const receiver = `--receive-pack=${process.execPath} ${BIN} receive-pack`;
    const said = await tryGit(["push", receiver, directory, "main"], { cwd: work.directory });
    expect(said.status).not.toBe(0);
    expect(said.stderr).toContain("owners must always have read and write permissions");
  });
});
