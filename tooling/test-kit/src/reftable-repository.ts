import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "./git.ts";
import { type ReftableEntry, type ReftableShape, writeReftable } from "./reftable-writer.ts";

/** Tables of a stack, the oldest first. */
export function writeReftableStack(directory: string, tables: readonly Uint8Array[]): void {
  const stack = join(directory, "reftable");
  mkdirSync(stack, { recursive: true });
  const names = tables.map((bytes, index) => {
    const update = (index + 1).toString(16).padStart(12, "0");
    const name = `0x${update}-0x${update}-${(0x1000 + index).toString(16).padStart(8, "0")}.ref`;
    writeFileSync(join(stack, name), bytes);
    return name;
  });
  writeFileSync(join(stack, "tables.list"), names.map((name) => `${name}\n`).join(""));
}

/** What a stock git, which need not know reftables, says of the refs of a repository of files, HEAD first. */
export async function refsOfRepository(directory: string): Promise<ReftableEntry[]> {
  const read = async (...args: string[]) =>
    (await git(args, { cwd: directory })).split("\n").filter((line) => line !== "");
  const peels = new Map<string, string>();
  for (const line of await read("show-ref", "-d")) {
    const [id = "", name = ""] = line.split(" ");
    if (name.endsWith("^{}")) peels.set(name.slice(0, -3), id);
  }
  const lines = await read("for-each-ref", "--format=%(refname) %(objectname) %(symref)");
  const head = (await git(["symbolic-ref", "HEAD"], { cwd: directory })).trim();
  return [
    { name: "HEAD", value: { symbolic: head } },
    ...lines.map((line): ReftableEntry => {
      const [name = "", id = "", symbolic = ""] = line.split(" ");
      if (symbolic !== "") return { name, value: { symbolic } };
      const peeled = peels.get(name);
      return { name, value: peeled === undefined ? { id } : { id, peeled } };
    }),
  ];
}

/**
 * Turns a bare repository of files into one of reftables, for gits that cannot: of its refs every third goes to a
 * second table, over a first one that says something else of them; the second also deletes what only the first has.
 */
export async function moveToReftable(directory: string, shape: ReftableShape = {}): Promise<void> {
  const entries = await refsOfRepository(directory);
  const objectFormat = shape.objectFormat ?? "sha1";
  const wrong = "1".repeat(objectFormat === "sha1" ? 40 : 64);
  const isYoung = (index: number) => index % 3 === 1;
  const gone: ReftableEntry = { name: "refs/zz/gone", value: { id: wrong } };
  const old = entries.map((entry, index) => (isYoung(index) ? { ...entry, value: { id: wrong } } : entry));
  const young = entries.filter((_, index) => isYoung(index));
  writeReftableStack(directory, [
    writeReftable([...old, gone], { ...shape, updateIndex: 1, logs: ["refs/heads/main"] }),
    writeReftable([...young, { name: gone.name, value: "deleted" }], { ...shape, updateIndex: 2 }),
  ]);
  await git(["config", "core.repositoryFormatVersion", "1"], { cwd: directory });
  await git(["config", "extensions.refStorage", "reftable"], { cwd: directory });
  hideFiles(directory);
}

/** What lies where refs were, so that old gits see that there is a repository and that they cannot read it. */
export function hideFiles(directory: string): void {
  rmSync(join(directory, "packed-refs"), { force: true });
  rmSync(join(directory, "refs"), { recursive: true });
  mkdirSync(join(directory, "refs"));
  writeFileSync(join(directory, "refs/heads"), "this repository uses the reftable format\n");
  writeFileSync(join(directory, "HEAD"), "ref: refs/heads/.invalid\n");
}
