import { readSmallFile } from "../disk/small-file.ts";

/** Largest list of users that is read. Unit: bytes. */
const MAX_PASSWD_BYTES = 16 * 1024 * 1024;

/** A user of this machine. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The user of that name, as `/etc/passwd` has it; `undefined` when there is none. */
export async function findSystemUser(name: string): Promise<SystemUser | undefined> {
  const file = await readSmallFile("/etc/passwd", { maxBytes: MAX_PASSWD_BYTES });
  if (typeof file === "string") return undefined;
  for (const line of file.toString("utf8").split("\n")) {
    const [found, , uid = "", gid = "", , home] = line.split(":");
    if (found !== name || !/^[0-9]{1,10}$/.test(uid) || !/^[0-9]{1,10}$/.test(gid)) continue;
    return home?.startsWith("/") ? { uid: Number(uid), gid: Number(gid), home } : undefined;
  }
  return undefined;
}
