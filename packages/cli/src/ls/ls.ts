import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Repository } from "@x/server-core";
import { type RepositoryLayout, readLayout } from "@x/storage-fs";
import { openStorage, type Storage } from "../compose.ts";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

/** What `xgit ls` prints, piece by piece. @throws CliError */
export async function* ls(path: string, json: boolean): AsyncGenerator<string, void, undefined> {
  const root = resolve(path);
  const own = await layoutOf(root);
  const rows = own === undefined ? repositoriesBelow(root) : refsOf(own);
  let count = 0;
  for await (const { line, value } of rows) {
    if (!json) yield `${line}\n`;
    else yield `${count === 0 ? "[" : ","}\n  ${JSON.stringify(value)}`;
    count++;
  }
  if (json) yield count === 0 ? "[]\n" : "\n]\n";
}

interface Row {
  readonly line: string;
  readonly value: object;
}

async function layoutOf(directory: string): Promise<RepositoryLayout | undefined> {
  return (await readLayout(directory)) ?? (await readLayout(join(directory, ".git")));
}

async function* repositoriesBelow(root: string): AsyncGenerator<Row, void, undefined> {
  const storage = openStorage({});
  try {
    for await (const { directory, layout } of layoutsBelow(root, true)) {
      const name = relative(root, directory);
      yield {
        line: printable(name),
        value: { name, path: directory, ...(await described(storage, layout)) },
      };
    }
  } finally {
    await storage.close();
  }
}

/** What can be told of a repository without reading it; of one that cannot be opened, why. */
async function described(storage: Storage, layout: RepositoryLayout): Promise<object> {
  try {
    const { objectFormat, refs } = await storage.open(layout);
    const head = await refs.get("HEAD");
    const text = head?.target.kind === "symbolic" ? textOf(head.target.name) : head?.target.id;
    return { objectFormat, head: text ?? null };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

async function* layoutsBelow(
  directory: string,
  isRoot: boolean,
): AsyncGenerator<{ readonly directory: string; readonly layout: RepositoryLayout }, void, undefined> {
  let entries: Awaited<ReturnType<typeof list>>;
  try {
    entries = await list(directory);
  } catch (cause) {
    // Others may remove what we walk through.
    if (!isRoot) return;
    throw new CliError("cli/fatal", `${directory}: ${cause instanceof Error ? cause.message : "?"}`, {
      cause,
    });
  }
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const path = join(directory, entry.name);
    const layout = await layoutOf(path).catch(() => undefined);
    if (layout !== undefined) yield { directory: path, layout };
    else yield* layoutsBelow(path, false);
  }
}

async function list(directory: string) {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function* refsOf(layout: RepositoryLayout): AsyncGenerator<Row, void, undefined> {
  const storage = openStorage({});
  try {
    const { refs } = await storage.open(layout);
    const head = await refs.get("HEAD");
    const headId = head && (await idOf(refs, head.target, 5));
    if (head !== undefined && headId !== undefined) yield refRow("HEAD", headId, head.target);
    for await (const batch of refs.list())
      for (const { name, target, peeled } of batch) {
        const id = await idOf(refs, target, 5);
        if (id !== undefined) yield refRow(name, id, target, peeled ?? undefined);
      }
  } finally {
    await storage.close();
  }
}

type Refs = Repository["refs"];
type Target = NonNullable<Awaited<ReturnType<Refs["get"]>>>["target"];

async function idOf(refs: Refs, target: Target, hops: number): Promise<string | undefined> {
  if (target.kind === "id") return target.id;
  const next = hops === 0 ? undefined : await refs.get(target.name);
  return next && idOf(refs, next.target, hops - 1);
}

function refRow(name: string, id: string, target: Target, peeled?: string): Row {
  const symbolic = target.kind === "symbolic" ? textOf(target.name) : undefined;
  return { line: `${id}\t${printable(textOf(name))}`, value: { name: textOf(name), id, symbolic, peeled } };
}

function textOf(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}
