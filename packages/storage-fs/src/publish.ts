import { link, mkdir, readdir, rename, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { systemCode } from "./errors.ts";
import { syncDirectories } from "./lock-file.ts";

/** Readers look for `.idx`: it comes last, when all it stands for is there. */
const ORDER = [".pack", ".rev", ".idx"];

/**
 * Moves the packs of one object directory into another, durably. Their files were synced when they were written.
 * A `.keep` file guards each: `git repack -ad` would drop a pack that no ref leads to yet.
 * @returns takes the guards away; to be called when refs lead there, or when none will
 */
export async function publishPacks(from: string, to: string): Promise<() => Promise<void>> {
  const names = await readdir(`${from}/pack`);
  const rank = (name: string) => ORDER.findIndex((suffix) => name.endsWith(suffix));
  const files = names.filter((name) => rank(name) >= 0).sort((a, b) => rank(a) - rank(b));
  const guards: string[] = [];
  const release = async (): Promise<void> => {
    for (const guard of guards.splice(0)) await unlink(guard).catch(ignoreMissing);
  };
  if (files.length === 0) return release;
  await mkdir(`${to}/pack`, { recursive: true });
  try {
    for (const name of files) {
      if (name.endsWith(".pack")) await guard(`${to}/pack/${name.slice(0, -".pack".length)}.keep`, guards);
      await moveFile(`${from}/pack/${name}`, `${to}/pack/${name}`);
    }
    await syncDirectories([`${to}/pack`]);
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}

/** Makes a `.keep` file in C git's words; one that somebody else has made is theirs to take away. */
async function guard(path: string, guards: string[]): Promise<void> {
  try {
    await writeFile(path, `receive-pack ${process.pid} on ${hostname()}\n`, { flag: "wx" });
    guards.push(path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
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
