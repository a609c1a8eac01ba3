import { parseCommitLinks } from "@x/objects";
import { describe, expect, it } from "vitest";
import { createMemoryRepository } from "../src/index.ts";

const author = { name: "A", email: "a@example.com", at: 1_700_000_000 };
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

describe.each(["sha1", "sha256"] as const)("a repository in memory is filled, %s", (objectFormat) => {
  const make = () => createMemoryRepository({ objectFormat, author });
  const paths = async (repository: ReturnType<typeof make>, at: string) =>
    (await repository.listFiles(at)).map(({ path }) => path);

  it("with files, which stay until they are taken away", async () => {
    const repository = make();
    const one = await repository.commit({
      branch: "main",
      message: "one",
      files: { "a/b/c": "1", "a/d": new Uint8Array([0, 255]), ä: "2", z: "3" },
    });
    const two = await repository.commit({
      branch: "main",
      message: "two",
      files: { "a/b/c": undefined, z: "4", "a/none": undefined },
    });
    expect(await paths(repository, one)).toEqual(["a/b/c", "a/d", "z", "ä"]);
    expect(await paths(repository, "HEAD")).toEqual(["a/d", "z", "ä"]);
    expect(await repository.readFile("main", "a/d")).toEqual(new Uint8Array([0, 255]));
    expect(text(await repository.readFile(two, "z"))).toBe("4");
    expect(await repository.readFile(two, "a/b/c")).toBeUndefined();
    expect(await repository.readFile(two, "a")).toBeUndefined();
    const stored = await repository.objects.read(two);
    expect(parseCommitLinks(stored?.data as Uint8Array, objectFormat)).toMatchObject({
      parents: [one],
      committedAt: author.at,
    });
  });

  it("with a directory in the place of a file, and a file in that of a directory", async () => {
    const repository = make();
    await repository.commit({ branch: "main", message: "one", files: { a: "1", "b/c": "2", "b/d": "3" } });
    await repository.commit({ branch: "main", message: "two", files: { "a/x": "1", b: "2" } });
    expect(await paths(repository, "main")).toEqual(["a/x", "b"]);
    await repository.commit({ branch: "main", message: "three", files: { a: undefined } });
    expect(await paths(repository, "main")).toEqual(["b"]);
  });

  it("with content that is made whole", async () => {
    const repository = make();
    await repository.commit({ branch: "main", message: "one", files: { a: "1", b: "2" } });
    await repository.commit({ branch: "main", message: "two", files: { b: "3" }, filesAreAll: true });
    expect(await paths(repository, "main")).toEqual(["b"]);
    await repository.commit({ branch: "main", message: "nothing new" });
    expect(await paths(repository, "main")).toEqual(["b"]);
  });

  it("with files to run, links, submodules and what is there already", async () => {
    const repository = make();
    const one = await repository.commit({ branch: "main", message: "one", files: { "d/f": "x" } });
    const [file] = await repository.listFiles(one);
    const id = file?.id as typeof one;
    await repository.commit({
      branch: "main",
      message: "two",
      files: {
        run: { mode: 0o100755, content: "#!/bin/sh\n" },
        link: { mode: 0o120000, content: "run" },
        sub: { mode: 0o160000, id: one },
        again: { mode: 0o100644, id },
      },
    });
    expect(await repository.listFiles("main")).toMatchObject([
      { path: "again", mode: 0o100644, id },
      { path: "d/f", mode: 0o100644 },
      { path: "link", mode: 0o120000 },
      { path: "run", mode: 0o100755 },
      { path: "sub", mode: 0o160000, id: one },
    ]);
    const wrong = repository.commit({
      branch: "main",
      message: "x",
      files: { y: { mode: 0o100644, id: one } },
    });
    await expect(wrong).rejects.toMatchObject({ code: "storage-memory/not-found" });
  });

  it("twice with the same content: then it is the same commit", async () => {
    const commit = { branch: "main", message: "one", files: { b: "2", a: "1" } };
    const [one, two] = await Promise.all([make().commit(commit), make().commit(commit)]);
    expect(one).toBe(two);
    expect(await createMemoryRepository({ objectFormat, now: () => 5000 }).commit(commit)).not.toBe(one);
  });

  it("with merges, tags, other refs and another HEAD", async () => {
    const repository = make();
    const one = await repository.commit({ branch: "main", message: "one", files: { a: "1" } });
    const other = await repository.commit({
      branch: "side",
      message: "other",
      files: { b: "2" },
      parents: [],
    });
    const parents = ["main", "side"];
    const merge = await repository.commit({ branch: "main", message: "merge", files: { b: "2" }, parents });
    const { data } = (await repository.objects.read(merge)) ?? {};
    expect(parseCommitLinks(data as Uint8Array, objectFormat).parents).toEqual([one, other]);
    const tag = await repository.tag({ name: "v1", target: "side", message: "first" });
    expect(await repository.objects.peel([tag])).toEqual([{ id: other, type: "commit" }]);
    expect(await repository.tag({ name: "light", target: one })).toBe(one);
    expect(await repository.setRef("refs/keep/this", "v1")).toBe(tag);
    await repository.setSymbolicRef("HEAD", "refs/heads/side");
    expect(await repository.resolve("HEAD")).toBe(other);
    await repository.deleteRef("refs/keep/this");
    await expect(repository.resolve("refs/keep/this")).rejects.toMatchObject({
      code: "storage-memory/not-found",
    });
    expect(await repository.resolve(merge)).toBe(merge);
  });

  it("by many at once, and nobody's commit is lost", async () => {
    const repository = make();
    const names = Array.from({ length: 20 }, (_, i) => `f${String(i).padStart(2, "0")}`);
    await Promise.all(
      names.map((name) => repository.commit({ branch: "main", message: name, files: { [name]: name } })),
    );
    expect(await paths(repository, "main")).toEqual(names);
  });
});

describe("a repository in memory refuses", () => {
  const repository = createMemoryRepository({ author });
  const commit = (files: Record<string, string>, rest: object = {}) =>
    repository.commit({ branch: "main", message: "x", files, ...rest });

  it.each(["", "/a", "a/", "a//b", "./a", "a/../b", ".git/config", "x/.GIT", "a\0b"])(
    "the path %j",
    async (path) => {
      await expect(commit({ [path]: "x" })).rejects.toMatchObject({ code: "storage-memory/bad-path" });
    },
  );

  it("a file that is a directory too, in either order, and modes that no file has", async () => {
    for (const files of [
      { a: "1", "a/b": "2" },
      { "a/b": "2", a: "1" },
    ])
      await expect(commit(files)).rejects.toMatchObject({ code: "storage-memory/bad-path" });
    for (const mode of [0, 0o40000, 0o160000, 0o100600]) {
      const files = { a: { mode, content: "x" } };
      await expect(repository.commit({ branch: "main", message: "x", files })).rejects.toMatchObject({
        code: "storage-memory/bad-path",
      });
    }
  });

  it("names that would end a header, and times that are none", async () => {
    const bad = [{ name: "A\nB" }, { email: "a>b" }, { at: -1 }, { at: 1.5 }, { offsetMinutes: 6000 }];
    for (const part of bad)
      await expect(commit({}, { author: { ...author, ...part } })).rejects.toMatchObject({
        code: "storage-memory/bad-identity",
      });
  });

  it("names that no ref can have, and parents that are not there", async () => {
    for (const branch of ["", "a..b", "a b", "x.lock"])
      await expect(commit({}, { branch })).rejects.toMatchObject({ code: "storage-memory/ref-rejected" });
    await commit({ a: "1" });
    await expect(commit({}, { branch: "main/x" })).rejects.toMatchObject({
      code: "storage-memory/ref-rejected",
    });
    for (const parent of ["nowhere", "1".repeat(40)])
      await expect(commit({}, { parents: [parent] })).rejects.toMatchObject({
        code: "storage-memory/not-found",
      });
    await expect(repository.setSymbolicRef("HEAD", "config")).rejects.toMatchObject({
      code: "refs/bad-name",
    });
    await expect(repository.setSymbolicRef("refs/heads/main/y", "HEAD")).rejects.toMatchObject({
      code: "refs/bad-name",
    });
  });

  it("more than it may hold", async () => {
    const small = createMemoryRepository({ limits: { maxRepositoryBytes: 10_000 } });
    await small.commit({ branch: "main", message: "fits", files: { a: "x".repeat(5000) } });
    const tip = await small.resolve("main");
    const more = small.commit({ branch: "main", message: "does not", files: { b: "y".repeat(5000) } });
    await expect(more).rejects.toMatchObject({ code: "objects/limit-exceeded" });
    expect(await small.resolve("main")).toBe(tip);
  });
});
