import { open, readdir, rename, unlink } from "node:fs/promises";
import type { ObjectId, ObjectReader } from "@x/objects";
import { type RefStore, resolveRef } from "@x/refs";
import { toBytePath } from "../disk/byte-path.ts";
import { makeShared, type SharedAccess, share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import type { RepositoryLayout } from "./layout.ts";

/** What {@link writeServerInfo} tells of. */
export interface ServerInfoSource {
  readonly layout: RepositoryLayout;
  readonly objects: Pick<ObjectReader, "peel">;
  readonly refs: RefStore;
  /** The umask alone decides when not given. */
  readonly access?: SharedAccess | undefined;
}

/** Makes two writers in one process use different files. */
let written = 0;

/**
 * Writes what clients of dumb transports go by: `info/refs`, all refs with what their tags peel to, and
 * `objects/info/packs`. Whoever reads them meanwhile sees the old or the new.
 * Spec: git-update-server-info; gitrepository-layout, "info/refs", "objects/info/packs".
 */
export async function writeServerInfo({ layout, objects, refs, access }: ServerInfoSource): Promise<void> {
  const { commonDirectory, objectsDirectory } = layout;
  await replaceFile(`${commonDirectory}/info`, "refs", await describeRefs(objects, refs), access);
  await replaceFile(`${objectsDirectory}/info`, "packs", await describePacks(objectsDirectory), access);
}

async function describeRefs(objects: ServerInfoSource["objects"], refs: RefStore): Promise<string> {
  let text = "";
  for await (const batch of refs.list()) {
    const held: { readonly name: string; readonly id: ObjectId }[] = [];
    for (const { name } of batch) {
      const resolved = await resolveRef(refs, name);
      if (resolved?.status === "found") held.push({ name, id: resolved.id });
    }
    const ends = await objects.peel(held.map(({ id }) => id));
    for (const [i, { name, id }] of held.entries()) {
      const end = ends[i];
      // What it holds is lost.
      if (end === undefined) continue;
      text += `${id}\t${name}\n`;
      if (end.id !== id) text += `${end.id}\t${name}^{}\n`;
    }
  }
  return text;
}

/** The repository's own packs: those of alternates are out of reach. */
async function describePacks(objectsDirectory: string): Promise<string> {
  const names = await readdir(`${objectsDirectory}/pack`).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return [];
  });
  const all = new Set(names);
  const packs = names.filter((name) => name.endsWith(".pack") && all.has(name.replace(/pack$/, "idx")));
  return `${packs.map((name) => `P ${name}\n`).join("")}\n`;
}

async function replaceFile(
  directory: string,
  name: string,
  text: string,
  access: SharedAccess | undefined,
): Promise<void> {
  const path = `${directory}/${name}`;
  const temporary = `${path}_${process.pid}_${++written}`;
  await makeShared(toBytePath(directory), access);
  const file = await open(temporary, "wx", 0o666);
  try {
    try {
      await file.writeFile(text, "latin1");
    } finally {
      await file.close();
    }
    await share(temporary, access);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}
