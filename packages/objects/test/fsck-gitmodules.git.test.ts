import { createTestRepository } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { createFsck, hashObject, type ObjectType, objectIdToBytes } from "../src/index.ts";
import { asFsckTells, fsckByGit, latin1, storeObjects, treeText } from "./fsck-samples.ts";
import { randomFrom } from "./seeded-random.ts";

const ROUNDS = 3000;

const LINES = [
  '[submodule "a"]',
  '[submodule "a/../b"]',
  '[submodule ".."]',
  '[submodule "..\\\\x"]',
  '[submodule ""]',
  "[submodule]",
  "[submodule.a.b]",
  '[Submodule "x\\"y"]',
  '[ "x"]',
  "[core]",
  "  path = a",
  "  path = -a",
  'path="-a b"',
  "path",
  "  url = ../x",
  "  url = -x",
  "url = ./x%0ay",
  "url = ../../:x",
  "URL = ..\\\\..\\\\/x",
  "url = git://h/%0A",
  "url = git://h/%2g",
  "url = a\\nb",
  "url = ./x\\ny",
  "update = !x",
  'update = "!x" ; y',
  "update = none",
  "update",
  "branch = -x",
  "fetchRecurseSubmodules = \\q",
  '# [submodule ".."]',
  "; x",
  "",
];
/**
 * Left out is what gits differ in: older ones make a tab within a value a space, and for a blob, unlike for a file, git
 * stops at a byte 255 and takes a byte order mark for an error. We read a blob as the file it becomes.
 */
const PIECES = [
  "\0",
  "\n",
  "\r\n",
  "\\",
  '"',
  "]",
  "[",
  "=",
  " ",
  "#",
  ";",
  "..",
  "/",
  "-",
  "!",
  "%0a",
  ":",
  ".",
  "\\\n",
];

function gitmodules(random: (below: number) => number): string {
  const pick = (from: readonly string[]) => from[random(from.length)] as string;
  let text =
    Array.from({ length: 1 + random(6) }, () => pick(LINES)).join("\n") + (random(4) === 0 ? "" : "\n");
  for (let times = random(4); times > 0; times--) {
    const at = random(text.length + 1);
    text = text.slice(0, at) + (random(3) === 0 ? "" : pick(PIECES)) + text.slice(at + random(3));
  }
  return text;
}

describe.each(["sha1", "sha256"] as const)("blobs at .gitmodules, %s", (format) => {
  it("are judged as git fsck --strict judges them", async () => {
    const { directory } = await createTestRepository({ objectFormat: format });
    const random = randomFrom(2018_11235);
    const fsck = createFsck({ format });
    const objects: [ObjectType, Uint8Array][] = [];
    const ours: string[] = [];
    const texts = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round++) {
      const text = gitmodules(random);
      const blob = latin1(text);
      const id = hashObject(format, "blob", blob);
      if (texts.has(id)) continue;
      texts.set(id, text);
      const tree = latin1(treeText(format, [["100644", ".gitmodules", id]]));
      objects.push(["tree", tree], ["blob", blob]);
      expect(fsck.check("tree", objectIdToBytes(hashObject(format, "tree", tree)), tree)).toEqual([]);
      ours.push(...fsck.check("blob", objectIdToBytes(id), blob).map(asFsckTells));
    }
    expect(fsck.pending()).toEqual([]);
    await storeObjects(directory, format, objects);
    const { told } = await fsckByGit(directory);
    const withText = (line: string) =>
      `${JSON.stringify(texts.get(line.split(/[ :]/)[3] as string))} ${line}`;
    expect(ours.map(withText)).toEqual(told.map(withText));
    for (const id of ["Name", "Url", "Path", "Update", "Parse"])
      expect(ours.filter((line) => line.includes(` gitmodules${id}: `)).length).toBeGreaterThan(ROUNDS / 100);
  });
});
