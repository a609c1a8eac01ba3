import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { git, tryGit } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, ReceiveFsck, TakePackOptions } from "@x/objects";
import { parseFsckConfig } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkerPool, type WorkerPool } from "../src/index.ts";
import { emptyRepository, gitPack, inPieces, type MadeRepository, storeOf } from "./made-repository.ts";

let pool: WorkerPool;
beforeAll(() => {
  pool = createWorkerPool({ heavyWorkers: 1 });
});
afterAll(() => pool.close());

type Made = Pick<MadeRepository, "directory" | "format" | "git">;

const write = async ({ directory }: Made, type: string, data: string | Uint8Array) =>
  (await git(["hash-object", "-w", "--stdin", "-t", type, "--literally"], {
    cwd: directory,
    input: data,
  })) as ObjectId;

async function packOf({ directory }: Made, ids: readonly string[], ...flags: readonly string[]) {
  const { stdout } = await tryGit(["pack-objects", "-q", "--stdout", ...flags], {
    cwd: directory,
    input: ids.map((id) => `${id}\n`).join(""),
  });
  return Buffer.from(stdout, "latin1");
}

/** Takes a pack in, and says what came of it. */
async function taken(to: Made, pack: Uint8Array, options: Omit<TakePackOptions, "limits"> = {}) {
  const quarantine = await storeOf(pool, to).receive();
  const said: string[] = [];
  const onMessage = (text: string) => void said.push(text);
  try {
    const receipt = await quarantine.takePack(inPieces(pack, 5000), { limits: {}, onMessage, ...options });
    return { objects: receipt.objects, said };
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    return { failed: { code, message }, said };
  } finally {
    await quarantine.discard();
  }
}

describe.each<ObjectFormat>(["sha1", "sha256"])("objects that exist already, %s", (format) => {
  const text = (name: string) => Array.from({ length: 400 }, (_, i) => `${name} ${i}\n`).join("");

  /** Plants a loose object under a name that is not its own. */
  function plant(to: Made, id: string, type: string, data: string | Uint8Array): void {
    const path = join(to.directory, "objects", id.slice(0, 2), id.slice(2));
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    writeFileSync(
      path,
      deflateSync(Buffer.concat([Buffer.from(`${type} ${data.length}\0`), Buffer.from(data)])),
    );
  }

  it("are taken in again", async () => {
    const from = await emptyRepository(format);
    const large = Buffer.alloc(3 << 20, "0123456789abcdef\n");
    const ids = [
      await write(from, "blob", text("a")),
      await write(from, "blob", `${text("a")}more\n`),
      await write(from, "blob", ""),
      await write(from, "blob", large),
    ];
    const loose = await emptyRepository(format);
    const packed = await emptyRepository(format);
    const pack = await packOf(from, ids);
    await git(["unpack-objects", "-q"], { cwd: loose.directory, input: pack });
    await git(["index-pack", "--stdin"], { cwd: packed.directory, input: pack });
    for (const to of [loose, packed])
      for (const again of [pack, await packOf(from, ids, "--window=0")])
        expect(await taken(to, again)).toEqual({ objects: 4, said: [] });
  });

  it("are not replaced by others of the same name", async () => {
    const from = await emptyRepository(format);
    const small = await write(from, "blob", text("a"));
    const delta = await write(from, "blob", `${text("a")}more\n`);
    const large = await write(from, "blob", Buffer.alloc(3 << 20, "0123456789abcdef\n"));
    const pack = await packOf(from, [small, delta, large]);
    const cases: readonly (readonly [ObjectId, string, string | Uint8Array])[] = [
      [small, "blob", text("b")],
      [small, "tree", text("a")],
      [small, "blob", `${text("a")}x`],
      [delta, "blob", `${text("a")}less\n`],
      [large, "blob", Buffer.concat([Buffer.alloc((3 << 20) - 1, "0123456789abcdef\n"), Buffer.from("!")])],
    ];
    for (const [id, type, data] of cases) {
      const to = await emptyRepository(format);
      plant(to, id, type, data);
      const message = `SHA1 COLLISION FOUND WITH ${id} !`;
      expect(await taken(to, pack)).toEqual({ failed: { code: "objects/bad-pack", message }, said: [] });
    }
  });

  it("that cannot be read are not passed over", async () => {
    const from = await emptyRepository(format);
    const id = await write(from, "blob", text("a"));
    const to = await emptyRepository(format);
    plant(to, id, "blob", text("a"));
    writeFileSync(join(to.directory, "objects", id.slice(0, 2), id.slice(2)), "no stream");
    expect(await taken(to, await packOf(from, [id]))).toMatchObject({
      failed: { code: "objects/bad-pack", message: `cannot read existing object ${id}` },
    });
  });

  it("may be the bases of a thin pack", async () => {
    const from = await emptyRepository(format);
    const base = await write(from, "blob", text("a"));
    const tree = (blob: string) =>
      git(["mktree"], { cwd: from.directory, input: `100644 blob ${blob}\tfile\n` });
    const commit = async (blob: string, ...parents: string[]) =>
      git(["commit-tree", await tree(blob), ...parents], { cwd: from.directory, input: "x\n" });
    const first = await commit(base);
    const second = await commit(await write(from, "blob", `${text("a")}more\n`), "-p", first);
    const to = await emptyRepository(format);
    await git(["unpack-objects", "-q"], { cwd: to.directory, input: await gitPack(from.directory, [first]) });
    const thin = await gitPack(from.directory, [second, `^${first}`], "--thin");
    expect(await taken(to, thin)).toEqual({ objects: 3, said: [] });
  });
});

describe.each<ObjectFormat>(["sha1", "sha256"])(
  "what git's fsck has against received objects, %s",
  (format) => {
    let from: Made;
    let to: Made;
    let tree: ObjectId;
    beforeAll(async () => {
      from = await emptyRepository(format);
      to = await emptyRepository(format);
      tree = (await git(["mktree"], { cwd: from.directory, input: "" })) as ObjectId;
    });

    const strict = (settings: Readonly<Record<string, string>> = {}): ReceiveFsck =>
      parseFsckConfig(
        Object.entries(settings).map(([key, value]) => ({ key: `receive.fsck.${key.toLowerCase()}`, value })),
      );
    const commitWith = (line: string) =>
      write(from, "commit", `tree ${tree}\nauthor A <a@example.com> 1 +0000\n${line}\n\nx\n`);
    const raw = (mode: string, name: string, id: string) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]);

    it("is told, and refused", async () => {
      const bad = await commitWith("committer Bugs Bunny 1 +0000");
      const message = `object ${bad}: missingEmail: invalid author/committer line - missing email\n`;
      const pack = await packOf(from, [bad, tree]);
      expect(await taken(to, pack)).toEqual({ objects: 2, said: [] });
      expect(await taken(to, pack, { fsck: strict() })).toEqual({
        failed: { code: "objects/refused", message: "fsck error in packed object" },
        said: [`error: ${message}`],
      });
      expect(await taken(to, pack, { fsck: strict({ missingEmail: "warn" }) })).toEqual({
        objects: 2,
        said: [`warning: ${message}`],
      });
      expect(await taken(to, pack, { fsck: strict({ missingEmail: "ignore" }) })).toEqual({
        objects: 2,
        said: [],
      });
      // Stock git says the same.
      const { stderr } = await tryGit(["index-pack", "--strict", "--stdin"], {
        cwd: to.directory,
        input: pack,
      });
      expect(stderr).toContain(`error: ${message}fatal: fsck error in packed object`);
    });

    it("is found in deltas", async () => {
      const good = Array.from({ length: 200 }, (_, i) => raw("100644", `file${1000 + i}`, tree));
      const blob = await write(from, "blob", "x");
      const whole = await write(
        from,
        "tree",
        Buffer.concat(good.map((_, i) => raw("100644", `file${1000 + i}`, blob))),
      );
      const worse = await write(
        from,
        "tree",
        Buffer.concat([
          ...good.map((_, i) => raw("100644", `file${1000 + i}`, blob)),
          raw("40000", "zz/y", tree),
        ]),
      );
      const pack = await packOf(from, [worse, whole, blob], "--window=10", "--depth=10");
      const { failed, said } = await taken(to, pack, { fsck: strict() });
      expect(failed?.code).toBe("objects/refused");
      expect(said.join("")).toContain(`error: object ${worse}: fullPathname`);
    });

    it("spares what a skip list names, and wants the list to be there", async () => {
      const bad = await commitWith("committer Bugs Bunny 1 +0000");
      const pack = await packOf(from, [bad, tree]);
      const list = join(to.directory, "known-flaws");
      writeFileSync(list, `# these\n${bad}\n`);
      for (const path of [list, "known-flaws"])
        expect(await taken(to, pack, { fsck: strict({ skipList: path }) })).toEqual({ objects: 2, said: [] });
      expect((await taken(to, pack, { fsck: strict({ skipList: "absent" }) })).failed).toMatchObject({
        code: "objects/bad-setting",
        message: expect.stringContaining("could not open object name list: absent"),
      });
      writeFileSync(list, "not a name\n");
      expect((await taken(to, pack, { fsck: strict({ skipList: list }) })).failed).toMatchObject({
        code: "objects/bad-setting",
        message: "invalid object name: not a name",
      });
    });

    it.each(["before", "after", "in the store"])("finds .gitmodules whose blob comes %s", async (where) => {
      const blob = await write(from, "blob", '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n');
      const evil = (await git(["mktree"], {
        cwd: from.directory,
        input: `100644 blob ${blob}\t.gitmodules\n`,
      })) as ObjectId;
      const target = await emptyRepository(format);
      if (where === "in the store")
        await git(["hash-object", "-w", "--stdin"], {
          cwd: target.directory,
          input: '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n',
        });
      // Blobs stand where they are named: pack-objects keeps the order for a window of none.
      const order = where === "before" ? [blob, evil] : where === "after" ? [evil, blob] : [evil];
      const pack = await packOf(from, order, "--window=0");
      const { failed, said } = await taken(target, pack, { fsck: strict() });
      expect(failed).toEqual({ code: "objects/refused", message: "fsck error in pack objects" });
      expect(said.join("")).toContain(
        `error: object ${blob}: gitmodulesUrl: disallowed submodule url: -u./payload`,
      );
      expect(
        (await taken(target, pack, { fsck: strict({ gitmodulesUrl: "ignore" }) })).failed,
      ).toBeUndefined();
    });

    it("does not drown the user", async () => {
      const paths = Array.from({ length: 1500 }, (_, i) => join(from.directory, `commit-${i}`));
      for (const [i, path] of paths.entries())
        writeFileSync(path, `tree ${tree}\nauthor A <a@b.c> ${i} +0000\ncommitter A <a@b.c> ${i} -0700x\n\n`);
      const written = await git(["hash-object", "-w", "-t", "commit", "--literally", "--stdin-paths"], {
        cwd: from.directory,
        input: paths.join("\n"),
      });
      const ids = written.split("\n");
      const pack = await packOf(from, ids);
      const { objects, said } = await taken(to, pack, { fsck: strict({ badTimezone: "warn" }) });
      expect(objects).toBe(1500);
      expect(said).toHaveLength(1000);
      expect(said.at(-1)).toBe("warning: further objects have flaws\n");
      const bad = await commitWith("committer Bugs Bunny 1 +0000");
      const last = await taken(to, await packOf(from, [...ids, bad]), {
        fsck: strict({ badTimezone: "warn" }),
      });
      expect(last.said.join("")).toContain("missingEmail");
    });
  },
);
