import { link, mkdir, readdir, rename } from "node:fs/promises";
import { systemCode } from "./errors.ts";
import { syncDirectories } from "./lock-file.ts";

/** File systems without hard links say one of these. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "EMLINK"];

/**
 * Moves the loose objects of one object directory into another, durably. Their files were synced when they were written;
 * one that is there already has the same name because it has the same content.
 */
export async function publishLooseObjects(from: string, to: string): Promise<void> {
  const parts = (await readdir(from)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (const part of parts) {
    await mkdir(`${to}/${part}`, { recursive: true });
    for (const name of await readdir(`${from}/${part}`))
      await moveObject(`${from}/${part}/${name}`, `${to}/${part}/${name}`);
  }
  if (parts.length > 0) await syncDirectories([...parts.map((part) => `${to}/${part}`), to]);
}

async function moveObject(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") return;
    if (code === undefined || !NO_LINKS.includes(code)) throw error;
    await rename(from, to);
  }
}
