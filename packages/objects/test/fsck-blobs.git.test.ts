import { createTestRepository, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import {
  createFsck,
  type FsckFinding,
  type FsckSubject,
  fsckLines,
  hashObject,
  type ObjectType,
  objectIdToBytes,
} from "../src/index.ts";
import {
  asFsckTells,
  fsckByGit,
  latin1,
  packOf,
  someId,
  storeObjects,
  tagText,
  treeText,
} from "./fsck-samples.ts";

describe.each(["sha1", "sha256"] as const)("blobs that matter, %s", (format) => {
  const idOf = (type: ObjectType, text: string) => hashObject(format, type, latin1(text));
  const long = "x".repeat(2048);
  const blobs = [
    "",
    `${"x".repeat(2047)}\n`,
    `a\n${long}\nb`,
    long,
    `a\0\n${long}`,
    '[submodule ".."]\nx\n',
    "[submodule",
    '[submodule "a"]\nurl = ./x%0ay\n',
  ];
  const inner = treeText(format, [["100644", "a", idOf("blob", "")]]);

  it("are judged as git fsck --strict judges them, whatever comes first, is missing or is something else", async () => {
    const { directory } = await createTestRepository({ objectFormat: format });
    const objects: [ObjectType, Uint8Array][] = [["tree", latin1(inner)]];
    const add = (type: ObjectType, text: string) => objects.push([type, latin1(text)]);
    for (const text of blobs) add("blob", text);
    for (const text of blobs) {
      add("tree", treeText(format, [["100644", ".gitmodules", idOf("blob", text)]]));
      add("tree", treeText(format, [["100644", "GI7D29~1", idOf("blob", text)]]));
      add("tree", treeText(format, [["100755", "x\\.GITMODULES ", idOf("blob", text)]]));
      add("blob", `${text}#`);
    }
    for (const path of [".gitattributes", ".gitmodules"]) {
      add("tree", treeText(format, [["100644", path, someId(format, "d")]]));
      add("tree", treeText(format, [["40000", path, idOf("tree", inner)]]));
      add("tree", treeText(format, [["160000", path, someId(format, "e")]]));
      add("tree", treeText(format, [["120000", path, someId(format, "f")]]));
    }
    await storeObjects(directory, format, objects);

    const fsck = createFsck({ format });
    const stored = new Map<string, FsckSubject>();
    const ours: FsckFinding[] = [];
    for (const [type, data] of objects) {
      const id = hashObject(format, type, data);
      if (stored.has(id)) continue;
      stored.set(id, { type, data });
      ours.push(...fsck.check(type, objectIdToBytes(id), data));
    }
    for (const id of fsck.pending()) ours.push(...fsck.checkPending(id, stored.get(id)));
    const { told } = await fsckByGit(directory);
    expect(ours.map(asFsckTells).sort()).toEqual(told.sort());
    expect(new Set(ours.map(({ id }) => id)).size).toBe(10);
  });

  it.each(["a tree before its blob", "a blob before its tree"])(
    "are told of as git index-pack --strict tells: %s",
    async (order) => {
      const { directory } = await createTestRepository({ objectFormat: format });
      const text = '[submodule ".."]\npath = -x\n[submodule "a"]\nupdate = !y\n=\n';
      const id = idOf("blob", text);
      const objects: [ObjectType, Uint8Array][] = [
        ["tree", latin1(treeText(format, [["100644", ".gitmodules", id]]))],
        ["blob", latin1(text)],
      ];
      if (order.startsWith("a blob")) objects.reverse();
      const fsck = createFsck({ format });
      const ours = objects.flatMap(([type, data]) =>
        fsck.check(type, objectIdToBytes(hashObject(format, type, data)), data),
      );
      for (const each of fsck.pending())
        ours.push(...fsck.checkPending(each, { type: "blob", data: latin1(text) }));
      const { stderr } = await tryGit(["index-pack", "--strict", "--stdin"], {
        cwd: directory,
        input: packOf(format, objects),
      });
      const refusal = ours.find((finding) => finding.refusal !== undefined)?.refusal;
      expect([...ours.flatMap(fsckLines), `fatal: ${refusal}`]).toEqual(stderr.trimEnd().split("\n"));
    },
  );

  it.each([
    "no object",
    "no type",
    "no name",
    "a bad name",
    "no tagger",
    "a bad tagger",
    "headers git does not know",
  ])("and tags beyond git's parser are explained as git mktag explains them: %s", async (what) => {
    const { directory } = await createTestRepository({ objectFormat: format });
    const text = tagText(format, {
      ...(what === "no object" && { object: "" }),
      ...(what === "no type" && { type: "" }),
      ...(what === "no name" && { tag: "" }),
      ...(what === "a bad name" && { tag: "tag a b\n" }),
      ...(what === "no tagger" && { tagger: "" }),
      ...(what === "a bad tagger" && { tagger: "tagger A <a> 1 1\n", rest: "x y\n\n" }),
      ...(what === "headers git does not know" && { rest: "x y\n\n" }),
    });
    const bytes = latin1(text);
    const { stderr } = await tryGit(["mktag"], { cwd: directory, input: bytes });
    const fsck = createFsck({
      format,
      explainUnparsable: true,
      severities: new Map([["extraHeaderEntry", "warn"]]),
    });
    const ours = fsck.check("tag", objectIdToBytes(hashObject(format, "tag", bytes)), bytes);
    const told = [...stderr.matchAll(/tag input does not pass fsck: (.*)/g)].map(([, message]) => message);
    expect(ours.map(({ id, message }) => `${id}: ${message}`)).toEqual(told);
    expect(ours).not.toEqual([]);
  });
});
