import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ObjectFormat, type ObjectId, parseObjectId } from "@x/objects";
import { parseLooseRef } from "@x/refs";
import type { Repository } from "@x/server-core";
import type { RepositoryLayout } from "@x/storage-fs";
import type { ObjectGraph } from "./object-graph.ts";

/** A ref as the check sees it. */
export interface RefFinding {
  /** Where the graph starts. */
  readonly root?: ObjectId;
  /** What is wrong: `pointer` with what it leads to, `ref` with itself. */
  readonly fault?: { readonly kind: "pointer" | "ref"; readonly text: string };
  readonly notice?: string;
}

/** Looks at every ref, at HEAD, and at the files that refs are kept in. @param has an object that may be elsewhere */
export async function* checkRefs(
  { refs, objectFormat }: Repository,
  layout: RepositoryLayout,
  graph: ObjectGraph,
  has: (id: ObjectId) => Promise<boolean>,
): AsyncGenerator<RefFinding, void, undefined> {
  yield* brokenFiles(layout.refsDirectory, "refs", objectFormat);
  let count = 0;
  for await (const batch of refs.list())
    for (const { name, target } of batch) {
      count++;
      if (target.kind === "id") yield await pointer(name, target.id, graph, has);
    }
  const head = await refs.get("HEAD");
  if (head === undefined) yield { fault: { kind: "ref", text: "invalid HEAD" } };
  else if (head.target.kind === "id") yield await pointer("HEAD", head.target.id, graph, has);
  else if (!/^refs\/heads\//.test(head.target.name))
    yield { fault: { kind: "ref", text: `HEAD points to something strange (${text(head.target.name)})` } };
  else if ((await refs.get(head.target.name)) === undefined)
    yield { notice: `HEAD points to an unborn branch (${text(head.target.name.slice(11))})` };
  if (count === 0) yield { notice: "No default references" };
  for await (const id of reflogIds(join(layout.commonDirectory, "logs"), objectFormat))
    if (graph.has(id)) yield { root: id };
}

async function pointer(
  name: string,
  id: ObjectId,
  graph: ObjectGraph,
  has: (id: ObjectId) => Promise<boolean>,
): Promise<RefFinding> {
  const type = graph.type(id);
  if (type === undefined)
    return (await has(id))
      ? {}
      : { fault: { kind: "pointer", text: `${text(name)}: invalid sha1 pointer ${id}` } };
  if (type !== "commit" && name.startsWith("refs/heads/"))
    return { root: id, fault: { kind: "ref", text: `${text(name)}: not a commit` } };
  return { root: id };
}

/** Files below refs/ that hold no ref. */
async function* brokenFiles(
  directory: string,
  name: string,
  format: ObjectFormat,
): AsyncGenerator<RefFinding, void, undefined> {
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const [path, ref] = [join(directory, entry.name), `${name}/${entry.name}`];
    if (entry.isDirectory()) yield* brokenFiles(path, ref, format);
    else if (!entry.name.endsWith(".lock")) {
      const content = await readFile(path).catch(() => undefined);
      // Gone meanwhile, or a dangling link.
      if (content === undefined) continue;
      if (parseLooseRef(content, format) === undefined)
        yield {
          fault: {
            kind: "ref",
            text: `${ref}: badRefContent: ${JSON.stringify(content.toString("latin1", 0, 80))}`,
          },
        };
    }
  }
}

/** What logs of refs remember. Spec: gitrepository-layout, "logs". */
async function* reflogIds(
  directory: string,
  format: ObjectFormat,
): AsyncGenerator<ObjectId, void, undefined> {
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* reflogIds(path, format);
    else {
      const lines = await readFile(path, "latin1").catch(() => "");
      for (const [, ...ids] of lines.matchAll(/^([0-9a-f]+) ([0-9a-f]+) /gm))
        for (const word of ids) {
          const id = parseObjectId(word, format);
          if (id !== undefined) yield id;
        }
    }
  }
}

function text(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}
