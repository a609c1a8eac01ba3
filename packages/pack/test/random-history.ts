import { readFileSync } from "node:fs";
import { join } from "node:path";
import { git, temporaryDirectory } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { Random } from "./random.ts";

/** A bare repository with a history that code made. */
export interface History {
  readonly directory: string;
  readonly format: ObjectFormat;
  /** In the order in which they were made: a commit's parents come before it. */
  readonly commits: readonly string[];
  /** Annotated ones: of commits, of trees, of blobs and of other tags. */
  readonly tags: readonly string[];
  git(...args: string[]): Promise<string>;
}

export interface HistoryOptions {
  readonly format?: ObjectFormat;
  readonly seed?: number;
  readonly commits?: number;
  /** Clocks that were wrong, by hours either way. */
  readonly skewed?: boolean;
}

const START = 1_600_000_000;

/** Merges, several roots, renames, directories that become files and back, submodules, symlinks, and tags of all kinds. */
export async function randomHistory(options: HistoryOptions = {}): Promise<History> {
  const { format = "sha1", seed = 1, commits: count = 120, skewed = false } = options;
  const random = new Random(seed);
  const directory = temporaryDirectory("history");
  await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
  const run = (...args: string[]) => git(args, { cwd: directory });
  const marks = join(directory, "marks");
  const stream = Array.from({ length: count }, (_, i) => commitCommand(random, i, skewed, format));
  await git(["fast-import", "--quiet", "--force", `--export-marks=${marks}`], {
    cwd: directory,
    input: Buffer.from(stream.join(""), "latin1"),
  });
  const ids = new Map(
    readFileSync(marks, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.slice(1).split(" ") as [string, string])
      .map(([mark, id]) => [Number(mark), id]),
  );
  const commits = Array.from({ length: count }, (_, i) => ids.get(i + 1) as string);
  const tags = await makeTags(run, random, commits);
  return { directory, format, commits, tags, git: run };
}

function commitCommand(random: Random, i: number, skewed: boolean, format: ObjectFormat): string {
  const time = START + i * 60 + (skewed ? random.below(20_000) - 10_000 : 0);
  const message = `commit ${i}\n`;
  const lines = [
    `commit refs/heads/b${random.below(5)}`,
    `mark :${i + 1}`,
    `committer C <c@example.com> ${time} +0000`,
    `data ${message.length}`,
    message,
  ];
  // Five branches that start anywhere recent, a few of them anew.
  const parents = i === 0 || random.once(40) ? [] : random.some(recent(i), random.once(4) ? 3 : 1);
  for (const [k, parent] of parents.entries()) lines.push(`${k === 0 ? "from" : "merge"} :${parent}`);
  if (parents.length === 0) lines[0] = `commit refs/heads/root${i}`;
  for (let change = 0; change < 1 + random.below(4); change++) lines.push(fileCommand(random, format));
  return `${lines.join("\n")}\n\n`;
}

/** Marks of the last dozen commits before the one numbered `i`. */
function recent(i: number): number[] {
  return Array.from({ length: Math.min(i, 12) }, (_, k) => i - k);
}

const NAMES = ["0", "a", "a.c", "a0", "b", "deep", "lib", "lib-x", "m", "z", "~"];

function fileCommand(random: Random, format: ObjectFormat): string {
  const depth = random.below(4);
  let path = random.pick(NAMES);
  for (let level = 0; level < depth; level++)
    path += `/${random.pick(NAMES)}${random.once(2) ? random.below(30) : ""}`;
  if (random.once(7)) return `D ${path}`;
  if (random.once(25)) return `M 160000 ${"5".repeat(format === "sha1" ? 40 : 64)} ${path}`;
  const mode = random.pick(["100644", "100644", "100644", "100755", "120000"]);
  const lines = Array.from({ length: 1 + random.below(40) }, (_, i) => `line ${i} ${random.below(12)}\n`);
  const data = lines.join("");
  return `M ${mode} inline ${path}\ndata ${data.length}\n${data}`;
}

async function makeTags(
  run: History["git"],
  random: Random,
  commits: readonly string[],
): Promise<readonly string[]> {
  const tags: string[] = [];
  const tag = async (target: string) => {
    const name = `t${tags.length}`;
    await run("tag", "-a", "-m", `tag ${name}`, name, target);
    tags.push(await run("rev-parse", `refs/tags/${name}`));
  };
  for (let i = 0; i < 4; i++) await tag(random.pick(commits));
  await tag(tags[0] as string);
  await tag(tags[4] as string);
  await tag(`${commits.at(-1)}^{tree}`);
  await tag(await run("hash-object", "-w", "marks"));
  return tags;
}
