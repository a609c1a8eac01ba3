import { link, utimes } from "node:fs/promises";
import { systemCode } from "../errors.ts";

/**
 * What is at `to` already counts to gc from now on as young as what we bring. If it went just now, ours at `from` takes
 * its place. Spec: git-gc, `--prune`.
 */
export async function freshen(from: string, to: string): Promise<void> {
  const now = new Date();
  try {
    await utimes(to, now, now);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") await link(from, to);
    else if (code !== "EPERM" && code !== "EACCES" && code !== "EROFS") throw error;
  }
}
