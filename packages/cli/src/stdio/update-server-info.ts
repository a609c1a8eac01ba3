import { dirname, resolve } from "node:path";
import { findRepository } from "@x/storage-fs";
import { CliError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { openOperatorRepository } from "./operator-repository.ts";

/**
 * Writes `info/refs` and `objects/info/packs` of one repository.
 * @param directory the repository or one below its work tree; without it `GIT_DIR`, or the current one
 * @throws CliError `cli/fatal`. Spec: git-update-server-info
 */
export async function updateServerInfo(
  directory: string | undefined,
  { env, stderr }: Terminal,
): Promise<void> {
  const warn = (line: string) => void stderr.write(`${line}\n`);
  const { repository, close } = await openOperatorRepository({
    service: "git-upload-pack",
    directory: await discover(directory ?? env.GIT_DIR ?? "."),
    strict: true,
    ownOnly: true,
    skipConnectivityCheck: false,
    rejectThin: false,
    env,
    warn,
  });
  try {
    await repository.updateServerInfo?.();
  } finally {
    await close();
  }
}

/** Looks upwards, as git's own commands do. */
async function discover(start: string): Promise<string> {
  for (let path = resolve(start); ; path = dirname(path)) {
    const found = await findRepository(path);
    if (found !== undefined) return found.gitDirectory;
    if (path === dirname(path))
      throw new CliError("cli/fatal", "not a git repository (or any of the parent directories): .git");
  }
}
