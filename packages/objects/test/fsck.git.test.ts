import { createTestRepository, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import {
  createFsck,
  type FsckFinding,
  fsckLines,
  hashObject,
  type ObjectFormat,
  objectIdToBytes,
} from "../src/index.ts";
import { asFsckTells, fsckByGit, latin1, packOf, storeObjects } from "./fsck-samples.ts";
import { FSCK_CASES, type FsckCase } from "./fsck-table.ts";

function check(
  format: ObjectFormat,
  { type, text }: FsckCase,
): { id: string; bytes: Uint8Array; findings: readonly FsckFinding[] } {
  const bytes = latin1(text(format));
  const id = hashObject(format, type, bytes);
  return { id, bytes, findings: createFsck({ format }).check(type, objectIdToBytes(id), bytes) };
}

describe.each(["sha1", "sha256"] as const)("objects of every kind, %s", (format) => {
  const cases = FSCK_CASES.filter(({ changedInGit }) => changedInGit !== true);

  it("are judged as git fsck --strict judges them", async () => {
    const { directory } = await createTestRepository({ objectFormat: format });
    const checked = cases.map((row) => ({ ...check(format, row), row }));
    await storeObjects(
      directory,
      format,
      checked.map(({ bytes, row }) => [row.type, bytes]),
    );
    const { told, unparsable } = await fsckByGit(directory);
    const ours = checked.flatMap(({ findings }) => findings);
    expect(ours.filter(({ id }) => id !== undefined).map(asFsckTells)).toEqual(told);
    expect(ours.filter(({ id }) => id === undefined).map(({ objectId }) => objectId)).toEqual(unparsable);
  });

  it.each(
    [
      "NUL in the header",
      "no tree",
      "an id that is none",
      "no author",
      "no type",
      "a type that does not exist",
      "a name that no ref may have",
      "cut short",
      "a mode that is none",
      "no name",
      "everything at once",
      "links for all",
      "a bad tagger",
    ].map((wanted) => cases.find(({ name }) => name === wanted) as FsckCase),
  )("are told of as git index-pack --strict tells: $name", async (row) => {
    const repository = await createTestRepository({ objectFormat: format });
    const { bytes, findings } = check(format, row);
    const { stderr } = await tryGit(["index-pack", "--strict", "--stdin"], {
      cwd: repository.directory,
      input: packOf(format, [[row.type, bytes]]),
    });
    const refusal = findings.find(({ severity }) => severity === "error")?.refusal;
    const lines = findings.flatMap(fsckLines);
    // With warnings alone git goes on, and misses what the object leads to.
    const told = stderr
      .split("\n")
      .filter((line) => line !== "" && !line.includes("did not receive expected object"));
    expect(told).toEqual(refusal === undefined ? lines : [...lines, `fatal: ${refusal}`]);
    expect(lines).not.toEqual(refusal === "invalid tag" ? undefined : []);
  });
});
