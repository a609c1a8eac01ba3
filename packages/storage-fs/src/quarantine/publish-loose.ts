import { link, readdir, rename } from "node:fs/promises";
import { toBytePath } from "../disk/byte-path.ts";
import { makeShared, type SharedAccess, share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import { freshen } from "./freshen.ts";

/** File systems without hard links say one of these. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "EMLINK"];

/**
 * Moves the loose objects of one object directory into another. One that is there already has the same name because it
 * has the same content; to gc it counts from now on as young as ours.
 * @returns directories with new entries, to be synced
 */
export async function publishLooseObjects(
  from: string,
  to: string,
  access?: SharedAccess,
): Promise<string[]> {
  const parts = (await readdir(from)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (const part of parts) {
    await makeShared(toBytePath(`${to}/${part}`), access);
    for (const name of await readdir(`${from}/${part}`)) {
      await share(`${from}/${part}/${name}`, access);
      await moveObject(`${from}/${part}/${name}`, `${to}/${part}/${name}`);
    }
  }
  return parts.length > 0 ? [...parts.map((part) => `${to}/${part}`), to] : [];
}

async function moveObject(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") return freshen(from, to);
    if (code === undefined || !NO_LINKS.includes(code)) throw error;
    await rename(from, to);
  }
}
