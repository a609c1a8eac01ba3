// One commit after the other, ready to be pushed one by one.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A line of commits on top of the default branch, each changing one file.
 * @param source a repository to make them in
 * @returns for each what it stands on, and a pack with what it brings
 */
export function commitLine(git, source, label, count) {
  const file = join(source, "bench-file");
  const inSource = (...args) => git.run("-C", source, ...args);
  inSource("read-tree", "HEAD");
  const path = inSource("ls-tree", "-r", "--name-only", "HEAD").split("\n").at(-1);
  const line = [];
  let parent = inSource("rev-parse", "HEAD");
  for (let number = 0; number < count; number++) {
    writeFileSync(file, `${label} ${number}\n`);
    const blob = inSource("hash-object", "-w", file);
    inSource("update-index", "--add", "--cacheinfo", `100644,${blob},${path}`);
    const id = inSource("commit-tree", inSource("write-tree"), "-p", parent, "-m", `${label} ${number}`);
    line.push({ id, old: number === 0 ? undefined : parent, pack: git.pack(source, id, parent) });
    parent = id;
  }
  return line;
}
