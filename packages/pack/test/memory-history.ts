import { formatTree, type ObjectId } from "@x/objects";
import { idOf, type MemoryObject } from "./memory-table.ts";
import { bytesOf } from "./pack-builder.ts";

export const blob = (text: string): MemoryObject => ({ type: "blob", data: bytesOf(text) });

export const tree = (
  ...entries: readonly (readonly [name: string, object: MemoryObject | ObjectId, mode?: number])[]
): MemoryObject => ({
  type: "tree",
  data: formatTree(
    entries.map(([name, object, mode]) => ({
      name,
      id: typeof object === "string" ? object : idOf(object),
      mode: mode ?? (typeof object !== "string" && object.type === "tree" ? 0o40000 : 0o100644),
    })),
  ),
});

export const commit = (
  root: MemoryObject,
  parents: readonly MemoryObject[] = [],
  time = 1000,
): MemoryObject => ({
  type: "commit",
  data: bytesOf(
    [
      `tree ${idOf(root)}`,
      ...parents.map((parent) => `parent ${idOf(parent)}`),
      `author A <a@example.com> ${time} +0000`,
      `committer A <a@example.com> ${time} +0000`,
      "",
      "message\n",
    ].join("\n"),
  ),
});

export const tag = (object: MemoryObject): MemoryObject => ({
  type: "tag",
  data: bytesOf(`object ${idOf(object)}\ntype ${object.type}\ntag t\ntagger A <a@b> 0 +0000\n\nx\n`),
});

/** Few objects and 10^10 paths: ten levels of trees with ten entries each, all of them the tree one level down. */
export function treeBomb(): { readonly tip: MemoryObject; readonly objects: readonly MemoryObject[] } {
  const objects: MemoryObject[] = [blob("bomb\n")];
  for (let level = 0; level < 10; level++) {
    const below = objects.at(-1) as MemoryObject;
    objects.push(tree(...Array.from({ length: 10 }, (_, i) => [`f${i}`, below] as const)));
  }
  const tip = commit(objects.at(-1) as MemoryObject);
  return { tip, objects: [...objects, tip] };
}
