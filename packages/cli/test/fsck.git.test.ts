import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { deflateSync } from "node:zlib";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

async function fsck(...argv: string[]) {
  const terminal = new FakeTerminal();
  const status = await main(["fsck", ...argv], terminal);
  return { status, out: terminal.out.split("\n").filter(Boolean).sort(), err: terminal.err };
}

/** What stock git says, without what it says of things we do not look at. */
async function gitFsck(directory: string, ...flags: string[]) {
  const { status, stdout } = await tryGit(["fsck", "--full", "--no-progress", ...flags], { cwd: directory });
  return { status, out: stdout.split("\n").filter(Boolean).sort() };
}

/** A bare repository with three commits, files and a tag. */
async function newRepository(format: "sha1" | "sha256" = "sha1") {
  const source = await createTestRepository({ objectFormat: format });
  for (const name of ["one", "two", "three"]) {
    mkdirSync(`${source.directory}/dir`, { recursive: true });
    writeFileSync(`${source.directory}/dir/${name}`, `${name}\n`.repeat(500));
    await git(["add", "."], { cwd: source.directory });
    await source.commit(name);
  }
  await git(["tag", "-a", "-m", "tag", "v1"], { cwd: source.directory });
  const directory = `${temporaryDirectory("bare")}/r.git`;
  await git(["clone", "-q", "--bare", source.directory, directory]);
  return directory;
}

const idOf = async (directory: string, name: string) =>
  (await git(["rev-parse", name], { cwd: directory })).trim();
const loose = (directory: string, id: string) => `${directory}/objects/${id.slice(0, 2)}/${id.slice(2)}`;

/** A loose object with its right name, whatever is in it. */
function writeLoose(directory: string, type: string, data: string | Buffer): string {
  const content = Buffer.concat([Buffer.from(`${type} ${Buffer.byteLength(data)}\0`), Buffer.from(data)]);
  const id = createHash("sha1").update(content).digest("hex");
  mkdirSync(`${directory}/objects/${id.slice(0, 2)}`, { recursive: true });
  writeFileSync(loose(directory, id), deflateSync(content));
  return id;
}

describe("xgit fsck", () => {
  it.each(["sha1", "sha256"] as const)(
    "finds nothing wrong with a good repository (%s), loose or packed",
    async (format) => {
      const directory = await newRepository(format);
      const good = { status: 0, out: [], err: "" };
      expect(await fsck(directory)).toEqual(good);
      await git(["repack", "-adq", "--depth=10", "--window=10"], { cwd: directory });
      expect(await fsck(directory)).toEqual(good);
      await git(["pack-refs", "--all"], { cwd: directory });
      expect(await fsck("--strict", directory)).toEqual(good);
    },
  );

  it("says as git does what is missing, and from where", async () => {
    const directory = await newRepository();
    const [blob, tree] = [await idOf(directory, "HEAD:dir/one"), await idOf(directory, "HEAD~1:dir")];
    for (const id of [blob, tree]) rmSync(loose(directory, id));
    const { status, out } = await fsck(directory);
    expect(status).toBe(2);
    expect(out).toContain(`missing blob ${blob}`);
    expect(out).toContain(`missing tree ${tree}`);
    const missing = (lines: readonly string[]) => lines.filter((line) => line.startsWith("missing"));
    const theirs = await gitFsck(directory);
    expect([theirs.status, missing(theirs.out)]).toEqual([2, missing(out)]);
    expect(out.filter((line) => line.startsWith("broken link from")).length).toBe(2);
  });

  it("tells as git does of objects that nothing leads to", async () => {
    const directory = await newRepository();
    await git(["update-ref", "refs/heads/main", "HEAD~1"], { cwd: directory });
    await git(["update-ref", "-d", "refs/tags/v1"], { cwd: directory });
    await git(["hash-object", "-w", "--stdin"], { cwd: directory, input: "nobody's\n" });
    const { status, out } = await fsck(directory);
    const theirs = await gitFsck(directory);
    expect([status, out]).toEqual([theirs.status, theirs.out]);
    expect(out.length).toBeGreaterThan(1);
    expect((await fsck("--no-dangling", directory)).out).toEqual([]);
  });

  it.each([
    ["cut short", (file: string) => truncateSync(file, 20)],
    ["empty", (file: string) => truncateSync(file, 0)],
    ["another object", (file: string) => writeFileSync(file, deflateSync("blob 1\0x"))],
    [
      "followed by something",
      (file: string) => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from("x")])),
    ],
    ["no object", (file: string) => writeFileSync(file, deflateSync("blob 3\0x"))],
  ])("finds a loose object that is %s", async (_, harm) => {
    const directory = await newRepository();
    const id = await idOf(directory, "HEAD:dir/one");
    chmodSync(loose(directory, id), 0o644);
    harm(loose(directory, id));
    const { status, err } = await fsck(directory);
    expect(status & 1).toBe(1);
    expect(err).toContain(`error: ${id}: `);
    expect(((await gitFsck(directory)).status ?? 0) & 3).not.toBe(0);
  });

  it("finds every bit that has turned in a pack or its index", async () => {
    const directory = await newRepository();
    await git(["repack", "-adq"], { cwd: directory });
    const [name = ""] = readdirSync(`${directory}/objects/pack`).filter((file) => file.endsWith(".pack"));
    for (const file of [name, name.replace("pack", "pack").replace(/pack$/, "idx")]) {
      const path = `${directory}/objects/pack/${file}`;
      chmodSync(path, 0o644);
      const whole = readFileSync(path);
      const step = Math.max(1, Math.floor(whole.length / 12));
      for (let at = 0; at < whole.length; at += step) {
        const harmed = Buffer.from(whole);
        harmed[at] = (harmed[at] ?? 0) ^ 0x10;
        writeFileSync(path, harmed);
        const { status, err } = await fsck(directory).catch((error: unknown) => ({
          status: 128,
          err: String(error),
        }));
        expect([file, at, status & 4 || status === 128, err !== ""]).toEqual([
          file,
          at,
          expect.anything(),
          true,
        ]);
        expect([at, status]).not.toEqual([at, 0]);
      }
      writeFileSync(path, whole);
    }
    expect((await fsck(directory)).status).toBe(0);
  }, 60_000);

  it("finds a pack that is cut short, and an index without a pack", async () => {
    const directory = await newRepository();
    await git(["repack", "-adq"], { cwd: directory });
    const [name = ""] = readdirSync(`${directory}/objects/pack`).filter((file) => file.endsWith(".pack"));
    const path = `${directory}/objects/pack/${name}`;
    chmodSync(path, 0o644);
    truncateSync(path, readFileSync(path).length - 30);
    const cut = await fsck(directory);
    expect(cut.status & 4).toBe(4);
    expect(cut.err).toContain(`error: objects/pack/${name}: `);
    renameSync(path, `${path}.away`);
    const stray = await fsck(directory);
    expect(stray.status & 4).toBe(4);
    expect(stray.err).toContain("there is no such pack");
  });

  it("finds what git would not take, and heeds fsck.<msg-id>", async () => {
    const directory = await newRepository();
    const tree = await idOf(directory, "HEAD^{tree}");
    const bad = writeLoose(
      directory,
      "commit",
      `tree ${tree}\nauthor a <a@b> 1 +0000\ncommitter nobody\n\nx\n`,
    );
    writeFileSync(`${directory}/refs/heads/bad`, `${bad}\n`);
    const found = await fsck(directory);
    expect(found.status).toBe(1);
    expect(found.err).toMatch(new RegExp(`error in commit ${bad}: missingEmail: `));
    expect((await gitFsck(directory)).status).toBe(1);
    await git(["config", "fsck.missingEmail", "ignore"], { cwd: directory });
    expect(await fsck(directory)).toMatchObject({ status: 0, err: "" });
    const padded = Buffer.concat([
      Buffer.from("040000 dir\0"),
      Buffer.from(await idOf(directory, "HEAD:dir"), "hex"),
    ]);
    const id = writeLoose(directory, "tree", padded);
    const warned = await fsck("--no-dangling", directory);
    expect(warned).toMatchObject({
      status: 0,
      err: expect.stringContaining(`warning in tree ${id}: zeroPaddedFilemode`),
    });
    expect((await fsck("--strict", "--no-dangling", directory)).status).toBe(1);
  });

  it("finds refs that lead nowhere, hold nothing, or are branches of no commits", async () => {
    const directory = await newRepository();
    writeFileSync(`${directory}/refs/heads/nowhere`, `${"12".repeat(20)}\n`);
    const pointer = await fsck(directory);
    expect(pointer.status).toBe(2);
    expect(pointer.err).toContain(`error: refs/heads/nowhere: invalid sha1 pointer ${"12".repeat(20)}`);
    rmSync(`${directory}/refs/heads/nowhere`);
    writeFileSync(`${directory}/refs/heads/garbage`, "garbage\n");
    const garbage = await fsck(directory);
    expect(garbage.status).toBe(8);
    expect(garbage.err).toContain('refs/heads/garbage: badRefContent: "garbage\\n"');
    rmSync(`${directory}/refs/heads/garbage`);
    writeFileSync(`${directory}/refs/heads/tree`, `${await idOf(directory, "HEAD^{tree}")}\n`);
    const tree = await fsck(directory);
    expect(tree.status & 8).toBe(8);
    expect(tree.err).toContain("error: refs/heads/tree: not a commit");
  });

  it("has nothing against shallow, borrowed, promised and empty repositories", async () => {
    const directory = await newRepository();
    const shallow = `${temporaryDirectory("clones")}/shallow.git`;
    await git(["clone", "-q", "--bare", "--depth=1", `file://${directory}`, shallow]);
    expect(await fsck(shallow)).toMatchObject({ status: 0, err: "" });
    const borrowed = `${temporaryDirectory("clones")}/borrowed.git`;
    await git(["clone", "-q", "--bare", "--shared", directory, borrowed]);
    expect(await fsck(borrowed)).toMatchObject({ status: 0, err: "" });
    await git(["config", "uploadpack.allowFilter", "true"], { cwd: directory });
    const partial = `${temporaryDirectory("clones")}/partial.git`;
    await git(["clone", "-q", "--bare", "--filter=blob:none", `file://${directory}`, partial]);
    expect(await fsck(partial)).toMatchObject({ status: 0, err: "" });
    const empty = `${temporaryDirectory("clones")}/empty.git`;
    expect(await main(["init", "-q", empty], new FakeTerminal())).toBe(0);
    expect(await fsck(empty)).toMatchObject({
      status: 0,
      err: "notice: HEAD points to an unborn branch (main)\nnotice: No default references\n",
    });
  });

  it("shows progress when it is told to, and refuses what is no repository", async () => {
    expect((await fsck("--progress", await newRepository())).err).toMatch(/\rChecking objects: \d+/);
    const nothing = temporaryDirectory("nothing");
    expect(await fsck(nothing)).toMatchObject({
      status: 128,
      err: `fatal: not a git repository: '${nothing}'\n`,
    });
  });
});
