import { link, mkdir, readdir, rename, utimes } from "node:fs/promises";
import { systemCode } from "./errors.ts";
import { syncDirectories } from "./lock-file.ts";

/** Readers look for `.idx`: it comes last, when all it stands for is there. */
const ORDER = [".pack", ".rev", ".idx"];

/** Moves the packs of one object directory into another, durably. Their files were synced when they were written. */
export async function publishPacks(from: string, to: string): Promise<void> {
  const names = await readdir(`${from}/pack`);
  const rank = (name: string) => ORDER.findIndex((suffix) => name.endsWith(suffix));
  const files = names.filter((name) => rank(name) >= 0).sort((a, b) => rank(a) - rank(b));
  if (files.length === 0) return;
  await mkdir(`${to}/pack`, { recursive: true });
  for (const name of files) await moveFile(`${from}/pack/${name}`, `${to}/pack/${name}`);
  await syncDirectories([`${to}/pack`]);
}

/**
 * A pack is named after its contents: if it is there already, with the same objects from another push, that one stays.
 */
async function moveFile(from: string, to: string): Promise<void> {
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

/** To gc, what is there counts from now on as young as what we bring. If it went just now, ours takes its place. */
async function freshen(from: string, to: string): Promise<void> {
  const now = new Date();
  try {
    await utimes(to, now, now);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") await link(from, to);
    else if (code !== "EPERM" && code !== "EACCES" && code !== "EROFS") throw error;
  }
}
