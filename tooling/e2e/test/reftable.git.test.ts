import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { git, moveToReftable, refsOfRepository, temporaryDirectory, writeReftable } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { objectsOf, refsOf } from "./compare.ts";
import { copyRepository, makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { COMBINATIONS, FORMATS, stockWay, wayTo } from "./way.ts";

// Each repository is there twice: as files, which the old stock git can read too, and as reftables.
const root = temporaryDirectory("root");
for (const format of FORMATS) {
  await makeRich(`${root}/files-${format}.git`, format);
  copyRepository(`${root}/files-${format}.git`, `${root}/tables-${format}.git`);
  await moveToReftable(`${root}/tables-${format}.git`, { objectFormat: format, blockSize: 512 });
}

/** A work tree of the repository of tables, linked as git links them, at `wt` with a branch of its own. */
const linked = `${root}/tables-sha1.git/worktrees/wt`;
mkdirSync(`${linked}/reftable`, { recursive: true });
mkdirSync(`${linked}/refs`);
mkdirSync(`${root}/wt`);
writeFileSync(`${root}/wt/.git`, `gitdir: ${linked}\n`);
writeFileSync(`${linked}/commondir`, "../..\n");
writeFileSync(`${linked}/gitdir`, `${root}/wt/.git\n`);
writeFileSync(`${linked}/HEAD`, "ref: refs/heads/.invalid\n");
writeFileSync(`${linked}/refs/heads`, "this repository uses the reftable format\n");
const lonely = await git(["rev-parse", "lonely"], { cwd: `${root}/files-sha1.git` });
writeFileSync(
  `${linked}/reftable/own.ref`,
  writeReftable([
    { name: "HEAD", value: { symbolic: "refs/heads/lonely" } },
    { name: "refs/bisect/bad", value: { id: lonely } },
  ]),
);
writeFileSync(`${linked}/reftable/tables.list`, "own.ref\n");

const server = await startServer(root);

describe.each(COMBINATIONS)("reftables over $label", ({ transport, version, format }) => {
  const way = wayTo(server, transport, version);
  const stock = stockWay(root, version);
  const tables = `tables-${format}.git`;
  const files = `files-${format}.git`;

  it("are listed as files are", async () => {
    const asked: string[][] = [
      ["--symref", "URL"],
      ["URL", "refs/tags/v*"],
      ["--heads", "URL"],
      ["URL", "HEAD"],
    ];
    for (const words of asked) {
      const args = (base: string) => ["ls-remote", ...words.map((word) => (word === "URL" ? base : word))];
      expect(await way.git(args(way.url(tables)))).toBe(await stock.git(args(stock.url(files))));
    }
  });

  it("are cloned and fetched as files are", async () => {
    const directory = temporaryDirectory("clone");
    await way.git(["clone", "-q", "--mirror", way.url(tables), `${directory}/ours`]);
    await stock.git(["clone", "-q", "--mirror", stock.url(files), `${directory}/theirs`]);
    expect(await refsOf(`${directory}/ours`)).toEqual(await refsOf(`${directory}/theirs`));
    expect(await objectsOf(`${directory}/ours`)).toEqual(await objectsOf(`${directory}/theirs`));
    await way.git(["clone", "-q", "--depth=1", "--branch=lonely", way.url(tables), `${directory}/one`]);
    await way.git(["fetch", "-q", "--unshallow", "origin"], { cwd: `${directory}/one` });
    await git(["fsck", "--strict"], { cwd: `${directory}/one` });
  });
});

describe("a linked work tree of reftables", () => {
  it.each(["git", "http", "stdio"] as const)(
    "is served with its own HEAD and refs, over %s",
    async (transport) => {
      const way = wayTo(server, transport, 2);
      const listed = await way.git(["ls-remote", "--symref", way.url("wt")]);
      expect(listed).toContain(`ref: refs/heads/lonely\tHEAD\n${lonely}\tHEAD\n`);
      expect(listed).toContain(`${lonely}\trefs/bisect/bad\n`);
      expect(await way.git(["ls-remote", way.url("tables-sha1.git"), "refs/bisect/*"])).toBe("");
    },
  );
});

describe("a stack that changes while it is read", () => {
  it("is always one of its states", async () => {
    const directory = `${root}/moving.git`;
    copyRepository(`${root}/files-sha1.git`, directory);
    const entries = await refsOfRepository(directory);
    await moveToReftable(directory);
    const ids = [lonely, await git(["rev-parse", "main"], { cwd: `${root}/files-sha1.git` })];
    const stack = `${directory}/reftable`;
    let round = 0;
    const publish = () => {
      const id = ids[++round % 2] as string;
      const moved = ["a", "b", "c"].map((name) => ({ name: `refs/moving/${name}`, value: { id } }));
      const all = [...entries, ...moved].sort((a, b) => (a.name < b.name ? -1 : 1));
      const name = `table-${round}.ref`;
      writeFileSync(`${stack}/${name}`, writeReftable(all));
      writeFileSync(`${stack}/tables.list.lock`, `${name}\n`);
      renameSync(`${stack}/tables.list.lock`, `${stack}/tables.list`);
    };
    publish();
    const timer = setInterval(publish, 5);
    try {
      const way = wayTo(server, "git", 2);
      const seen = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const lines = (await way.git(["ls-remote", way.url("moving.git"), "refs/moving/*"])).split("\n");
        const found = new Set(lines.map((line) => line.slice(0, 40)).filter((id) => id !== ""));
        expect(lines.filter((line) => line !== "")).toHaveLength(3);
        expect(found.size).toBe(1);
        for (const id of found) seen.add(id);
      }
      expect(seen.size).toBe(2);
    } finally {
      clearInterval(timer);
    }
  });
});
