import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { createWorkerPool } from "../src/pool/worker-pool.ts";
import { LooseScanner } from "../src/refs/loose-scan.ts";
import { findRepository } from "../src/repository/layout.ts";
import { openRepository } from "../src/repository/open-repository.ts";
import { listAll, openRefs } from "./open-refs.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);

function makeScanner() {
  const directory = temporaryDirectory("loose");
  mkdirSync(`${directory}/refs/heads/deep/er`, { recursive: true });
  const scanner = new LooseScanner();
  let looks = 0;
  const scan = (known?: string, prefixes: readonly string[] = [""]) =>
    scanner.scan(
      { gitDirectory: directory, commonDirectory: directory, format: "sha1", prefixes, known },
      async () => {
        looks++;
      },
    );
  const write = (name: string, text: string) => writeFileSync(`${directory}/refs/heads/${name}`, text);
  return { directory, scan, write, looks: () => looks };
}

describe("LooseScanner", () => {
  it("gives lines in byte order, and none when nothing has changed", async () => {
    const { scan, write, directory } = makeScanner();
    write("b", `${A}\n`);
    write("deep/er/x", `${B}\n`);
    write("a", "ref: refs/heads/b\n");
    symlinkSync("refs/heads/b", `${directory}/refs/heads/link`);
    const first = await scan();
    expect(first.lines).toBe(
      `ref: refs/heads/b refs/heads/a\n${A} refs/heads/b\n${B} refs/heads/deep/er/x\nref: refs/heads/b refs/heads/link\n`,
    );
    expect(await scan(first.serial)).toEqual({
      serial: first.serial,
      lines: undefined,
      looks: 7,
      warnings: [],
    });
    expect((await scan("other")).lines).toBe(first.lines);
  });

  it("sees a file rewritten in place, as soon as it was and long after", async () => {
    const { scan, write, directory } = makeScanner();
    write("x", `${A}\n`);
    for (let i = 0; i < 50; i++) {
      const id = i.toString(16).padStart(40, "0");
      write("x", `${id}\n`);
      expect((await scan()).lines).toBe(`${id} refs/heads/x\n`);
    }
    const path = `${directory}/refs/heads/x`;
    utimesSync(path, 1000, 1000);
    const before = await scan();
    writeFileSync(path, `${B}\n`);
    // Times that lie: the change of the inode itself still shows.
    utimesSync(path, 1000, 1000);
    expect((await scan(before.serial)).lines).toBe(`${B} refs/heads/x\n`);
    rmSync(path);
    expect((await scan()).lines).toBe("");
  });

  it("looks at no more than the prefixes need", async () => {
    const { scan, write, looks } = makeScanner();
    for (let i = 0; i < 20; i++) write(`n${i}`, `${A}\n`);
    write("deep/er/x", `${B}\n`);
    expect((await scan(undefined, ["refs/heads/deep/"])).lines).toBe(`${B} refs/heads/deep/er/x\n`);
    expect(looks()).toBe(4);
    expect((await scan(undefined, ["refs/heads/n1", "refs/tags/"])).lines?.split("\n")).toHaveLength(12);
  });

  it("passes over what is no ref, and says so where C git does", async () => {
    const { scan, write } = makeScanner();
    write("empty", "");
    write("garbage", "garbage\n");
    write("bad..name", `${A}\n`);
    write("left.lock", `${A}\n`);
    write(".hidden", `${A}\n`);
    write("large", "x".repeat(10_000));
    write("short", A.slice(1));
    write("good", A);
    const { lines, warnings } = await scan();
    expect(lines).toBe(
      ["empty", "garbage"].map((name) => `broken refs/heads/${name}\n`).join("") +
        `${A} refs/heads/good\nbroken refs/heads/large\nbroken refs/heads/short\n`,
    );
    expect([...warnings].sort()).toEqual([
      "ignoring broken ref refs/heads/empty",
      "ignoring broken ref refs/heads/garbage",
      "ignoring broken ref refs/heads/large",
      "ignoring broken ref refs/heads/short",
      "ignoring ref with broken name refs/heads/bad..name",
    ]);
  });
});

describe("a broken loose ref", () => {
  it.each(["", "junk\n"])("hides the packed one, as in C git: %j", async (text) => {
    const repository = await createTestRepository();
    await repository.commit("one");
    for (const name of ["a", "x", "z"]) await repository.git("branch", name);
    await repository.git("pack-refs", "--all");
    for (const name of ["x", "zz"]) writeFileSync(`${repository.gitDirectory}/refs/heads/${name}`, text);
    const warnings: string[] = [];
    const refs = await openRefs(repository.directory, warnings);
    const names = (await listAll(refs)).map(({ name }) => name);
    expect(names).toEqual(["refs/heads/a", "refs/heads/main", "refs/heads/z"]);
    expect(await refs.get("refs/heads/x")).toBeUndefined();
    expect(warnings).toContain("ignoring broken ref refs/heads/x");
  });
});

describe("the state of refs", () => {
  it("changes with every ref and with HEAD, and with nothing else", async () => {
    const repository = await createTestRepository();
    await repository.commit("one");
    await repository.commit("two");
    const refs = await openRefs(repository.directory);
    const states = [await refs.state?.()];
    expect(await refs.state?.()).toBe(states[0]);
    for (const args of [
      ["branch", "new", "HEAD~1"],
      ["update-ref", "refs/heads/new", "HEAD"],
      ["pack-refs", "--all"],
      ["update-ref", "refs/heads/new", "HEAD~1"],
      ["update-ref", "-d", "refs/heads/new"],
      ["symbolic-ref", "HEAD", "refs/heads/unborn"],
    ]) {
      await repository.git(...args);
      const state = await refs.state?.();
      expect(states).not.toContain(state);
      expect(await refs.state?.()).toBe(state);
      states.push(state);
    }
  });
});

it("lists the same from a worker as from here", async () => {
  const repository = await createTestRepository();
  const id = await repository.commit("one");
  const input = Array.from({ length: 300 }, (_, i) => `create refs/heads/n/${i} ${id}\n`).join("");
  await git(["update-ref", "--stdin"], { cwd: repository.directory, input });
  await repository.git("update-ref", "refs/heads/\xff", "HEAD");
  const here = await openRefs(repository.directory);
  const layout = await findRepository(repository.directory);
  if (layout === undefined) throw new Error("no repository");
  const pool = createWorkerPool();
  const { refs } = await openRepository(layout, pool);
  expect(await listAll(refs)).toEqual(await listAll(here));
  expect(await listAll(refs, ["refs/heads/n/2"])).toHaveLength(111);
  await repository.git("branch", "-D", "-q", "n/7");
  expect(await listAll(refs)).toEqual(await listAll(here));
  await pool.close();
});
