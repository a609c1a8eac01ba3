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
import { latin1, packOf, writeLoose } from "./fsck-samples.ts";
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
    const repository = await createTestRepository({ objectFormat: format });
    const ours = new Map<string, string[]>();
    for (const row of cases) {
      const { id, bytes, findings } = check(format, row);
      writeLoose(repository.gitDirectory, format, row.type, bytes);
      ours.set(
        id,
        findings.map((finding) =>
          finding.id === undefined
            ? "unparsable"
            : `${finding.severity === "error" ? "error" : "warning"} in ${row.type} ${id}: ${finding.id}: ${finding.message}`,
        ),
      );
    }
    const { stderr } = await tryGit(["fsck", "--strict", "--no-dangling"], { cwd: repository.directory });
    const gits = new Map<string, string[]>([...ours.keys()].map((id) => [id, []]));
    for (const line of stderr.split("\n")) {
      const told = /^(?:error|warning) in (?:commit|tree|tag) ([0-9a-f]+): [a-zA-Z0-9]+: /.exec(line);
      if (told) gits.get(told[1] as string)?.push(line);
      const broken = /^error: ([0-9a-f]{40,}): object (?:could not be parsed|corrupt or missing)/.exec(line);
      if (broken) gits.get(broken[1] as string)?.push("unparsable");
    }
    expect([...ours]).toEqual([...gits]);
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
