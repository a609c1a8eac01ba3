import { readFile } from "node:fs/promises";
import { findSystemUser } from "@x/storage-fs";
import { CliError } from "../errors.ts";

/**
 * Looks a user and a group up, to give up root's rights for theirs later. Spec: git-daemon, `--user`, `--group`.
 * @returns does it, in all threads
 * @throws CliError `cli/fatal`, now when there is no such user, later when this process may not
 */
export async function prepareUser(name: string, group: string | undefined): Promise<() => void> {
  const user = await findSystemUser(name);
  if (user === undefined) throw new CliError("cli/fatal", `user not found - ${name}`);
  const gid = group === undefined ? user.gid : await groupId(group);
  if (gid === undefined) throw new CliError("cli/fatal", `group not found - ${group}`);
  return () => {
    try {
      (process as NodeJS.Process & InitGroups).initgroups?.(name, gid);
      process.setgid?.(gid);
      process.setuid?.(user.uid);
    } catch (cause) {
      throw new CliError("cli/fatal", "cannot drop privileges", { cause });
    }
  };
}

/** What Node's types leave out. */
interface InitGroups {
  readonly initgroups?: (user: string, extraGroup: number) => void;
}

async function groupId(name: string): Promise<number | undefined> {
  const groups = await readFile("/etc/group", "utf8").catch(() => "");
  for (const line of groups.split("\n")) {
    const [found, , gid = ""] = line.split(":");
    if (found === name && /^[0-9]{1,10}$/.test(gid)) return Number(gid);
  }
  return undefined;
}
