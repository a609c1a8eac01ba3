import { createTestRepository, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { createFsck, hashObject, type ObjectFormat, type ObjectType, objectIdToBytes } from "../src/index.ts";
import { commitText, latin1, someId, tagText, treeText, writeLoose } from "./fsck-samples.ts";

const ROUNDS = 2500;

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

/** Until 2.40 git left a date's start to C's `strtoumax`, which takes signs and any white space, line ends among it. */
const OLD_GIT_READS_ON = />[ \t]+[-+\r\n\v\f]/;

const PIECES = [
  "\0",
  "\n",
  "\n\n",
  " ",
  "<",
  ">",
  "/",
  "\\",
  ".",
  "~1",
  "0",
  "9",
  "é",
  "author ",
  "committer ",
  "parent ",
  "tagger ",
  "gpgsig ",
  "\xe2\x80\x8c",
  "git",
  ".git",
  "40000 ",
  "100644 ",
  "+",
  "-",
  "\t",
  "\r",
];

/** Cuts, doubles, swaps, inserts and changes bytes here and there. */
function mutate(text: string, random: (below: number) => number): string {
  let result = text;
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(result.length + 1);
    const length = 1 + random(random(4) === 0 ? 40 : 3);
    const head = result.slice(0, at);
    const tail = result.slice(at + length);
    switch (random(6)) {
      case 0:
        result = head + tail;
        break;
      case 1:
        result = head + result.slice(at, at + length).repeat(2) + tail;
        break;
      case 2:
        result = head + String.fromCharCode(random(256)) + result.slice(at + 1);
        break;
      case 3:
        result = random(4) === 0 ? head : head + PIECES[random(PIECES.length)] + tail;
        break;
      default:
        result = head + PIECES[random(PIECES.length)] + result.slice(at);
    }
  }
  return result;
}

function seeds(format: ObjectFormat): [ObjectType, string][] {
  const names = [
    "Makefile",
    "a",
    "a-b",
    "a.c",
    "a0",
    ".gitignore",
    ".gitmodules",
    "gitmod~1",
    "README.md",
    "z",
  ];
  return [
    ["commit", commitText(format)],
    [
      "commit",
      commitText(format, {
        parents: `parent ${someId(format, "2")}\nparent ${someId(format, "3")}\n`,
        rest: "encoding x\ngpgsig y\n z\n\nmessage\n",
      }),
    ],
    ["tag", tagText(format)],
    ["tag", tagText(format, { rest: "gpgsig x\n y\n z\n\nmessage\n" })],
    [
      "tree",
      treeText(
        format,
        names.slice(0, 5).map((name, i) => [i === 1 ? "40000" : "100644", name]),
      ),
    ],
    [
      "tree",
      treeText(
        format,
        names.map((name, i) => [["40000", "120000", "160000", "100755"][i % 4] as string, name]),
      ),
    ],
    [
      "tree",
      treeText(format, [
        ["100644", "foo"],
        ["40000", "foo.bar"],
        ["100644", "foo-x"],
        ["40000", "foo"],
      ]),
    ],
  ];
}

describe.each(["sha1", "sha256"] as const)("objects with a few bytes changed, %s", (format) => {
  it("are judged as git fsck --strict judges them", async () => {
    const repository = await createTestRepository({ objectFormat: format });
    const random = randomFrom(20_050_407);
    const fsck = createFsck({ format });
    const ours = new Map<string, string[]>();
    const bytesOf = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round++) {
      const valid = seeds(format);
      const [type, text] = valid[random(valid.length)] as [ObjectType, string];
      const mutated = mutate(text, random);
      if (type !== "tree" && OLD_GIT_READS_ON.test(mutated)) continue;
      const bytes = latin1(mutated);
      const id = hashObject(format, type, bytes);
      writeLoose(repository.gitDirectory, format, type, bytes);
      const findings = fsck.check(type, objectIdToBytes(id), bytes);
      bytesOf.set(id, JSON.stringify(mutated));
      ours.set(
        id,
        findings.map(({ id: message, severity, message: text }) =>
          message === undefined
            ? "unparsable"
            : `${severity === "error" ? "error" : "warning"} in ${type}: ${message}: ${text}`,
        ),
      );
    }
    const { stderr } = await tryGit(["fsck", "--strict", "--no-dangling"], { cwd: repository.directory });
    const gits = new Map<string, string[]>([...ours.keys()].map((id) => [id, []]));
    for (const line of stderr.split("\n")) {
      const told = /^(error|warning) in (commit|tree|tag) ([0-9a-f]+): ([a-zA-Z0-9]+: .*)$/s.exec(line);
      if (told) gits.get(told[3] as string)?.push(`${told[1]} in ${told[2]}: ${told[4]}`);
      const broken = /^error: ([0-9a-f]{40,}): object (?:could not be parsed|corrupt or missing)/.exec(line);
      if (broken) gits.set(broken[1] as string, ["unparsable"]);
    }
    let problems = 0;
    const differing: unknown[] = [];
    for (const [id, messages] of ours) {
      problems += messages.length;
      if (JSON.stringify(messages) !== JSON.stringify(gits.get(id)))
        differing.push({ id, ours: messages, git: gits.get(id), bytes: bytesOf.get(id) });
    }
    expect(differing).toEqual([]);
    expect(problems).toBeGreaterThan(ROUNDS / 2);
  });
});
