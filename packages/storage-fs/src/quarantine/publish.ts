import { link, readdir, rename } from "node:fs/promises";
import { toBytePath } from "../disk/byte-path.ts";
import { makeShared, type SharedAccess, share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import { freshen } from "./freshen.ts";
import { guardPack } from "./keep-file.ts";

/** Readers look for `.idx`: it comes last, when all it stands for is there. */
const ORDER = [".pack", ".rev", ".idx"];

/** Packs in their place. */
export interface PublishedPacks {
  /** Directories with new entries, to be synced. */
  readonly changedDirectories: readonly string[];
  /**
   * Takes away the `.keep` files, which guard the packs: `git repack -ad` would drop what no ref leads to yet. To be called
   * when refs lead there, or when none will.
   */
  release(): Promise<void>;
}

/** Moves the packs of one object directory into another. */
export async function publishPacks(from: string, to: string, access?: SharedAccess): Promise<PublishedPacks> {
  const names = await readdir(`${from}/pack`);
  const rank = (name: string) => ORDER.findIndex((suffix) => name.endsWith(suffix));
  const files = names.filter((name) => rank(name) >= 0).sort((a, b) => rank(a) - rank(b));
  const guards: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    for (const guard of guards.splice(0)) await guard();
  };
  if (files.length === 0) return { changedDirectories: [], release };
  const isNew = await makeShared(toBytePath(`${to}/pack`), access);
  try {
    for (const name of files) {
      if (name.endsWith(".pack")) {
        const keep = name.replace(/\.pack$/, ".keep");
        guards.push(await guardPack(`${to}/pack/${keep}`, `${from}/pack/${keep}`, access));
      }
      await share(`${from}/pack/${name}`, access);
      await moveFile(`${from}/pack/${name}`, `${to}/pack/${name}`);
    }
    return { changedDirectories: isNew ? [`${to}/pack`, to] : [`${to}/pack`], release };
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * A pack is named after its contents: if it is there already, with the same objects from another push, that one stays.
 */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to); // does not overwrite, unlike rename
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") return freshen(from, to);
    if (code === undefined || !["EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "EMLINK"].includes(code))
      throw error;
    await rename(from, to); // a file system without hard links
  }
}
